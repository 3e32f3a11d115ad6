//! What shows that a worker is ready: each sign counts, and without it a reload is rolled back.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use portcrew::{CrewNotice, Event, HttpGet, Ready, RollbackReason, Settings, WorkerHandle};
use rustix::net::{AddressFamily, SocketType};
use serde_json::{Value, json};

use crate::local::Local;
use crate::support::{HANG, SERVER};

/// Long enough for a worker that is told to be ready, and awaited in full by one that is not.
const DEADLINE: Duration = Duration::from_millis(1500);

fn settings(ready: Ready) -> Settings {
    let mut settings = Settings::program(SERVER, [""; 0]).silent();
    settings.ready = ready;
    settings.probing.every = Duration::from_millis(20);
    settings.start_deadline = DEADLINE;
    settings.stable_for = Duration::from_millis(50);
    settings
}

/// A crew of one, whose worker listens.
fn crew(settings: Settings) -> (Local, WorkerHandle) {
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    let worker = listening(&mut local);
    (local, worker)
}

/// The next worker that is started, once it listens.
fn listening(local: &mut Local) -> WorkerHandle {
    let process = started(local);
    local.until(|event| {
        matches!(event, Event::Listening { worker, .. } if *worker == process.id()).then_some(())
    });
    process
}

fn started(local: &mut Local) -> WorkerHandle {
    local.until(|event| match event {
        Event::Fork { process, .. } => Some(process.clone()),
        _ => None,
    })
}

/// `None` is a commit.
fn verdict(local: &mut Local) -> Option<RollbackReason> {
    local.until(|event| match event {
        Event::Crew(CrewNotice::ReloadCommitted { .. }) => Some(None),
        Event::Crew(CrewNotice::RolledBack { reason, .. }) => Some(Some(*reason)),
        _ => None,
    })
}

/// One reload whose newcomer only listens, and one whose newcomer is made ready.
fn is_what_counts(local: &mut Local, make_ready: impl FnOnce(&WorkerHandle)) {
    local.cluster.reload().unwrap();
    listening(local);
    assert_eq!(verdict(local), Some(RollbackReason::Deadline(DEADLINE)));
    local.cluster.reload().unwrap();
    let newcomer = listening(local);
    make_ready(&newcomer);
    assert_eq!(verdict(local), None);
}

#[test]
fn the_text_ready_counts_and_is_a_message_all_the_same() {
    let ready = |worker: &WorkerHandle| {
        worker.send(&json!({ "op": "say", "text": "ready" })).unwrap();
    };
    let (mut local, first) = crew(settings(Ready::Message));
    ready(&first);
    assert_eq!(local.message(first.id()), json!("ready"));
    is_what_counts(&mut local, ready);
}

#[test]
fn a_notification_counts_and_its_status_is_told() {
    let notify = |worker: &WorkerHandle, text: &str| {
        worker.send(&json!({ "op": "notify", "text": text })).unwrap();
    };
    let (mut local, first) = crew(settings(Ready::Notify));
    notify(&first, "STATUS=warm\nREADY=1");
    let text = local.until(|event| match event {
        Event::Status { worker, text } if *worker == first.id() => Some(text.clone()),
        _ => None,
    });
    assert_eq!(text, "warm");
    is_what_counts(&mut local, |newcomer| notify(newcomer, "READY=1"));
}

#[test]
fn a_connection_that_is_accepted_counts() {
    // Bound, so that nobody else has the port, and not listening: it refuses.
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    let (mut local, _) = crew(settings(Ready::TcpConnect(address)));
    is_what_counts(&mut local, |_| rustix::net::listen(&socket, 16).unwrap());
}

#[test]
fn the_wanted_status_counts_and_no_other() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let status = Arc::new(AtomicU16::new(503));
    let answered = Arc::clone(&status);
    // It ends with the test's process, as all that it serves.
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 512];
            let read = stream.read(&mut request).unwrap_or(0);
            let is_right = request[..read].starts_with(b"GET /health HTTP/1.1\r\n");
            let status = if is_right { answered.load(Ordering::SeqCst) } else { 400 };
            // In two pieces, as a slow server may.
            let _ = stream.write_all(b"HTTP/1.");
            let _ = stream.write_all(format!("1 {status} So\r\n\r\n").as_bytes());
        }
    });
    let get = HttpGet::new(address, "/health").status(204);
    let (mut local, _) = crew(settings(Ready::HttpGet(get)));
    is_what_counts(&mut local, |_| status.store(204, Ordering::SeqCst));
}

#[test]
fn a_program_that_says_nothing_is_ready_when_it_has_lived_for_the_stable_time() {
    let mut never_listens = Settings::program("sleep", ["1000"]);
    never_listens.ready = Ready::Alive;
    never_listens.stable_for = Duration::from_millis(100);
    let mut local = Local::new(never_listens);
    local.cluster.start(1).unwrap();
    started(&mut local);
    local.cluster.reload().unwrap();
    assert_eq!(verdict(&mut local), None);
    local.cluster.setup_with(|it| it.args = vec!["no-number".into()]).unwrap();
    local.cluster.reload().unwrap();
    assert!(matches!(verdict(&mut local), Some(RollbackReason::Exited(_))));
}

#[test]
fn a_worker_knows_its_slot_and_its_generation_and_nothing_that_was_said_to_its_primary() {
    let read = |local: &mut Local, worker: &WorkerHandle| -> [Option<String>; 4] {
        let path = format!("/proc/{}/environ", worker.pid());
        let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
        let value = |name: &str| {
            let mut all = text.split('\0').filter_map(|it| it.split_once('='));
            all.find(|it| it.0 == name).map(|it| it.1.to_owned())
        };
        // It answers, so it has been executed: before that the kernel shows nothing.
        let _: Value = local.run(worker.request(&json!(1), HANG)).unwrap();
        ["PORTCREW_SLOT", "NODE_APP_INSTANCE", "PORTCREW_GENERATION", "NOTIFY_SOCKET"].map(value)
    };
    let some = |text: &str| Some(text.to_owned());
    let mut local = Local::new(settings(Ready::Listening));
    local.cluster.start(2).unwrap();
    let (first, second) = (listening(&mut local), listening(&mut local));
    assert_eq!(read(&mut local, &first), [some("0"), some("0"), some("0"), None]);
    assert_eq!(read(&mut local, &second), [some("1"), some("1"), some("0"), None]);
    local.cluster.reload().unwrap();
    let newcomer = listening(&mut local);
    assert_eq!(read(&mut local, &newcomer), [some("0"), some("0"), some("1"), None]);
    assert_eq!(verdict(&mut local), None);
}
