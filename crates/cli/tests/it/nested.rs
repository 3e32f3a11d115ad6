//! A crew inside a crew: the inner primary is a worker of the outer one.

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, proc_fs};
use portcrew_testkit::require_node;

use crate::crew::{HANG, assert_gone, run};

#[test]
fn an_inner_crew_serves_and_leaves_when_the_outer_one_tells_it_to() {
    let _node = require_node!();
    let inner = [env!("CARGO_BIN_EXE_portcrew"), "run", "-w", "2"].map(std::ffi::OsString::from);
    let args = ["-w", "1"].map(std::ffi::OsString::from).into_iter().chain(inner);
    let mut crew = run(args.chain([fixture("hello.js").into_os_string()]));
    let words = "1 | portcrew: listening on ";
    let line = crew.process.wait_line(|line| line.starts_with(words), HANG);
    let address: std::net::SocketAddr = line.text.strip_prefix(words).unwrap().parse().unwrap();
    Load::new(address).requests(20).run().assert_all_ok();
    let all: std::collections::BTreeSet<u32> =
        proc_fs::descendants(crew.process.pid()).into_iter().collect();
    assert!(all.len() >= 2, "{all:?}");
    crew.process.signal(Signal::Term);
    crew.process
        .wait_line(|line| line.starts_with("1 | portcrew: told to leave by the crew above"), HANG);
    assert_eq!(crew.status(), 0);
    assert_gone(&all);
    let lines = crew.process.lines();
    assert!(lines.iter().any(|line| line.text == "1 | portcrew: stopped"), "{lines:?}");
}
