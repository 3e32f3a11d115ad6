//! What the options about supervision do to real workers, and that what cannot be is refused before anything starts.

use std::fs;
use std::path::{Path, PathBuf};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;
use tempfile::TempDir;

use crate::command;
use crate::crew::{Crew, HANG, portcrew};
use crate::home::Home;

/// It listens at once, and says `ready` when it is asked to by a request.
const READY_WHEN_ASKED: &str = "const http = require('node:http');\
    const server = http.createServer((request, response) => {\
      process.send('ready'); response.end();\
    });\
    server.listen(0, '127.0.0.1', () => console.log('LISTENING'));";

/// It never listens, and says `ready` once it has looked round.
const READY_SOON: &str = "setImmediate(() => process.send('ready')); setInterval(() => {}, 1e9);";

/// It leaves on the text `shutdown`, with a word, and on nothing else.
const LEAVES_ON_A_TEXT: &str = "process.on('SIGTERM', () => console.log('BY SIGTERM'));\
    process.on('disconnect', () => {});\
    require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('LISTENING'));\
    process.on('message', (text) => {\
      if (text === 'shutdown') process.stdout.write('BY TEXT\\n', () => process.exit(0));\
    });";

fn script(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("server.js");
    fs::write(&script, text).unwrap();
    (directory, script)
}

fn run(options: &[&str], program: &Path) -> Crew {
    Crew { process: portcrew("run").args(options).arg(program).start() }
}

#[test]
fn a_worker_that_listens_is_ready_only_when_it_says_so() {
    let _node = require_node!();
    let (_directory, script) = script(READY_WHEN_ASKED);
    let crew = run(&["-w", "1", "--ready", "message", "--start-deadline", "300ms"], &script);
    let address = crew.address();
    crew.says("worker 1 is not ready, 300 ms after its start: it has not sent `ready`");
    assert!(!crew.said().iter().any(|line| line.contains("worker 1 is ready")));
    Load::new(address).requests(1).run().assert_all_ok();
    crew.says("worker 1 is ready");
    // Its successor listens too, and is asked for nothing.
    crew.process.signal(Signal::Hup);
    crew.says("rolled back, the old workers go on: new worker 2 was not ready within 300 ms");
}

#[test]
fn start_waits_for_the_word_of_a_program_that_never_listens() {
    let _node = require_node!();
    let home = Home::new();
    fs::write(home.path().join("soon.js"), READY_SOON).unwrap();
    let args = ["start", "-w", "1", "--wait-ready", "soon.js"];
    let (answer, _process) = home.ended(home.program(&args).start());
    assert!(
        answer.stdout.starts_with("soon: 1 worker ready"),
        "{} {}",
        answer.stdout,
        answer.stderr
    );
    assert_eq!(home.ask(&["stop", "soon"]).status, 0);
}

#[test]
fn a_worker_that_has_taken_its_connections_is_replaced_new_before_old() {
    let _node = require_node!();
    let crew = run(&["-w", "1", "--max-connections", "3"], &fixture("hello.js"));
    let address = crew.serving(1);
    (0..3).for_each(|_| Load::new(address).requests(1).run().assert_all_ok());
    crew.says("worker 1 has taken 3 connections: it is being replaced");
    crew.says("worker 1 has its successor and leaves");
    Load::new(address).requests(1).run().assert_all_ok();
}

#[test]
fn workers_that_end_with_a_status_of_the_list_are_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("done.sh");
    fs::write(&script, "exit 3\n").unwrap();
    let mut crew = run(&["-w", "2", "--stop-exit-codes", "0,3"], &script);
    crew.status();
    let said = crew.said();
    let retired = said.iter().filter(|line| line.contains("gets no other before the next reload"));
    assert_eq!(retired.count(), 2, "{said:?}");
    assert!(!said.iter().any(|line| line.contains("a new one starts")), "{said:?}");
}

