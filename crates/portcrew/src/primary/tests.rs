//! The ends of a primary: dropped, stopped, and with a worker whose status somebody else took.

use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal as System, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Cluster, Signal, WorkerHandle};
use crate::{Event, Outcome, Settings};

/// Only detects a hang.
const HANG: Duration = Duration::from_secs(30);

/// Leaves when it is told anything, and the first word of a primary is that it should.
const OBEDIENT: &str = "read line <&3";

/// Never listens, and is gone in the end whatever becomes of its test.
const DEAF: &str = "exec sleep 120";

fn shell(script: &str) -> Cluster {
    let mut settings = Settings::program("/bin/sh", ["-c", script]);
    settings.lane = false;
    Cluster::new(settings).unwrap()
}

/// Waits until the primary's task has ended: nobody receives its commands any more.
async fn task_ended(handle: &WorkerHandle) {
    timeout(HANG, handle.commands.closed()).await.expect("the primary's task ends");
}

async fn exit(cluster: &mut Cluster) -> ExitStatus {
    loop {
        let event = timeout(HANG, cluster.next_event()).await.expect("an event").unwrap();
        if let Event::Exit { status, .. } = event {
            return status;
        }
    }
}

/// The exits, in order, up to the end of the cluster.
async fn exits_to_the_end(cluster: &mut Cluster) -> Vec<Event> {
    let mut events = Vec::new();
    while !matches!(events.last(), Some(Event::Finished(_))) {
        let event = timeout(HANG, cluster.next_event()).await.expect("an event").unwrap();
        if matches!(event, Event::Exit { .. } | Event::Finished(_)) {
            events.push(event);
        }
    }
    events
}

#[tokio::test]
async fn a_dropped_cluster_asks_its_workers_to_leave_and_ends() {
    let cluster = shell(OBEDIENT);
    let handle = cluster.fork().await.unwrap();
    drop(cluster);
    task_ended(&handle).await;
    assert!(handle.exit_status().unwrap().success());
    assert_eq!(handle.exited_after_disconnect(), Some(true));
}

#[tokio::test]
async fn nothing_stays_in_the_group_of_a_worker_that_was_told_to_leave() {
    let mut settings = Settings::program("/bin/sh", ["-c", "sleep 120 & read line <&3"]);
    settings.lane = false;
    settings.stdout = crate::Stdio::Piped;
    let cluster = Cluster::new(settings).unwrap();
    let worker = cluster.fork().await.unwrap();
    let mut held_by_both = worker.take_stdout().unwrap();
    worker.disconnect();
    // The end of the pipe comes when the last who holds it is gone.
    let mut output = Vec::new();
    let end = held_by_both.read_to_end(&mut output);
    timeout(HANG, end).await.expect("what the worker started ends too").unwrap();
    drop(cluster);
}

#[tokio::test]
async fn a_worker_reads_what_is_written_to_its_standard_input() {
    let mut settings = Settings::program("/bin/sh", ["-c", "read line; echo \"got $line\""]);
    settings.stdin = crate::Stdio::Piped;
    settings.stdout = crate::Stdio::Piped;
    let cluster = Cluster::new(settings).unwrap();
    let worker = cluster.fork().await.unwrap();
    let mut input = worker.take_stdin().unwrap();
    assert!(worker.take_stdin().is_none());
    timeout(HANG, input.write_all(b"a line\n")).await.expect("it reads").unwrap();
    let (mut stdout, mut output) = (worker.take_stdout().unwrap(), String::new());
    timeout(HANG, stdout.read_to_string(&mut output)).await.expect("it ends").unwrap();
    assert_eq!(output, "got a line\n");
}

