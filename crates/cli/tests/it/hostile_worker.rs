//! A worker of any program that says what is not true: what the command says of it is bounded.

use std::fs;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::require_node;

use crate::crew::{HANG, run};

/// It serves, and says that it listens at ever new addresses.
const ANNOUNCES: &str = "for (let n = 0; n < 5000; n += 1) {\
      process.send({ cmd: 'NODE_CLUSTER', act: 'listening', address: `10.0.${n >> 8}.${n & 255}`,\
        port: 80, addressType: 4 });\
    }\
    process.send('done', () => console.log('DONE'));";

#[test]
fn addresses_without_end_are_not_said_without_end() {
    let _node = require_node!();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("server.js");
    let serve = format!("require({:?});", fixture("hello.js"));
    fs::write(&script, format!("{serve} {ANNOUNCES}")).unwrap();
    let crew = run(["-w".as_ref(), "1".as_ref(), script.as_os_str()]);
    let line = crew.process.wait_line(|line| line.starts_with("1 | LISTENING "), HANG);
    crew.process.wait_line(|line| line == "1 | DONE", HANG);
    let address: std::net::SocketAddr = line.text.rsplit(' ').next().unwrap().parse().unwrap();
    Load::new(address).requests(100).run().assert_all_ok();
    crew.says("Further ones are not said here: they are in --events");
    let said = crew.said().iter().filter(|it| it.contains("listening on")).count();
    // Among them the one that says so, once.
    assert!((1..=257).contains(&said), "{said}");
    let closing = crew.said().iter().filter(|it| it.ends_with("they are in --events")).count();
    assert_eq!(closing, 1);
}
