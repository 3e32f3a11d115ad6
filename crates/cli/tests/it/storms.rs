//! Signals by the thousand, and a start with signals ignored and blocked.

use std::process::Command;
use std::time::{Duration, Instant};

use portcrew_testkit::http::Load;
use portcrew_testkit::process::Signal;

use crate::crew::{Crew, HANG};
use crate::home::{Home, PORTCREW};

/// Signals of a storm.
const STORM: usize = 20_000;

/// What a new worker must have served before a reload is done. Hang-ups during one are another together, so of a storm
/// come no more reloads than fit into it one behind the other.
const STABLE: Duration = Duration::from_millis(100);

fn reloads(crew: &Crew) -> usize {
    crew.said().iter().filter(|it| it.starts_with("reload: done")).count()
}

#[test]
fn a_storm_of_hang_ups_is_a_few_reloads_and_no_request_fails() {
    let home = Home::new();
    let args = ["run", "--name", "api", "-w", "1", "--stable", "100ms", "--init", PORTCREW];
    let args = [&args[..], &["demo", "--port", "0"]].concat();
    let mut crew = Crew { process: home.program(&args).start() };
    let address = crew.address();
    home.complete("api");
    let load = Load::new(address).clients(2).background();
    load.wait_answered(20, HANG);
    let begun = Instant::now();
    for n in 0..STORM {
        // With --init SIGWINCH is passed on to the workers, which it does nothing to; SIGHUP is the primary's.
        crew.process.signal(if n % 4 == 0 { Signal::Winch } else { Signal::Hup });
    }
    // The verdict of what is asked for now comes behind those of the storm.
    assert_eq!(home.ask(&["reload", "api"]).status, 0);
    load.finish().assert_all_ok();
    let most = begun.elapsed().as_millis() / STABLE.as_millis();
    let reloads = reloads(&crew) as u128;
    println!("{STORM} signals were {reloads} reloads, with the one that was asked for");
    assert!((1..=most).contains(&reloads), "{reloads} of {most}");
    assert_eq!(crew.pids_when(1).len(), 1);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

#[test]
fn a_storm_of_ends_is_one_end() {
    let home = Home::new();
    let mut crew = home.crew("api", "2");
    for _ in 0..STORM {
        crew.process.signal(Signal::Term);
    }
    // The second one said that it is not to wait.
    assert!([0, 4].contains(&crew.status()));
}

#[test]
fn signals_that_were_blocked_and_a_child_signal_that_was_ignored_at_the_start_change_nothing() {
    let blocked = ["--ignore-signal=CHLD", "--block-signal"];
    let tried = Command::new("env").args(blocked).arg("true").output();
    if !tried.is_ok_and(|it| it.status.success()) {
        return eprintln!("skipped: this env cannot block signals");
    }
    let home = Home::new();
    let args = ["run", "--name", "api", "-w", "1", "--stable", "100ms", PORTCREW, "demo"];
    let args = [&args[..], &["--port", "0"]].concat();
    let mut crew = Crew { process: home.program(&args).through("env", blocked).start() };
    crew.address();
    home.complete("api");
    let worker = *crew.pids_when(1).first().unwrap();
    crew.process.signal_descendant(worker, Signal::Kill).unwrap();
    crew.says("worker 1 was ended by SIGKILL; a new one starts in ");
    home.complete("api");
    crew.process.signal(Signal::Hup);
    crew.process.wait_line(crate::crew::is_said("reload: done in "), HANG);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}