#[tokio::test]
async fn what_was_sent_before_the_order_to_leave_comes_before_it() {
    // It tells the second line that it is given, and leaves.
    let mut cluster = shell(r#"read one <&3; read two <&3; printf '%s\n' "$two" >&3"#);
    let worker = cluster.fork().await.unwrap();
    let (_client, socket) = std::os::unix::net::UnixStream::pair().unwrap();
    worker.send("first").unwrap();
    worker.send_message(crate::Message::new("second").unwrap(), None).unwrap();
    worker.send_with("never acknowledged", socket).unwrap();
    worker.disconnect();
    let message = loop {
        let event = timeout(HANG, cluster.next_event()).await.expect("an event").unwrap();
        if let Event::Message { message, .. } = event {
            break message;
        }
    };
    assert_eq!(message.as_str(), r#""second""#);
}

#[tokio::test]
async fn a_worker_that_does_not_leave_a_dropped_cluster_can_still_be_killed() {
    let cluster = shell(DEAF);
    let handle = cluster.fork().await.unwrap();
    drop(cluster);
    handle.kill(Signal::Kill);
    task_ended(&handle).await;
    assert!(handle.is_dead());
}

#[tokio::test]
async fn stopping_workers_without_a_crew_lets_them_leave_and_finishes_after_them() {
    let mut cluster = shell(OBEDIENT);
    cluster.fork().await.unwrap();
    cluster.fork().await.unwrap();
    cluster.stop().unwrap();
    let events = exits_to_the_end(&mut cluster).await;
    let [Event::Exit { status, planned: true, .. }, Event::Exit { .. }, Event::Finished(outcome)] =
        &events[..]
    else {
        panic!("{events:?}");
    };
    assert!(status.success(), "{status}");
    assert_eq!(*outcome, Outcome::Stopped);
}

#[tokio::test]
async fn stopping_workers_without_a_crew_at_once_kills_them() {
    for again in [false, true] {
        let mut cluster = shell(DEAF);
        cluster.fork().await.unwrap();
        if again {
            cluster.stop().unwrap();
            cluster.stop().unwrap();
        } else {
            cluster.stop_now().unwrap();
        }
        let events = exits_to_the_end(&mut cluster).await;
        assert!(
            matches!(events[..], [Event::Exit { .. }, Event::Finished(Outcome::Stopped)]),
            "{events:?}"
        );
    }
}

#[tokio::test]
async fn a_worker_whose_status_somebody_else_took_is_dead_all_the_same() {
    let mut cluster = shell(DEAF);
    let handle = cluster.fork().await.unwrap();
    let pid = Pid::from_raw(i32::try_from(handle.pid()).unwrap()).unwrap();
    // The primary's task runs on this thread, so it cannot be the first to look.
    kill_process(pid, System::KILL).unwrap();
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED).unwrap();
    let status = exit(&mut cluster).await;
    assert_eq!((status.code(), status.success()), (None, false));
    assert!(handle.is_dead());
}

#[tokio::test]
async fn a_channel_that_is_closed_without_a_word_ends_unplanned_after_what_was_sent() {
    // The shell reads what it is told, then waits for the end of the channel.
    let mut cluster =
        shell("read line <&3; while read -r more <&3; do :; done; test \"$line\" = '\"last\"'");
    let handle = cluster.fork().await.unwrap();
    handle.send("last").unwrap();
    handle.close_channel();
    handle.close_channel();
    let planned = loop {
        let event = timeout(HANG, cluster.next_event()).await.expect("an event").unwrap();
        if let Event::Disconnect { planned, .. } = event {
            break planned;
        }
    };
    assert!(!planned && !handle.is_connected());
    let exit = exit(&mut cluster).await;
    assert!(exit.success(), "{exit}");
    assert_eq!(handle.exited_after_disconnect(), Some(false));
}

/// Says a string of 1 MiB as often as this.
fn talkative(times: usize) -> String {
    let line = r#"printf '"' >&3; head -c 1048576 /dev/zero | tr '\0' x >&3; printf '"\n' >&3"#;
    format!("for i in $(seq {times}); do {line}; done")
}

#[tokio::test]
async fn what_a_worker_says_to_a_user_who_does_not_read_is_bounded_in_bytes() {
    const MIB: usize = 1024 * 1024;
    let said = crate::EVENTS_BYTES / MIB + 10;
    let mut cluster = shell(&talkative(said));
    let worker = cluster.fork().await.unwrap();
    let gone = async {
        while worker.is_connected() || !worker.is_dead() {
            tokio::task::yield_now().await;
        }
    };
    timeout(HANG, gone).await.expect("it ends");
    let (mut bytes, mut messages, mut lost, mut ended) = (0, 0, 0, false);
    while !ended {
        match timeout(HANG, cluster.next_event()).await.expect("an event").unwrap() {
            Event::Message { message, .. } => {
                bytes += message.as_str().len();
                messages += 1;
            }
            Event::Lagged { dropped } => lost += dropped,
            Event::Exit { .. } => ended = true,
            _ => {}
        }
    }
    assert!(bytes <= crate::EVENTS_BYTES, "{bytes}");
    assert!(messages > 0);
    // The end itself may be told before the last words.
    assert!(messages + usize::try_from(lost).unwrap() <= said);
}

#[tokio::test]
async fn a_worker_is_told_to_leave_behind_as_many_messages_as_may_wait() {
    let script = r#"sed -n '/"act":"disconnect"/{=;q}' <&3"#;
    let mut settings = Settings::program("/bin/sh", ["-c", script]).silent();
    settings.lane = false;
    let cluster = Cluster::new(settings).unwrap();
    let worker = cluster.fork().await.unwrap();
    let mut output = worker.take_stdout().unwrap();
    for _ in 0..crate::OUTGOING_LIMIT {
        worker.send(&1).unwrap();
    }
    worker.disconnect();
    let mut line = String::new();
    timeout(HANG, output.read_to_string(&mut line)).await.expect("it leaves").unwrap();
    assert_eq!(line.trim_end(), (crate::OUTGOING_LIMIT + 1).to_string());
}
