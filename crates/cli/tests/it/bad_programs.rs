//! Programs that start and are of no use: what is said, how it ends, and that it ends.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;

use crate::crew::{HANG, portcrew, run};

#[test]
fn a_program_that_dies_at_boot_is_given_up_after_its_budget() {
    let _node = require_node!();
    let mut crew = run(["-w".as_ref(), "1".as_ref(), fixture("broken.js").as_os_str()]);
    assert_eq!(crew.status(), 1);
    let said = crew.said();
    let deaths = said.iter().filter(|line| line.contains("exited with status 1")).count();
    assert!((2..=12).contains(&deaths), "{said:?}");
    let delays = said.iter().filter(|line| line.contains("a new one starts in")).count();
    assert_eq!(delays, deaths - 1, "each start but the first was waited for: {said:?}");
    assert!(said.last().unwrap().starts_with("gave up: "), "{said:?}");
    let lines = crew.process.lines();
    let reasons = lines.iter().filter(|line| line.text.ends_with("| Error: broken at boot"));
    assert_eq!(reasons.count(), deaths, "what it printed at its end is passed on");
}

#[test]
fn a_port_that_is_taken_ends_the_crew_with_a_status_of_its_own() {
    let _node = require_node!();
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = holder.local_addr().unwrap();
    let script = fixture("hello.js");
    let port = address.port().to_string();
    let mut crew = run(["-w".as_ref(), "2".as_ref(), script.as_os_str(), port.as_ref()]);
    assert_eq!(crew.status(), 3);
    let said = crew.said();
    let named = format!("{address} belongs to another process");
    assert_eq!(said.iter().filter(|line| line.contains(&named)).count(), 1, "{said:?}");
    let last = said.last().unwrap();
    assert!(last.starts_with("gave up: ") && last.contains(&address.to_string()), "{said:?}");
}

#[test]
fn a_program_that_binds_its_port_itself_is_named_by_worker_and_goes_on() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        return eprintln!("skipped: python3 not found");
    }
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("server.py");
    let server = "from http.server import HTTPServer, SimpleHTTPRequestHandler\n\
        server = HTTPServer(('127.0.0.1', 0), SimpleHTTPRequestHandler)\n\
        print('BOUND 127.0.0.1:%d' % server.server_port, flush=True)\n\
        server.serve_forever()\n";
    fs::write(&script, server).unwrap();
    let args = ["-w".as_ref(), "1".as_ref(), "--start-deadline".as_ref(), "300ms".as_ref()];
    let mut crew = run(args.into_iter().chain([script.as_os_str()]));
    let said = crew.says("worker 1 does not listen, 300 ms after its start").text;
    assert!(said.contains("`ss -ltnp` shows that"), "{said}");
    let bound = crew.process.wait_line(|line| line.starts_with("1 | BOUND "), HANG);
    let address: std::net::SocketAddr =
        bound.text.strip_prefix("1 | BOUND ").unwrap().parse().unwrap();
    Load::new(address).requests(5).run().assert_all_ok();
    // It never spoke on its channel, so it is not asked but told.
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

#[test]
fn a_parent_that_wants_another_serialization_is_told_where_to_change_it() {
    let mut process = portcrew("demo")
        .env("NODE_CHANNEL_FD", "3")
        .env("NODE_UNIQUE_ID", "1")
        .env("NODE_CHANNEL_SERIALIZATION_MODE", "advanced")
        .start();
    let (status, lines) = process.wait_output(HANG);
    assert_eq!(status.code(), Some(70));
    let [line] = &lines[..] else { process.fail("it says one line") };
    assert!(
        line.text.starts_with("portcrew: ") && line.text.contains("serialization: 'json'"),
        "{line:?}"
    );
    assert!(line.text.contains("NODE_CHANNEL_SERIALIZATION_MODE is \"advanced\""), "{line:?}");
}
