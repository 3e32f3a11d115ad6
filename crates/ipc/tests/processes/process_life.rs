//! The end of a process: its status, its signals, and who may still be reached afterwards.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs::File;
use std::future::poll_fn;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;

use portcrew_ipc::spawn::{Spawned, Stdio, spawn};
use tokio::time::timeout;

use crate::children::{run, shell, text};
use crate::common::DEADLINE;

/// A shell that runs until it is killed, with its output on a pipe.
fn sleeper(script: &str) -> Spawned {
    let mut spec = shell(script);
    spec.stdout = Stdio::Piped;
    spawn(&spec).unwrap()
}

#[tokio::test]
async fn exit_codes_and_signals_are_told_apart() {
    assert_eq!(run(shell("exit 7")).await.status.code(), Some(7));
    let killed = run(shell("kill -TERM $$")).await.status;
    assert_eq!((killed.code(), killed.signal()), (None, Some(15)));
}

#[tokio::test]
async fn the_status_can_be_asked_for_again() {
    let mut process = spawn(&shell("exit 3")).unwrap().process;
    let status = process.wait().await.unwrap();
    assert_eq!(status.code(), Some(3));
    assert_eq!(process.wait().await.unwrap(), status);
    assert_eq!(process.try_wait().unwrap(), Some(status));
    assert_eq!(process.exit_status(), Some(status));
}

#[tokio::test]
async fn a_signal_reaches_the_process_and_is_refused_after_the_reap() {
    let mut process = sleeper("exec sleep 1000").process;
    assert_eq!(process.try_wait().unwrap(), None);
    process.signal(15).unwrap();
    assert_eq!(process.wait().await.unwrap().signal(), Some(15));
    for refused in [process.signal(15), process.signal_group(15)] {
        assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }
    // The kernel itself refuses too: a pidfd never means another process.
    let by_kernel = rustix::process::pidfd_send_signal(&process, rustix::process::Signal::TERM);
    assert_eq!(by_kernel, Err(rustix::io::Errno::SRCH));
}

#[tokio::test]
async fn a_number_that_is_no_signal_is_refused() {
    let mut spawned = sleeper("exec sleep 1000");
    for number in [0, -9, 1000] {
        let error = spawned.process.signal(number).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
    spawned.process.signal(9).unwrap();
    spawned.process.wait().await.unwrap();
}

#[tokio::test]
async fn a_group_signal_ends_what_the_child_started() {
    let mut spawned = sleeper("sleep 1000 & echo started; wait");
    let mut output = File::from(spawned.stdout.take().unwrap());
    let mut started = [0; 8];
    output.read_exact(&mut started).unwrap();
    spawned.process.signal_group(9).unwrap();
    assert_eq!(spawned.process.wait().await.unwrap().signal(), Some(9));
    // The end of the pipe: no process of the group holds it any more.
    let rest = timeout(DEADLINE, text(Some(output.into()))).await.unwrap().unwrap();
    assert_eq!(rest, "");
}

#[tokio::test]
async fn stragglers_of_a_dead_leader_can_be_ended_before_the_reap() {
    let mut spawned = sleeper("sleep 1000 & exit 0");
    let process = &mut spawned.process;
    poll_fn(|cx| process.poll_dead(cx)).await.unwrap();
    assert_eq!(process.exit_status(), None);
    process.signal_group(9).unwrap();
    assert_eq!(process.wait().await.unwrap().code(), Some(0));
    let output = timeout(DEADLINE, text(spawned.stdout)).await.unwrap().unwrap();
    assert_eq!(output, "");
}

#[tokio::test]
async fn a_group_is_not_signalled_after_the_reap_even_if_it_still_exists() {
    let mut spawned = sleeper("sleep 1000 & echo $!");
    let mut output = BufReader::new(File::from(spawned.stdout.take().unwrap()));
    let mut straggler = String::new();
    output.read_line(&mut straggler).unwrap();
    assert!(spawned.process.wait().await.unwrap().success());
    let refused = spawned.process.signal_group(9).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::ESRCH));
    // It lives: nobody but this signal ends it.
    let pid = rustix::process::Pid::from_raw(straggler.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
}

#[tokio::test]
async fn a_group_that_is_shared_with_us_is_never_signalled() {
    let spec = shell("exit 0").own_process_group(false);
    let mut process = spawn(&spec).unwrap().process;
    let error = process.signal_group(9).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    assert!(process.wait().await.unwrap().success());
}

#[test]
fn a_dropped_process_runs_on() {
    let spec = shell("cat").stdio(Stdio::Piped, Stdio::Piped, Stdio::Inherit);
    let Spawned { process, stdin, stdout, .. } = spawn(&spec).unwrap();
    drop(process);
    let mut stdin = File::from(stdin.unwrap());
    stdin.write_all(b"alive").unwrap();
    drop(stdin);
    let answer = std::io::read_to_string(File::from(stdout.unwrap())).unwrap();
    assert_eq!(answer, "alive");
}

#[test]
fn waiting_without_a_runtime_is_an_error_that_costs_nothing() {
    let mut process = spawn(&shell("exit 4")).unwrap().process;
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(process.poll_exit(&mut cx), std::task::Poll::Ready(Err(_))));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    assert_eq!(runtime.block_on(process.wait()).unwrap().code(), Some(4));
}

#[tokio::test]
async fn a_child_that_other_code_waited_for_is_reported_as_such() {
    let mut process = spawn(&shell("exit 0")).unwrap().process;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(process.pid()).unwrap());
    nix::sys::wait::waitpid(pid, None).unwrap();
    let error = timeout(DEADLINE, process.wait()).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("other code in this process has waited"), "{error}");
    assert_eq!(process.signal(9).unwrap_err().raw_os_error(), Some(libc::ESRCH));
}

#[tokio::test]
async fn two_hundred_ends_at_once_are_all_seen() {
    let spec = shell("read line; exit 5").stdio(Stdio::Piped, Stdio::Inherit, Stdio::Inherit);
    let mut children: Vec<Spawned> = (0..200).map(|_| spawn(&spec).unwrap()).collect();
    for child in &mut children {
        drop(child.stdin.take());
    }
    for child in &mut children {
        let status = timeout(DEADLINE, child.process.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(5));
    }
}
