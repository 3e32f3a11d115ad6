//! A reload: the new worker has the same sockets beside the old one, so nobody is refused.

use portcrew_testkit::process::Signal;

use super::world::{assert_answered_by, crew, load, python, script};
use crate::crew::HANG;

#[test]
fn reloads_under_load_replace_every_worker_and_fail_no_request() {
    let Some(python) = python() else { return };
    let crew = crew(&python, &["-w", "2", "--listen", "127.0.0.1:0"], "prefork.py", &[]);
    let load = load(crew.address()).clients(8).background();
    let mut all = crew.pids_when(2);
    let mut last = crew.process.mark();
    for _ in 0..3 {
        load.wait_answered(50, HANG);
        let old = crew.pids_when(2);
        crew.process.signal(Signal::Hup);
        last = crew.process.wait_line_after(last, |it| it.contains("reload: done in "), HANG).mark;
        let new = crew.pids_when(2);
        assert!(old.is_disjoint(&new), "{old:?} {new:?}");
        all.extend(new);
    }
    load.wait_answered(50, HANG);
    assert_answered_by(&load.finish(), &all);
}

#[test]
fn a_release_that_dies_at_boot_is_rolled_back_and_no_request_fails() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let release = directory.path().join("server.py");
    for (name, copy) in [("number.py", "server.py"), ("serving.py", "serving.py")] {
        std::fs::copy(script(name), directory.path().join(copy)).unwrap();
    }
    let release = release.to_str().unwrap();
    let program = crate::crew::portcrew("run").args(["--no-control", "--stable", "3s", "-w", "2"]);
    let program = program.args(["--listen", "127.0.0.1:0", "--"]).arg(&python);
    let program = program.args(["-B", release, "{fd}"]);
    let crew = crate::crew::Crew { process: program.start() };
    // It is young enough to count as not started when it dies: Python needs its time to get there.
    crew.says("worker 2 is ready");
    crew.all_serve(2);
    let load = load(crew.address()).clients(4).background();
    load.wait_answered(50, HANG);
    let old = crew.pids_when(2);
    std::fs::write(release, "raise SystemExit(3)\n").unwrap();
    crew.process.signal(Signal::Hup);
    crew.says("reload: rolled back, the old workers go on: new worker 3 exited with status 3");
    load.wait_answered(50, HANG);
    assert_eq!(crew.pids_when(2), old);
    assert_answered_by(&load.finish(), &old);
}