#[test]
fn a_worker_leaves_by_the_text_that_it_is_sent() {
    let _node = require_node!();
    let (_directory, script) = script(LEAVES_ON_A_TEXT);
    let mut crew = run(&["-w", "1", "--drain", "message:shutdown"], &script);
    crew.address();
    crew.process.signal(Signal::Term);
    crew.process.wait_line(|line| line.ends_with("| BY TEXT"), HANG);
    assert_eq!(crew.status(), 0);
    assert!(!crew.process.lines().iter().any(|line| line.text.ends_with("| BY SIGTERM")));
}

#[test]
fn a_worker_that_does_not_leave_gets_the_signal_that_was_chosen_and_that_is_said() {
    let _node = require_node!();
    let text = "process.on('SIGUSR2', () => {}); process.on('SIGINT', () => process.exit(0));\
        console.log('UP'); setInterval(() => {}, 1e9);";
    let (_directory, script) = script(text);
    let options = ["-w", "1", "--ready", "alive", "--drain", "signal:USR2", "--grace", "100ms"];
    let mut crew = run(&[&options[..], &["--stop-signal", "INT"]].concat(), &script);
    crew.process.wait_line(|line| line.ends_with("| UP"), HANG);
    crew.process.signal(Signal::Term);
    crew.says("SIGINT");
    assert_eq!(crew.status(), 0);
}

#[test]
fn what_cannot_be_is_refused_with_the_option_and_what_can() {
    let directory = tempfile::tempdir().unwrap();
    for (options, parts) in [
        ("--ready soon", ["--ready", "http://ADDR:PORT/PATH"]),
        ("--ready https://127.0.0.1/", ["--ready", "tcp:ADDR:PORT"]),
        ("--ready tcp:localhost:80", ["--ready", "127.0.0.1:8080"]),
        ("--ready alive --wait-ready", ["--ready", "--wait-ready"]),
        ("--probe-every 1s", ["--probe-every", "--ready tcp:ADDR:PORT"]),
        ("--alive-every 1s", ["--alive-every", "--answer-within"]),
        ("--ready tcp:127.0.0.1:1 --alive-failures 0", ["--alive-failures", "1 to 1,000"]),
        ("--answer-within 10ms", ["--answer-within", "at least 1 s"]),
        ("--watchdog 1s", ["--watchdog", "--ready notify"]),
        ("--surge 0", ["--surge 0", "--max-unavailable 1"]),
        ("--surge 2 --ready alive", ["--surge", "--overlap"]),
        ("--max-unavailable 9999", ["--max-unavailable", "0 to 1,024"]),
        ("--overlap", ["--overlap", "--ready alive"]),
        ("--max-memory 200", ["--max-memory", "200M"]),
        ("--max-age 0", ["--max-age", "1s to 365d"]),
        ("--max-connections 0", ["--max-connections", "at least 1"]),
        ("--max-connections 5 --policy shared", ["--max-connections", "round-robin"]),
        ("--stop-exit-codes 256", ["--stop-exit-codes", "0 to 255"]),
        ("--drain shutdown", ["--drain", "message:TEXT"]),
        ("--drain signal:KILL", ["--drain", "TERM"]),
        ("--drain message:bye --register", ["--drain", "--register"]),
        ("--stop-signal NONE", ["--stop-signal", "TERM"]),
        ("--kill-after soon", ["--kill-after", "500ms"]),
        ("--kill-after 2000h", ["--kill-after", "at most 24h"]),
        ("--kill-after 5s --stop-signal KILL", ["--kill-after", "--stop-signal KILL"]),
        ("--kill-timeout 1600", ["`--grace 1600ms`", "--kill-after"]),
        ("--listen-timeout 8000", ["--listen-timeout", "`--start-deadline 8000ms`"]),
    ] {
        for command in ["run", "start"] {
            let args = std::iter::once(command).chain(options.split(' ')).chain(["/bin/true"]);
            let answer = command::portcrew(directory.path(), &args.collect::<Vec<_>>());
            assert_eq!(answer.status, 2, "{options}: {}", answer.stderr);
            for part in parts {
                assert!(answer.stderr.contains(part), "{options}: {}", answer.stderr);
            }
        }
    }
}
