//! Workers that were ready and hang are ended and replaced, and the reason is told.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use portcrew::{
    CrewNotice, Event, Liveness, Ready, RollbackReason, Settings, Signal, WorkerHandle,
};
use portcrew_testkit::http::Load;
use serde_json::json;

use crate::local::Local;
use crate::support::{HANG, SERVER};

fn settings(ready: Ready, change: impl FnOnce(&mut Liveness)) -> Settings {
    let mut liveness = Liveness::default();
    change(&mut liveness);
    let mut settings = Settings::program(SERVER, [""; 0]).silent();
    (settings.ready, settings.liveness) = (ready, liveness);
    settings.stable_for = Duration::from_millis(50);
    settings
}

/// The first worker of a crew of one, once it listens, and where.
fn first(local: &mut Local) -> (WorkerHandle, SocketAddr) {
    local.cluster.start(1).unwrap();
    let worker = local.until(|event| match event {
        Event::Fork { process, .. } => Some(process.clone()),
        _ => None,
    });
    let port = local.until(|event| match event {
        Event::Listening { address, .. } => address.port,
        _ => None,
    });
    (worker, (Ipv4Addr::LOCALHOST, port).into())
}

fn replaced(local: &mut Local) -> RollbackReason {
    let reason = local.until(|event| match event {
        Event::Crew(CrewNotice::Restarting { reason, .. }) => Some(*reason),
        _ => None,
    });
    local.until(|event| matches!(event, Event::Exit { .. }).then_some(()));
    local.until(|event| matches!(event, Event::Listening { .. }).then_some(()));
    reason
}

#[test]
fn a_worker_whose_probes_fail_is_replaced() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let mut local = Local::new(settings(Ready::TcpConnect(address), |it| {
        (it.every, it.failures) = (Some(Duration::from_millis(50)), 2);
    }));
    first(&mut local);
    listener.set_nonblocking(true).unwrap();
    local.run(async {
        // A probe has come, and the kernel has answered it.
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        listener.accept().await.unwrap();
    });
    assert_eq!(replaced(&mut local), RollbackReason::ProbesFailed(2));
}

#[test]
fn a_worker_that_gives_no_sign_of_life_is_replaced() {
    let within = Duration::from_secs(1);
    let mut local = Local::new(settings(Ready::Notify, |it| it.watchdog = Some(within)));
    let (worker, _) = first(&mut local);
    worker.send(&json!({ "op": "notify", "text": "READY=1\nWATCHDOG=1" })).unwrap();
    assert_eq!(replaced(&mut local), RollbackReason::SignMissed(within));
}

#[test]
fn a_worker_that_is_being_ended_gets_no_connection_more() {
    let mut settings = settings(Ready::Notify, |it| it.watchdog = Some(Duration::from_secs(1)));
    // One that is ignored: it would serve on.
    settings.hang_signal = Signal::from_name("SIGWINCH");
    settings.kill_after = HANG;
    let mut local = Local::new(settings);
    let (worker, address) = first(&mut local);
    worker.send(&json!({ "op": "notify", "text": "READY=1\nWATCHDOG=1" })).unwrap();
    let successor = local.until(|event| match event {
        Event::Listening { worker: id, .. } if *id != worker.id() => Some(*id),
        _ => None,
    });
    let (answered, answers) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Who waits for it is there, or the test has failed.
        let _ = answered.send(Load::new(address).requests(20).per_try_timeout(HANG).run());
    });
    // The cluster goes on in this thread.
    let report = local.run(answers).unwrap();
    report.assert_all_ok();
    let by: Vec<_> = report.by_worker.into_keys().collect();
    assert_eq!(by, [successor.to_string()]);
    assert!(!worker.is_dead(), "it was there all the time");
}

#[test]
fn a_worker_that_does_not_answer_a_connection_is_replaced_and_another_answers_it() {
    let within = Duration::from_secs(1);
    let mut local = Local::new(settings(Ready::Listening, |it| it.answer_within = Some(within)));
    let (worker, address) = first(&mut local);
    // Stopped, it cannot even obey SIGTERM: only SIGKILL ends it.
    worker.kill(Signal::from_name("SIGSTOP").unwrap());
    let (answered, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        answered.send(client.read_to_string(&mut answer).map(|_| answer))
    });
    let reason = replaced(&mut local);
    assert!(matches!(reason, RollbackReason::Unanswered(waited) if waited >= within), "{reason:?}");
    // The cluster goes on in this thread.
    let answer = local.run(answer).unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
