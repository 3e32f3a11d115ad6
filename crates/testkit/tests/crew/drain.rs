//! The ways of telling a worker to leave.

use std::time::Duration;

use portcrew::{Drain, Event, Outcome, Ready, Settings, Signal};
use portcrew_testkit::http::Load;
use portcrew_testkit::process::proc_fs;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::local::Local;
use crate::support::{Crew, HANG, SERVER, primary};

#[test]
fn a_reload_by_the_text_shutdown_fails_no_request() {
    let mut crew = Crew::start(primary(SERVER).env("STABLE_MS", "100").env("DRAIN", "shutdown"));
    crew.tell("start 2");
    let address = crew.listening(2);
    let load = Load::new(address).clients(8).background();
    load.wait_answered(100, HANG);
    let old = proc_fs::children(crew.pid()).unwrap();
    crew.tell("reload");
    crew.next_where("crew", |it| it["notice"].as_str().unwrap().contains("Committed"));
    for _ in 0..2 {
        crew.next_where("message", |it| it["message"]["told"] == "shutdown");
        let exit = crew.next("exit");
        assert_eq!((&exit["code"], &exit["planned"]), (&0.into(), &true.into()), "{exit}");
    }
    load.wait_answered(100, HANG);
    load.finish().assert_all_ok();
    let now = proc_fs::children(crew.pid()).unwrap();
    assert!(now.iter().all(|pid| !old.contains(pid)), "{old:?} {now:?}");
}

/// How a worker of the shell ends that has said a line and is then told to leave.
fn ends_with(script: &str, change: impl FnOnce(&mut Settings)) -> (Option<i32>, Outcome) {
    let folder = tempfile::tempdir().unwrap();
    let [said, never] = ["said", "never"].map(|name| folder.path().join(name));
    for pipe in [&said, &never] {
        mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }
    // Nothing is ever written to the second pipe: the shell waits there, and a signal whose trap is set ends that.
    let (to, from) = (said.display(), never.display());
    let script = format!("{script}; echo > '{to}'; while :; do read -r line <> '{from}'; done");
    let mut settings = Settings::program("sh", ["-c", &script]);
    settings.ready = Ready::Alive;
    settings.stable_for = Duration::from_millis(50);
    change(&mut settings);
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    local.run(async {
        let said = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&said).unwrap();
        said.readable().await.unwrap();
    });
    local.cluster.stop().unwrap();
    let code = local.until(|event| match event {
        Event::Exit { status, .. } => Some(status.code()),
        _ => None,
    });
    let outcome = local.until(|event| match event {
        Event::Finished(outcome) => Some(*outcome),
        _ => None,
    });
    (code, outcome)
}

#[test]
fn a_signal_of_ones_own_is_the_word_to_leave() {
    let by_signal = |it: &mut Settings| it.drain = Drain::Signal(Signal::User1);
    assert_eq!(ends_with("trap 'exit 5' USR1", by_signal), (Some(5), Outcome::Stopped));
}

#[test]
fn a_program_that_does_not_leave_gets_the_stop_signal_that_was_set() {
    let by_interrupt = |it: &mut Settings| {
        (it.drain, it.stop_signal) = (Drain::Signal(Signal::User1), Signal::Interrupt);
        it.grace = Duration::from_millis(100);
    };
    let script = "trap '' USR1; trap 'exit 6' INT";
    assert_eq!(ends_with(script, by_interrupt), (Some(6), Outcome::Stopped));
}

#[test]
fn a_program_that_never_spoke_gets_the_stop_signal_at_once() {
    let in_words = |it: &mut Settings| {
        (it.drain, it.stop_signal) = (Drain::Message("shutdown".to_owned()), Signal::Interrupt);
    };
    assert_eq!(ends_with("trap 'exit 7' INT", in_words), (Some(7), Outcome::Stopped));
}
