//! Messages between user programs.

use serde_json::{Value, json};

use super::bench::Bench;
use super::row::Seen;
use super::runtime::Runtime;

pub(crate) fn messages(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    let long = "ä\u{0}\n\u{2028}😀".repeat(20_000);
    for message in [json!(null), json!(-0.5), json!("a"), json!([1, {}]), json!({ "long": long })] {
        bench.order(1, &message);
        let answer = bench.message(1, |it| it["handle"] == Value::Null && it.get("echo").is_some());
        assert_eq!(answer.expect("it lives")["message"]["echo"], message);
    }
    // To it nothing is internal but what begins as internal messages do.
    let near = json!({ "cmd": "fooNODE_CLUSTER", "act": "disconnect" });
    bench.order(1, &near);
    let answer = bench.message(1, |it| it.get("echo").is_some()).expect("it lives");
    assert_eq!(answer["message"]["echo"], near);
    Ok(())
}
