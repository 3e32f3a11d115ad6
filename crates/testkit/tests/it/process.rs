//! Started programs: their lines, their signals, and that nothing of them is left.

use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use portcrew_testkit::process::{
    Process, Program, Signal, Stream, artifact, eventually, proc_fs, signal_child, wait_dead,
};

use crate::server::HANG;

fn shell(script: &str) -> Process {
    Program::new("sh").args(["-c", script]).start()
}

fn number_behind(process: &Process, word: &str) -> u32 {
    let line = process.wait_line(|line| line.starts_with(word), HANG);
    line.text.rsplit(' ').next().unwrap().parse().unwrap()
}

fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

fn message(result: std::thread::Result<()>) -> String {
    *result.unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn lines_of_both_outputs_are_captured_with_their_stream() {
    let mut process = shell("echo one; echo two >&2; printf three");
    let (status, mut lines) = process.wait_output(HANG);
    assert!(status.success());
    lines.sort_by_key(|line| line.text.clone());
    let seen: Vec<_> = lines.iter().map(|line| (line.stream, line.text.as_str())).collect();
    assert_eq!(seen, [(Stream::Out, "one"), (Stream::Out, "three"), (Stream::Err, "two")]);
}

#[test]
fn a_line_is_found_again_only_behind_its_mark() {
    let mut process = Program::new("cat").stdin_pipe().start();
    process.write_line("event 1");
    let first = process.wait_line(|line| line.starts_with("event"), HANG);
    process.write_line("event 2");
    let again = process.wait_line(|line| line.starts_with("event"), HANG);
    let second = process.wait_line_after(first.mark, |line| line.starts_with("event"), HANG);
    assert_eq!((again.text.as_str(), second.text.as_str()), ("event 1", "event 2"));
    process.close_stdin();
    assert!(process.wait_exit(HANG).success());
}

#[test]
fn a_wait_in_vain_fails_with_the_whole_log_as_soon_as_the_output_ends() {
    let process = shell("echo some line; echo some trouble >&2");
    let wait = || drop(process.wait_line(|line| line == "ready", Duration::from_secs(3600)));
    let message = message(catch_unwind(AssertUnwindSafe(wait)));
    for part in ["output ended", "out | some line", "err | some trouble", "sh (pid "] {
        assert!(message.contains(part), "{part:?} is not in:\n{message}");
    }
}

#[test]
fn a_wait_that_is_over_time_fails_with_the_whole_log() {
    let process = shell("echo started; exec sleep 1000");
    process.wait_line(|line| line == "started", HANG);
    let wait = || drop(process.wait_line(|line| line == "ready", Duration::from_millis(20)));
    let message = message(catch_unwind(AssertUnwindSafe(wait)));
    assert!(message.contains("within 20ms") && message.contains("out | started"), "{message}");
}

#[test]
fn a_signal_reaches_the_program_and_its_status_tells_of_it() {
    let mut process = shell("echo up; exec sleep 1000");
    process.wait_line(|line| line == "up", HANG);
    assert_eq!(process.try_exit(), None);
    process.signal(Signal::Usr1);
    assert_eq!(process.wait_exit(HANG).signal(), Some(Signal::Usr1.number()));
    let message = message(catch_unwind(AssertUnwindSafe(|| {
        process.signal(Signal::Kill);
    })));
    assert!(message.contains("was reaped"), "{message}");
}

#[test]
fn only_a_descendant_can_be_signalled_by_its_number() {
    let process = shell("sleep 1000 & echo child $!; wait; echo waited; exec sleep 1000");
    let child = number_behind(&process, "child");
    let stranger = shell("exec sleep 1000");
    let refused = process.signal_descendant(stranger.pid(), Signal::Kill).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::NotFound);
    process.signal_descendant(child, Signal::Kill).unwrap();
    process.wait_line(|line| line == "waited", HANG);
    assert!(is_gone(child) && !is_gone(stranger.pid()));
}

#[test]
fn nothing_of_a_tree_is_left_after_the_drop() {
    let process = shell("sh -c 'sleep 1000 & echo grandchild $!; wait' & echo child $!; wait");
    let all =
        [process.pid(), number_behind(&process, "child"), number_behind(&process, "grandchild")];
    let below = proc_fs::descendants(process.pid());
    assert!(below.contains(&all[1]) && below.contains(&all[2]), "{below:?}");
    drop(process);
    assert!(all.into_iter().all(is_gone));
}

#[test]
fn a_program_that_ignores_signals_or_is_stopped_is_gone_as_well() {
    let process = shell("trap '' TERM INT HUP; echo up; while :; do sleep 1000; done");
    process.wait_line(|line| line == "up", HANG);
    process.signal(Signal::Stop);
    let pid = process.pid();
    eventually("stopped", HANG, || (proc_fs::state(pid).ok()? == 'T').then_some(()));
    drop(process);
    assert!(is_gone(pid));
}

#[test]
fn a_daemon_that_left_its_session_and_lost_its_parent_is_gone_as_well() {
    let mut process = shell("setsid -f sh -c 'echo daemon $$; exec sleep 1000'; echo end");
    let daemon = number_behind(&process, "daemon");
    assert!(process.wait_exit(HANG).success());
    assert!(!is_gone(daemon));
    drop(process);
    assert!(is_gone(daemon));
}

#[test]
fn the_children_of_a_killed_parent_are_gone_as_well() {
    let mut process = shell("sleep 1000 & echo child $!; wait");
    let child = number_behind(&process, "child");
    process.signal(Signal::Kill);
    let status = process.wait_exit(HANG);
    assert_eq!(status.signal(), Some(Signal::Kill.number()));
    drop(process);
    assert!(is_gone(child));
}

#[test]
fn a_program_that_cannot_be_started_says_why() {
    let start = || drop(Program::new("/nonexistent/program").start());
    let message = message(catch_unwind(start));
    assert!(message.contains("cannot be started") && message.contains("No such file"), "{message}");
}

#[test]
fn fixtures_that_were_built_with_the_test_are_found() {
    for (name, own) in [
        ("fixture-primary", env!("CARGO_BIN_EXE_fixture-primary")),
        ("fixture-server", env!("CARGO_BIN_EXE_fixture-server")),
    ] {
        let found = artifact::binary(name).canonicalize().unwrap();
        assert_eq!(found, Path::new(own).canonicalize().unwrap());
    }
}

#[test]
fn an_example_that_was_not_built_names_the_command_that_builds_it() {
    let find = || {
        let _ = artifact::example("never_written");
    };
    let message = message(catch_unwind(find));
    assert!(message.contains("run: cargo build --workspace --examples"), "{message}");
}

#[test]
fn a_child_is_signalled_and_nobody_else_is() {
    let process = shell("sleep 1000 & echo child $!; wait");
    let (shell, child) = (process.pid(), number_behind(&process, "child"));
    let refused = signal_child(std::process::id(), child, Signal::Kill).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::NotFound);
    signal_child(shell, child, Signal::Kill).unwrap();
    assert!(wait_dead(child, HANG));
}
