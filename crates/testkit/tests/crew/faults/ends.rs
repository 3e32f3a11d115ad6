//! However a worker ends: how is told exactly, and the others serve.

use std::os::unix::process::ExitStatusExt as _;

use portcrew::{Event, Settings};
use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::local::Local;
use crate::stage::skip;
use crate::support::{Crew, HANG, ROLE, SERVER, primary};

#[test]
fn the_signal_that_ended_a_worker_is_told_and_the_others_serve() {
    // Rust's own handler takes a SIGSEGV that somebody sends for none; below it ends another program.
    for signal in [Signal::Kill, Signal::Abrt, Signal::Quit] {
        let mut crew = Crew::start(primary(SERVER));
        let address = crew.fork(2);
        let victim = crew.next("fork")["pid"].as_u64().unwrap();
        crew.process.signal_descendant(u32::try_from(victim).unwrap(), signal).unwrap();
        let exit = crew.next("exit");
        let told = (&exit["worker"], &exit["signal"], &exit["code"]);
        assert_eq!(told, (&json!(1), &json!(signal.number()), &json!(null)));
        let report = Load::new(address).clients(4).requests(100).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker.keys().collect::<Vec<_>>(), ["2"], "{report}");
    }
}

#[test]
fn whether_the_kernel_kept_a_core_is_told_too() {
    let directory = tempfile::tempdir().unwrap();
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let is_file = !pattern.starts_with(['|', '/']);
    for size in [Some(0), None] {
        let mut settings = Settings::program("sleep", ["100000"]);
        settings.cwd = Some(directory.path().to_owned());
        settings.helper = Some(ROLE.into());
        let mut local = Local::new(settings);
        let worker = local.fork();
        // Before that it is the helper's process, and in our own directory.
        let comm = format!("/proc/{}/comm", worker.pid());
        eventually("it has become the program", HANG, || {
            (std::fs::read_to_string(&comm).ok()? == "sleep\n").then_some(())
        });
        let limit = Rlimit { current: size, maximum: size };
        let pid = Pid::from_raw(i32::try_from(worker.pid()).unwrap());
        if prlimit(pid, Resource::Core, limit).is_err() {
            skip::<()>("this user may not raise the limit of core files");
            return;
        }
        worker.kill(portcrew::Signal::from_name("SIGSEGV").unwrap());
        let status = local.until(|event| match event {
            Event::Exit { status, .. } => Some(*status),
            _ => None,
        });
        assert_eq!(status.signal(), Some(Signal::Segv.number()));
        // A program of the system's own may refuse what it is given, and a fixed directory may not be there.
        if size == Some(0) || is_file {
            assert_eq!(status.core_dumped(), size.is_none(), "{size:?}, {pattern}");
        }
    }
}
