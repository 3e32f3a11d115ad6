//! The primary as a service of systemd, which a datagram socket plays here: what it is told, over a whole life.

use std::fs;
use std::io;
use std::os::unix::net::UnixDatagram;

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, proc_fs};
use portcrew_testkit::require_node;
use rustix::time::{ClockId, clock_gettime};

use crate::crew::{Crew, HANG, portcrew};

/// A service manager with one service.
struct Manager {
    directory: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(HANG)).unwrap();
        Self { directory, socket }
    }

    /// The service, with two workers of a script that `next_release` replaces.
    fn starts(&self, variables: &[(&str, &str)]) -> Crew {
        self.next_release("hello.js");
        let mut program =
            portcrew("run").env("NOTIFY_SOCKET", self.directory.path().join("notify"));
        for (name, value) in variables {
            program = program.env(name, value);
        }
        Crew {
            process: program.args(["-w", "2"]).arg(self.directory.path().join("server.js")).start(),
        }
    }

    fn next_release(&self, name: &str) {
        fs::copy(fixture(name), self.directory.path().join("server.js")).unwrap();
    }

    /// The next datagram. The standard library does not go on by itself when a signal comes to this process meanwhile.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.socket.recv(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => return received,
            }
        }
    }

    /// The next message in which that stands.
    fn hears(&self, wanted: &str) -> Vec<String> {
        let mut buffer = [0; 1024];
        loop {
            let length = self.receive(&mut buffer).expect(wanted);
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            if lines.iter().any(|line| line == wanted) {
                return lines;
            }
            let is_early = lines.iter().any(|line| line == "READY=1" || line == "STOPPING=1");
            assert!(!is_early, "{text:?} came before {wanted:?}");
        }
    }

    /// What `Type=notify-reload` does: SIGHUP, then an answer that is younger than the signal, then the verdict.
    fn reloads(&self, crew: &Crew) -> Vec<String> {
        let before = clock_gettime(ClockId::Monotonic);
        let before = before.tv_sec * 1_000_000 + before.tv_nsec / 1_000;
        crew.process.signal(Signal::Hup);
        let begun = self.hears("RELOADING=1");
        let at: i64 = begun[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
        assert!(at >= before, "{at} is older than the signal, {before}");
        assert_eq!(begun[2], "STATUS=reload: 0 of 2 replaced");
        self.hears("READY=1")
    }
}

#[test]
fn a_whole_life_is_told_start_reload_rollback_and_stop() {
    let _node = require_node!();
    let manager = Manager::new();
    let mut crew = manager.starts(&[]);
    let ready = manager.hears("READY=1");
    let main_pid = format!("MAINPID={}", crew.process.pid());
    assert_eq!(ready, ["READY=1", &main_pid, "STATUS=2 of 2 workers ready"]);

    let done = manager.reloads(&crew);
    assert_eq!(done, ready);

    manager.next_release("broken.js");
    let undone = manager.reloads(&crew);
    let status = undone[2].strip_prefix("STATUS=2 of 2 workers ready; ").unwrap();
    assert!(status.starts_with("the last reload was rolled back: new worker "), "{status}");
    assert!(status.ends_with(" exited with status 1"), "{status}");

    crew.process.signal(Signal::Term);
    assert_eq!(manager.hears("STOPPING=1"), ["STOPPING=1", "STATUS=stopping"]);
    assert_eq!(crew.status(), 0);
}

#[test]
fn a_crew_of_a_program_that_never_listens_is_ready_by_what_it_is_said_to_be_ready_by() {
    let _node = require_node!();
    let manager = Manager::new();
    let program = portcrew("run").env("NOTIFY_SOCKET", manager.directory.path().join("notify"));
    let program = program.args(["-w", "1", "--ready", "alive"]).arg(fixture("never_listens.js"));
    let crew = Crew { process: program.start() };
    assert_eq!(manager.hears("READY=1")[2], "STATUS=1 of 1 worker ready");
    crew.says("worker 1 is ready");
}

#[test]
fn a_worker_that_dies_is_told_in_the_status_and_a_crew_that_fails_stops() {
    let _node = require_node!();
    let manager = Manager::new();
    let crew = manager.starts(&[]);
    manager.hears("READY=1");
    let victim = *crew.pids().first().unwrap();
    crew.process.signal_descendant(victim, Signal::Kill).unwrap();
    manager.hears("STATUS=1 of 2 workers ready");
    manager.hears("STATUS=2 of 2 workers ready");
    drop(crew);
    let mut failing = manager.starts(&[]);
    manager.next_release("broken.js");
    manager.hears("STOPPING=1");
    assert_eq!(failing.status(), 1);
}

#[test]
fn the_watchdog_hears_that_the_loop_turns_and_not_from_a_primary_that_hangs() {
    let _node = require_node!();
    let manager = Manager::new();
    let crew = manager.starts(&[("WATCHDOG_USEC", "100000")]);
    manager.hears("READY=1");
    (0..5).for_each(|_| drop(manager.hears("WATCHDOG=1")));
    crew.process.signal(Signal::Stop);
    let is_stopped = || (proc_fs::state(crew.process.pid()).unwrap() == 'T').then_some(());
    portcrew_testkit::process::eventually("it is stopped", HANG, is_stopped);
    manager.socket.set_nonblocking(true).unwrap();
    while manager.receive(&mut [0; 64]).is_ok() {}
    manager.socket.set_nonblocking(false).unwrap();
    manager.socket.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    let silence = manager.receive(&mut [0; 64]).expect_err("a process that is stopped is silent");
    assert_eq!(silence.kind(), io::ErrorKind::WouldBlock);
    crew.process.signal(Signal::Cont);
    manager.socket.set_read_timeout(Some(HANG)).unwrap();
    manager.hears("WATCHDOG=1");
}

#[test]
fn what_the_manager_says_to_the_service_is_not_passed_on_to_its_workers() {
    let _node = require_node!();
    let manager = Manager::new();
    let variables = [("WATCHDOG_USEC", "60000000"), ("WATCHDOG_PID", "1"), ("LOUD", "1")];
    let crew = manager.starts(&variables);
    manager.hears("READY=1");
    for pid in crew.pids() {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
        let has = |name: &str| {
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|it| it.starts_with(name.as_bytes()))
        };
        assert!(has("LOUD="));
        for name in ["NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="] {
            assert!(!has(name), "{name} reached a worker");
        }
    }
}

#[test]
fn a_manager_that_cannot_be_reached_is_named_and_the_crew_serves() {
    let _node = require_node!();
    let program = portcrew("run").env("NOTIFY_SOCKET", "vsock:2:1234").args(["-w", "1"]);
    let crew = Crew { process: program.arg(fixture("hello.js")).start() };
    crew.says("the service manager that NOTIFY_SOCKET names is not told of anything any more: ");
    crew.serving(1);
}
