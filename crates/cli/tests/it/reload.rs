//! SIGHUP: every worker is replaced and no client notices, or none is and everybody learns why.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;

use crate::crew::{HANG, run};

/// A directory with a server whose next release a test writes.
struct Release {
    _directory: tempfile::TempDir,
    script: PathBuf,
}

impl Release {
    fn of(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("server.js");
        fs::copy(fixture(name), &script).unwrap();
        Self { _directory: directory, script }
    }

    fn replace_by(&self, name: &str) {
        fs::copy(fixture(name), &self.script).unwrap();
    }
}

#[test]
fn a_reload_under_load_replaces_every_worker_and_fails_no_request() {
    let _node = require_node!();
    let crew = run(["-w".as_ref(), "2".as_ref(), fixture("hello.js").as_os_str()]);
    let load = Load::new(crew.serving(2)).clients(4).background();
    load.wait_answered(50, HANG);
    let old = crew.pids();
    crew.process.signal(Signal::Hup);
    crew.says("reload: 2 of 2 replaced");
    crew.says("reload: done in ");
    let new = crew.pids_when(2);
    load.wait_answered(50, HANG);
    let report = load.finish();
    report.assert_all_ok();
    assert!(old.is_disjoint(&new), "{old:?} {new:?}");
    assert!(report.by_worker.keys().any(|worker| worker == "4"), "{report}");
}

#[test]
fn a_release_that_dies_at_boot_is_rolled_back_and_its_last_words_are_shown() {
    let _node = require_node!();
    let release = Release::of("hello.js");
    let crew = run(["-w".as_ref(), "2".as_ref(), release.script.as_os_str()]);
    let load = Load::new(crew.serving(2)).clients(4).background();
    load.wait_answered(50, HANG);
    let old = crew.pids();
    release.replace_by("broken.js");
    crew.process.signal(Signal::Hup);
    crew.says("reload: rolled back, the old workers go on: new worker 3 exited with status 1");
    crew.says("  Error: broken at boot");
    assert_eq!(crew.pids_when(2), old);
    load.wait_answered(50, HANG);
    load.finish().assert_all_ok();
}

#[test]
fn a_release_that_does_not_listen_in_time_is_rolled_back_and_a_mended_one_is_taken() {
    let _node = require_node!();
    let release = Release::of("hello.js");
    let args = ["-w".as_ref(), "1".as_ref(), "--start-deadline".as_ref(), "3s".as_ref()];
    let options = ["--grace".as_ref(), "100ms".as_ref(), release.script.as_os_str()];
    let crew = run(args.into_iter().chain(options));
    crew.serving(1);
    let old = crew.pids();
    release.replace_by("never_listens.js");
    crew.process.signal(Signal::Hup);
    let verdict = crew.says("new worker 2 was not ready within 3 s");
    assert_eq!(crew.pids_when(1), old);
    release.replace_by("hello.js");
    crew.process.signal(Signal::Hup);
    crew.process.wait_line_after(verdict.mark, crate::crew::is_said("reload: done in "), HANG);
    assert!(crew.pids_when(1).is_disjoint(&old));
}

/// It listens, and dies a moment later.
const DIES_SOON: &str = "require('node:http').createServer().listen(0, '127.0.0.1', () => {\
    console.log('LISTENING');\
    setTimeout(() => { throw new Error('lost the database') }, 50);\
});";

#[test]
fn a_release_that_dies_within_its_stable_time_is_rolled_back_though_it_was_ready() {
    let _node = require_node!();
    let release = Release::of("hello.js");
    let options = ["-w", "2", "--stable", "5s"].map(AsRef::<std::ffi::OsStr>::as_ref);
    let crew = run(options.into_iter().chain([release.script.as_os_str()]));
    let load = Load::new(crew.serving(2)).clients(4).background();
    let old = crew.pids();
    fs::write(&release.script, DIES_SOON).unwrap();
    crew.process.signal(Signal::Hup);
    crew.process.wait_line(|line| line == "3 | LISTENING", HANG);
    crew.says("reload: rolled back, the old workers go on: new worker 3 exited with status 1");
    crew.says("  Error: lost the database");
    assert_eq!(crew.pids_when(2), old);
    load.wait_answered(50, HANG);
    // It served for a moment: what it was asked then may have died with it, and nothing else.
    let report = load.finish();
    assert_eq!(report.refused + report.hung() + report.unstarted, 0, "{report}");
}

#[test]
fn a_program_that_has_vanished_is_named_with_its_path_and_the_old_workers_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("server");
    symlink(env!("CARGO_BIN_EXE_portcrew"), &program).unwrap();
    let demo = ["demo".as_ref(), "--port".as_ref(), "0".as_ref()];
    let crew = run(["-w".as_ref(), "1".as_ref(), program.as_os_str()].into_iter().chain(demo));
    let address = crew.address();
    let old = crew.pids();
    fs::remove_file(&program).unwrap();
    crew.process.signal(Signal::Hup);
    crew.says(&program.display().to_string());
    crew.says("reload: rolled back, the old workers go on: a new worker could not be started");
    assert_eq!(crew.pids(), old);
    Load::new(address).requests(10).run().assert_all_ok();
}
