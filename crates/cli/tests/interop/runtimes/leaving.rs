//! How a worker goes.

use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually, wait_dead};
use serde_json::json;

use super::bench::Bench;
use super::gap::Gap;
use super::listening::{free_port, is_self_bound, run};
use super::row::Seen;
use super::runtime::Runtime;
use crate::crew::HANG;

/// A worker that lives on for so long without its primary does so for good.
const ORPHAN: Duration = Duration::from_secs(10);

/// It has a listener, and a client that it has served.
pub(crate) fn told(runtime: &Runtime) -> Seen {
    let mut bench = Bench::new(runtime, &[("SERVE", "0"), ("GRACE_MS", "5000")]);
    bench.tell("start 1");
    let listening = bench.message(1, |it| it["listening"] == "first").expect("it lives");
    let port = u16::try_from(listening["message"]["address"]["port"].as_u64().unwrap()).unwrap();
    let place = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port));
    Load::new(place).requests(5).run().assert_all_ok();
    bench.tell("stop");
    let exit = bench.event(1, |event| event["event"] == "exit");
    assert_eq!(exit["planned"], true);
    if exit["signal"] == json!(15) {
        return Err(Gap::NeedsSignal);
    }
    assert_eq!(exit["code"], 0);
    Ok(())
}

pub(crate) fn own_will(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    bench.order(1, &json!({ "op": "leave" }));
    let exit = bench.event(1, |event| event["event"] == "exit");
    assert_eq!((&exit["code"], &exit["planned"]), (&json!(0), &json!(true)));
    Ok(())
}

pub(crate) fn primary_gone(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    bench.serve(1, "a", &json!({ "host": "127.0.0.1", "port": 0 })).port(&bench);
    // Whatever it has said is read now.
    bench.has_told(1, |_| false);
    let worker = bench.pid(1);
    bench.signal(Signal::Kill);
    assert!(wait_dead(worker, HANG), "the worker ends");
    Ok(())
}

/// The kernel then gives it a reset in place of the end.
pub(crate) fn primary_gone_unread(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    bench.order(1, &json!({ "op": "listen-to-signals" }));
    bench.message(1, |it| it == "listening to signals").expect("it lives");
    bench.signal(Signal::Stop);
    let worker = bench.pid(1);
    bench.has_it_speak(worker);
    bench.signal(Signal::Kill);
    if wait_dead(worker, ORPHAN) { Ok(()) } else { Err(Gap::Orphan) }
}

pub(crate) fn reload(runtime: &Runtime) -> Seen {
    reloaded(runtime, &[])
}

pub(crate) fn reload_closing(runtime: &Runtime) -> Seen {
    reloaded(runtime, &[("CLOSE", "1")])
}

fn reloaded(runtime: &Runtime, env: &[(&str, &str)]) -> Seen {
    let crew = run(runtime, free_port(), &["--grace", "3s"], env);
    let load = Load::new(crew.serving(2)).clients(4).background();
    load.wait_answered(50, HANG);
    let old = crew.pids();
    crew.process.signal(Signal::Hup);
    crew.says("reload: 2 of 2 replaced");
    crew.says("reload: done in ");
    eventually("the old workers are gone", HANG, || old.is_disjoint(&crew.pids()).then_some(()));
    load.wait_answered(50, HANG);
    let report = load.finish();
    if crew.said().iter().any(|line| line.contains("has not left; it gets SIGTERM")) {
        return Err(Gap::NeedsSignal);
    }
    // The kernel resets what waits in a socket of the worker's own when that is closed.
    if !is_self_bound(&crew) {
        report.assert_all_ok();
    }
    Ok(())
}
