//! What is read of a process in `/proc`, against programs whose answer is known.

use std::time::Duration;

use portcrew_testkit::process::{Process, Program, eventually, proc_fs};

use crate::server::HANG;

fn started(script: &str) -> Process {
    let process = Program::new("sh").args(["-c", script]).stdin_pipe().start();
    process.wait_line(|line| line == "up", HANG);
    process
}

#[test]
fn open_descriptors_are_counted_and_named() {
    let process = started("exec 7</dev/null 8</dev/zero; echo up; read wait");
    let fds = proc_fs::fds(process.pid()).unwrap();
    let named =
        |fd: u32| fds.iter().find(|(number, _)| *number == fd).map(|(_, target)| target.as_str());
    assert_eq!((named(7), named(8), named(9)), (Some("/dev/null"), Some("/dev/zero"), None));
    assert!(named(0).unwrap().starts_with("pipe:["));
    assert_eq!(proc_fs::fd_count(process.pid()).unwrap(), fds.len());
}

#[test]
fn threads_memory_and_state_are_those_of_a_waiting_shell() {
    let process = started("echo up; read wait");
    let pid = process.pid();
    assert_eq!(proc_fs::threads(pid).unwrap(), 1);
    assert!((1..64 << 20).contains(&proc_fs::rss(pid).unwrap()));
    let memory = proc_fs::memory(pid).unwrap();
    assert!(memory.anonymous > 0 && memory.anonymous < memory.rss, "{memory:?}");
    assert!(memory.pss <= memory.rss && memory.rss < 64 << 20, "{memory:?}");
    assert_eq!(proc_fs::parent(pid).unwrap(), std::process::id());
    eventually("asleep", HANG, || (proc_fs::state(pid).ok()? == 'S').then_some(()));
    assert!(proc_fs::children(pid).unwrap().is_empty());
}

#[test]
fn each_wake_up_of_a_waiting_program_is_one_voluntary_switch_or_more() {
    let mut process = started("echo up; while read line; do echo got $line; done");
    let pid = process.pid();
    let asleep = || {
        eventually("asleep", HANG, || (proc_fs::state(pid).ok()? == 'S').then_some(()));
    };
    asleep();
    let before = proc_fs::voluntary_ctxt_switches(pid).unwrap();
    for round in 0..20 {
        process.write_line(&round.to_string());
        process.wait_line(|line| line == format!("got {round}"), HANG);
        asleep();
    }
    let after = proc_fs::voluntary_ctxt_switches(pid).unwrap();
    assert!(after - before >= 20, "{before} -> {after}");
}

#[test]
fn cpu_time_counts_the_work_of_the_tree() {
    let process = started("(while :; do :; done) & echo up; read wait");
    let pid = process.pid();
    let enough = Duration::from_millis(50);
    let tree =
        eventually("work", HANG, || proc_fs::tree_cpu_time(pid).ok().filter(|time| *time > enough));
    let own = proc_fs::cpu_time(pid).unwrap();
    assert!(own < tree, "the parent sleeps: {own:?} of {tree:?}");
}

#[test]
fn a_process_that_has_gone_is_not_found() {
    let mut process = Program::new("true").start();
    let pid = process.pid();
    process.wait_exit(HANG);
    assert_eq!(proc_fs::fd_count(pid).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert!(proc_fs::descendants(pid).is_empty());
}
