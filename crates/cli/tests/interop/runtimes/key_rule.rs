//! Which listeners are one and the same, and how often one may be had.

use portcrew_testkit::http::Load;
use serde_json::json;

use super::bench::{Bench, Listened};
use super::gap::Gap;
use super::listening::{bound_alone, free_port};
use super::row::Seen;
use super::runtime::Runtime;

pub(crate) fn port_zero(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[]);
    let mut places = Vec::new();
    for worker in [1, 2] {
        for name in ["a", "b"] {
            let options = json!({ "host": "127.0.0.1", "port": 0 });
            places.push(bench.serve(worker, name, &options).port(&bench));
        }
    }
    if bench.listeners().is_empty() {
        return Err(bound_alone(&mut bench));
    }
    assert_ne!(places[0], places[1]);
    assert_eq!(places[..2], places[2..]);
    for place in &places[..2] {
        let report = Load::new(*place).requests(20).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker.len(), 2, "{report}");
    }
    Ok(())
}

/// Beside another worker that has it, and after the last one has closed it.
pub(crate) fn close_and_listen(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[]);
    let options = json!({ "host": "127.0.0.1", "port": free_port() });
    let place = bench.serve(1, "a", &options).port(&bench);
    bench.serve(2, "a", &options).port(&bench);
    bench.close(1, "a");
    assert_eq!(bench.serve(1, "again", &options).port(&bench), place);
    Load::new(place).requests(100).run().assert_all_ok();
    bench.close(1, "again");
    bench.close(2, "a");
    assert_eq!(bench.serve(2, "at last", &options).port(&bench), place);
    Load::new(place).requests(20).run().assert_all_ok();
    Ok(())
}

pub(crate) fn twice(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    let options = json!({ "host": "127.0.0.1", "port": free_port() });
    let place = bench.serve(1, "a", &options).port(&bench);
    match bench.serve(1, "b", &options) {
        Listened::Failed(code) => assert_eq!(code, "EADDRINUSE"),
        Listened::On(_) => return Err(Gap::Allowed),
    }
    Load::new(place).requests(20).run().assert_all_ok();
    Ok(())
}
