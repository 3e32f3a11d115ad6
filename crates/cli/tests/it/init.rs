//! The primary as process 1 of a PID namespace, as in a container, and with `--init` where it is another: orphans are
//! waited for, signals reach whom they are for, and the status says how it ended.

use std::io::Write as _;
use std::process::{Command, Stdio};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Process, Program, Signal, eventually, proc_fs};
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG, portcrew};

/// The start of a process in a namespace of its own, which ends with the process that asks for it.
pub(crate) const NAMESPACE: [&str; 5] = ["--pid", "--fork", "--mount-proc", "--kill-child", "--"];

/// Whether this machine lets us; says so visibly where it does not.
pub(crate) fn may_unshare() -> bool {
    let tried = Command::new("unshare").args(NAMESPACE).arg("true").stderr(Stdio::null()).status();
    let may = tried.is_ok_and(|status| status.success());
    if !may {
        // Written to the descriptor itself: the test framework hides what `eprintln!` writes in a passing test.
        let _ = writeln!(std::io::stderr(), "skipped: no PID namespace can be made here");
    }
    may
}

/// `portcrew run` as process 1.
fn first(program: Program) -> Process {
    program.through("unshare", NAMESPACE).start()
}

/// Process 1 of the namespace as it is known outside.
fn outside(process: &Process) -> u32 {
    eventually("it has started", HANG, || {
        proc_fs::children(process.pid()).unwrap().first().copied()
    })
}

fn zombies(of: u32) -> usize {
    let is_one = |pid: &u32| proc_fs::state(*pid).is_ok_and(|state| state == 'Z');
    proc_fs::children(of).unwrap().iter().filter(|pid| is_one(pid)).count()
}

/// Has the workers of `primary` leave orphans, and looks that none of them stays.
fn assert_orphans_are_waited_for(crew: &Crew, primary: u32) {
    let load = Load::new(crew.serving(2)).clients(4).requests(40).run();
    load.assert_all_ok();
    // They live for a moment after the answer.
    eventually("no orphan is left", HANG, || {
        let left = proc_fs::children(primary).unwrap().len();
        (left == 2 && zombies(primary) == 0).then_some(())
    });
    // The statuses of workers are still the library's.
    let victim = proc_fs::children(primary).unwrap()[0];
    crew.process.signal_descendant(victim, Signal::Kill).unwrap();
    crew.says("was ended by SIGKILL; a new one starts in ");
}

#[test]
fn process_1_waits_for_orphans_and_knows_how_its_own_workers_ended() {
    let _node = require_node!();
    if !may_unshare() {
        return;
    }
    let program = portcrew("run").args(["-w", "2"]).arg(fixture("orphans.js"));
    let mut crew = Crew { process: first(program) };
    let primary = outside(&crew.process);
    assert_orphans_are_waited_for(&crew, primary);
    crew.process.signal_descendant(primary, Signal::Term).unwrap();
    crew.says("stopped");
    assert_eq!(crew.status(), 0);
}

#[test]
fn a_thousand_orphans_at_once_leave_no_zombie() {
    if !may_unshare() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("leaves.sh");
    let text = "n=0; while [ $n -lt 1000 ]; do (true & true &) ; n=$((n + 2)); done\n\
        echo DONE; exec sleep 1000\n";
    std::fs::write(&script, text).unwrap();
    let options = ["-w", "1", "--ready", "alive", "--grace", "100ms"].map(AsRef::as_ref);
    let program = portcrew("run").args(options.into_iter().chain([script.as_os_str()]));
    let mut crew = Crew { process: first(program) };
    crew.process.wait_line(|line| line == "1 | DONE", HANG);
    let primary = outside(&crew.process);
    eventually("no orphan is left", HANG, || {
        (proc_fs::children(primary).unwrap().len() == 1 && zombies(primary) == 0).then_some(())
    });
    crew.process.signal_descendant(primary, Signal::Term).unwrap();
    assert_eq!(crew.status(), 0);
}

#[test]
fn signals_without_a_meaning_for_process_1_go_to_its_workers_and_quit_stops_it() {
    let _node = require_node!();
    if !may_unshare() {
        return;
    }
    let program = portcrew("run").args(["-w", "1"]).arg(fixture("orphans.js"));
    let mut crew = Crew { process: first(program) };
    crew.serving(1);
    let primary = outside(&crew.process);
    crew.process.signal_descendant(primary, Signal::Usr2).unwrap();
    crew.process.wait_line(|line| line == "1 | GOT SIGUSR2", HANG);
    crew.process.signal_descendant(primary, Signal::Quit).unwrap();
    crew.says("stopping: ");
    assert_eq!(crew.status(), 0);
}

#[test]
fn process_1_tells_a_program_that_is_not_there_and_a_crew_that_fails_by_its_status() {
    if !may_unshare() {
        return;
    }
    for (program, status) in [("/no/such/program", 127), ("false", 1)] {
        let mut crew = Crew { process: first(portcrew("run").args(["-w", "1", program])) };
        assert_eq!(crew.status(), status, "{program}");
    }
}

#[test]
fn another_process_does_the_same_with_init() {
    let _node = require_node!();
    let program = portcrew("run").args(["--init", "-w", "2"]).arg(fixture("orphans.js"));
    let mut crew = Crew { process: program.start() };
    let primary = crew.process.pid();
    assert_orphans_are_waited_for(&crew, primary);
    crew.process.signal(Signal::Usr2);
    crew.process.wait_line(|line| line.ends_with(" | GOT SIGUSR2"), HANG);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}
