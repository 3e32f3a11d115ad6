//! Options of a server that newer lines of Node have.

use std::io::Read as _;
use std::net::TcpStream;

use portcrew_testkit::http::Load;
use serde_json::json;

use super::bench::Bench;
use super::gap::Gap;
use super::listening::{bound_alone, free_port};
use super::row::Seen;
use super::runtime::{Kind, Runtime};
use crate::crew::HANG;

/// Whoever binds: both workers serve, and no request is lost.
pub(crate) fn reuse_port(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[]);
    let options = json!({ "host": "127.0.0.1", "port": free_port(), "reusePort": true });
    let place = bench.serve(1, "a", &options).port(&bench);
    bench.serve(2, "a", &options).port(&bench);
    let report = Load::new(place).requests(200).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker.len(), 2, "{report}");
    if matches!(runtime.kind, Kind::Node(_)) {
        // An older one does not know the option, and asks its primary.
        let asked = !bench.listeners().is_empty();
        assert_eq!(asked, !runtime.is_node_since(22, 12));
    }
    Ok(())
}

/// A worker that wants none is passed over; where nobody wants one, the client is not left waiting.
pub(crate) fn none(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[]);
    let options = json!({ "host": "127.0.0.1", "port": 0 });
    let set = json!({ "maxConnections": 0 });
    let place = bench.serve_with(1, "a", &options, &set).port(&bench);
    bench.serve(2, "a", &options).port(&bench);
    if bench.listeners().is_empty() {
        return Err(bound_alone(&mut bench));
    }
    let report = Load::new(place).requests(20).run();
    report.assert_all_ok();
    if report.by_worker.contains_key("1") {
        return Err(Gap::NoSuchOption);
    }
    bench.close(2, "a");
    assert_eq!(read_to_end(&TcpStream::connect(place).unwrap()), "");
    assert_eq!(bench.snapshot()["closed"]["all_refused"], 1);
    Ok(())
}

/// What is too many is closed by the worker, and not offered to others.
pub(crate) fn drops(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    let options = json!({ "host": "127.0.0.1", "port": 0 });
    let set = json!({ "maxConnections": 1, "dropMaxConnection": true });
    let place = bench.serve_with(1, "a", &options, &set).port(&bench);
    if bench.listeners().is_empty() {
        return Err(bound_alone(&mut bench));
    }
    let _only = TcpStream::connect(place).unwrap();
    assert_eq!(read_to_end(&TcpStream::connect(place).unwrap()), "");
    match bench.snapshot()["closed"]["all_refused"].as_u64() {
        Some(0) if bench.has_told(1, |event| event["message"]["dropped"] == "a") => Ok(()),
        Some(0) => Err(Gap::NoEvent),
        _ => Err(Gap::NoSuchOption),
    }
}

fn read_to_end(mut stream: &TcpStream) -> String {
    stream.set_read_timeout(Some(HANG)).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
