//! Every worker is replaced under load and nobody notices; a broken release changes nothing.

use std::os::unix::fs::PermissionsExt as _;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::artifact::example;
use portcrew_testkit::process::{Program, Signal, eventually, proc_fs};

use crate::support::{Crew, HANG, SERVER, primary, served_by};

#[test]
fn a_hang_up_replaces_every_worker_and_no_request_fails() {
    let mut process = Program::new(example("axum_hello")).env("PORT", "0").start();
    let address = served_by(process.pid());
    let load = Load::new(address).clients(16).background();
    load.wait_answered(100, HANG);
    let old = proc_fs::children(process.pid()).unwrap();
    process.signal(Signal::Hup);
    all_replaced(process.pid(), &old);
    load.wait_answered(100, HANG);
    load.finish().assert_all_ok();
    process.signal(Signal::Term);
    assert!(process.wait_exit(HANG).success());
}

#[test]
fn a_broken_release_is_rolled_back_and_no_request_fails() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    let mut crew = Crew::start(primary(SERVER).env("BROKEN_IF", &broken).env("STABLE_MS", "100"));
    crew.tell("start 2");
    let address = crew.listening(2);
    let load = Load::new(address).clients(8).background();
    let old = proc_fs::children(crew.pid()).unwrap();
    std::fs::write(&broken, "").unwrap();
    crew.tell("reload");
    verdict(&crew, "RolledBack");
    load.wait_answered(100, HANG);
    assert_eq!(proc_fs::children(crew.pid()).unwrap(), old);
    std::fs::remove_file(&broken).unwrap();
    crew.tell("reload");
    verdict(&crew, "Committed");
    load.wait_answered(100, HANG);
    all_replaced(crew.pid(), &old);
    let report = load.finish();
    report.assert_all_ok();
    // The broken one was the second.
    assert_eq!(report.by_generation.keys().collect::<Vec<_>>(), ["0", "2"]);
    crew.tell("stop");
    assert_eq!(crew.next("finished")["outcome"], "stopped");
}

/// Whether a process of that release is among the primary's workers.
fn runs(primary: u32, release: &str) -> bool {
    proc_fs::children(primary).unwrap().into_iter().any(|pid| {
        let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|it| it == format!("RELEASE={release}").as_bytes())
    })
}

#[test]
fn a_release_that_breaks_at_its_second_worker_is_undone_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join("release");
    let script = format!(
        "#!/bin/sh\nif ! mkdir {}/first; then exit 3; fi\nRELEASE=new exec {SERVER}\n",
        folder.path().display()
    );
    std::fs::write(&release, script).unwrap();
    std::fs::set_permissions(&release, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut crew = Crew::start(primary(SERVER).env("STABLE_MS", "100"));
    crew.tell("start 2");
    let address = crew.listening(2);
    let load = Load::new(address).clients(8).background();
    crew.tell(&format!("program {}", release.display()));
    crew.tell("reload");
    crew.next_where("listening", |event| event["worker"] == 3);
    assert!(runs(crew.pid(), "new"));
    verdict(&crew, "RolledBack");
    eventually("nothing of the new release is left", HANG, || {
        let workers = proc_fs::children(crew.pid()).unwrap().len();
        (workers == 2 && !runs(crew.pid(), "new")).then_some(())
    });
    load.wait_answered(100, HANG);
    load.finish().assert_all_ok();
}

#[test]
fn a_release_that_never_listens_is_rolled_back_at_its_deadline() {
    let program = primary(SERVER).env("STABLE_MS", "100").env("START_MS", "300");
    let mut crew = Crew::start(program);
    crew.tell("start 2");
    let address = crew.listening(2);
    let load = Load::new(address).clients(8).background();
    let old = proc_fs::children(crew.pid()).unwrap();
    crew.tell("program sleep 1000");
    crew.tell("reload");
    verdict(&crew, "RolledBack");
    eventually("only the old workers are left", HANG, || {
        (proc_fs::children(crew.pid()).unwrap() == old).then_some(())
    });
    load.wait_answered(100, HANG);
    load.finish().assert_all_ok();
}

fn verdict(crew: &Crew, word: &str) {
    crew.next_where("crew", |event| event["notice"].as_str().unwrap().contains(word));
}

/// Waits until there are as many workers as before and each is another process.
fn all_replaced(primary: u32, old: &[u32]) {
    eventually("every worker is a new one", HANG, || {
        let now = proc_fs::children(primary).unwrap();
        let replaced = now.len() == old.len() && now.iter().all(|pid| !old.contains(pid));
        replaced.then_some(())
    });
}
