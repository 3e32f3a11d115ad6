//! How such a program is told to leave: by its signal at once, then by force.

use portcrew_testkit::process::Signal;

use super::world::{crew, python};
use crate::crew::assert_gone;

#[test]
fn a_program_that_hears_its_signal_leaves_within_the_grace_and_nobody_is_killed() {
    let Some(python) = python() else { return };
    // A grace that the test would not live to see.
    let options = ["-w", "2", "--listen", "127.0.0.1:0", "--grace", "1h"];
    let mut crew = crew(&python, &options, "number.py", &["{fd}"]);
    crew.all_serve(2);
    let pids = crew.pids_when(2);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    assert_gone(&pids);
}

#[test]
fn a_program_that_hears_none_is_killed_after_the_grace() {
    let Some(python) = python() else { return };
    let options =
        ["-w", "1", "--listen", "127.0.0.1:0", "--grace", "100ms", "--kill-after", "100ms"];
    let mut crew = crew(&python, &options, "deaf.py", &[]);
    crew.all_serve(1);
    let pids = crew.pids_when(1);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 4);
    assert!(crew.said().iter().any(|it| it.contains("it gets SIGTERM")), "{:?}", crew.said());
    assert_gone(&pids);
}

#[test]
fn another_signal_is_the_one_that_was_asked_for() {
    let Some(python) = python() else { return };
    let program = "import signal, sys\nsignal.signal(signal.SIGUSR2, lambda *_: sys.exit(0))\n\
                   print('LISTENING on nothing', flush=True)\nwhile True: signal.pause()";
    let args = ["--no-control", "-w", "1", "--listen", "127.0.0.1:0", "--drain", "signal:USR2"];
    let command = crate::crew::portcrew("run").args(args).args(["--grace", "1h", "--"]);
    let command = command.arg(&python).args(["-c", program]);
    let mut crew = crate::crew::Crew { process: command.start() };
    crew.all_serve(1);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}
