//! What workers print reaches the terminal: marked or raw, whole, and without holding up the end.

use std::fs;
use std::path::PathBuf;

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, Stream};
use portcrew_testkit::require_node;

use crate::crew::{HANG, run};

fn script(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.js");
    fs::write(&path, text).unwrap();
    (directory, path)
}

#[test]
fn every_line_names_its_worker_and_keeps_its_stream() {
    let _node = require_node!();
    let (_directory, path) = script(
        "process.stdout.write('half '); console.error('to stderr');\
         setTimeout(() => console.log('a line'), 50); setInterval(() => {}, 1 << 30);",
    );
    let crew = run(["-w".as_ref(), "2".as_ref(), path.as_os_str()]);
    for worker in 1..=2 {
        let line = format!("{worker} | half a line");
        assert_eq!(crew.process.wait_line(|it| it == line, HANG).stream, Stream::Out);
        let line = format!("{worker} | to stderr");
        assert_eq!(crew.process.wait_line(|it| it == line, HANG).stream, Stream::Err);
    }
}

#[test]
fn raw_output_has_no_prefix() {
    let _node = require_node!();
    let crew =
        run(["-w".as_ref(), "1".as_ref(), "--raw".as_ref(), fixture("hello.js").as_os_str()]);
    let line = crew.process.wait_line(|line| line.starts_with("LISTENING "), HANG);
    assert_eq!(line.text, format!("LISTENING {}", crew.address()));
}

#[test]
fn all_that_a_worker_printed_is_passed_on_also_when_it_died_at_once() {
    const LINES: usize = 5_000;
    let _node = require_node!();
    let (_directory, path) = script(&format!(
        "const fs = require('fs');\
         for (let n = 0; n < {LINES}; n += 1) fs.writeSync(1, `line ${{n}}\\n`);\
         fs.writeSync(1, 'the end'); process.exit(7);",
    ));
    let mut crew = run(["-w".as_ref(), "1".as_ref(), path.as_os_str()]);
    crew.says("worker 1 exited with status 7");
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    let lines = crew.process.lines();
    let of_first = lines.iter().filter_map(|line| line.text.strip_prefix("1 | "));
    let expected = (0..LINES).map(|n| format!("line {n}")).chain(["the end".to_owned()]);
    assert!(of_first.eq(expected), "{} lines", lines.len());
}

#[test]
fn a_grandchild_that_keeps_the_output_open_does_not_hold_up_the_end() {
    let _node = require_node!();
    let (_directory, path) = script(
        "const { spawn } = require('child_process');\
         spawn('sleep', ['600'], { detached: true, stdio: 'inherit' }).unref();\
         process.on('disconnect', () => process.exit(0)); setInterval(() => {}, 1 << 30);\
         console.log('READY');",
    );
    let mut crew = run(["-w".as_ref(), "1".as_ref(), path.as_os_str()]);
    crew.process.wait_line(|line| line == "1 | READY", HANG);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.process.wait_exit(HANG).code(), Some(0));
}
