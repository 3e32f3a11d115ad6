//! Reloads by numbers, and the way back where the old program has gone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use portcrew::{CrewNotice, Event, Ready, RollbackReason, Settings, WorkerId};
use portcrew_testkit::process::proc_fs;

use crate::local::Local;
use crate::support::SERVER;

fn server(program: impl AsRef<Path>) -> Settings {
    let mut settings = Settings::program(program.as_ref(), [""; 0]).silent();
    settings.stable_for = Duration::from_millis(100);
    settings
}

/// A crew whose workers all listen.
fn crew(settings: Settings, workers: usize) -> Local {
    let mut local = Local::new(settings);
    local.cluster.start(workers).unwrap();
    for _ in 0..workers {
        local.until(|event| matches!(event, Event::Listening { .. }).then_some(()));
    }
    local
}

/// What the forks, ends and steps of a reload are, in their order, until its verdict.
fn steps(local: &mut Local) -> Vec<(&'static str, Option<WorkerId>)> {
    let mut steps = Vec::new();
    loop {
        match local.next() {
            Event::Fork { worker, .. } => steps.push(("fork", Some(worker))),
            Event::Exit { worker, .. } => steps.push(("exit", Some(worker))),
            Event::Crew(CrewNotice::ReloadStarted { .. }) => steps.clear(),
            Event::Crew(CrewNotice::ReloadProgress { .. }) => steps.push(("replaced", None)),
            Event::Crew(CrewNotice::ReloadCommitted { .. }) => return steps,
            _ => {}
        }
    }
}

#[test]
fn two_newcomers_come_at_once_where_the_surge_is_two() {
    let mut settings = server(SERVER);
    settings.surge = 2;
    let mut local = crew(settings, 4);
    local.cluster.reload().unwrap();
    let steps = steps(&mut local);
    let first: Vec<_> = steps.iter().take(3).map(|it| it.0).collect();
    assert_eq!(first, ["fork", "fork", "replaced"], "{steps:?}");
}

#[test]
fn a_program_that_never_listens_has_ended_before_it_is_started_again() {
    let mut settings = Settings::program("sleep", ["1000"]);
    settings.ready = Ready::Alive;
    settings.stable_for = Duration::from_millis(50);
    let mut local = Local::new(settings);
    local.cluster.start(2).unwrap();
    for _ in 0..2 {
        // Who is not ready yet goes first.
        let is_ready =
            |event: &Event| matches!(event, Event::Crew(CrewNotice::Ready { .. })).then_some(());
        local.until(is_ready);
    }
    local.cluster.reload().unwrap();
    let steps = steps(&mut local);
    let (old, new) = (|id| Some(WorkerId(id)), |id| Some(WorkerId(id)));
    let ends = [("exit", old(1)), ("fork", new(3)), ("replaced", None)];
    assert_eq!(steps[..3], ends, "{steps:?}");
    assert_eq!(steps[3..], [("exit", old(2)), ("fork", new(4)), ("replaced", None)], "{steps:?}");
}

#[test]
fn a_request_that_merges_brings_the_settings_of_its_own_time() {
    let mut settings = Settings::program("sleep", ["1000"]);
    settings.ready = Ready::Alive;
    settings.stable_for = Duration::from_millis(50);
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    local.until(|event| matches!(event, Event::Fork { .. }).then_some(()));
    local.cluster.reload().unwrap();
    // The old worker is told to leave; nobody is started before it has.
    local.cluster.setup_with(|it| it.args = vec!["2000".into()]).unwrap();
    let generation = local.run(local.cluster.request_reload()).unwrap();
    local.until(|event| match event {
        Event::Crew(CrewNotice::ReloadCommitted { generation: it }) => {
            (Some(*it) == generation).then_some(())
        }
        _ => None,
    });
    let pid = local.cluster.workers()[0].pid();
    let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(line.ends_with("\u{0}2000\u{0}"), "{line}");
}

#[test]
fn a_program_that_never_listens_may_be_allowed_to_overlap() {
    let mut settings = Settings::program("sleep", ["1000"]);
    (settings.ready, settings.overlap) = (Ready::Alive, true);
    settings.stable_for = Duration::from_millis(50);
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    local.cluster.reload().unwrap();
    let steps = steps(&mut local);
    assert_eq!(steps, [("fork", Some(WorkerId(2))), ("replaced", None)]);
}

#[test]
fn an_old_program_that_was_deleted_is_named_and_the_old_workers_that_run_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    std::fs::copy(SERVER, &old).unwrap();
    let mut local = crew(server(&old), 2);
    let second = local.cluster.worker(WorkerId(2)).unwrap().pid();
    // A release whose second worker breaks.
    let new = folder.path().join("new");
    let script = format!(
        "#!/bin/sh\nif ! mkdir {}/first; then exit 3; fi\nexec {SERVER}\n",
        folder.path().display()
    );
    std::fs::write(&new, script).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_file(&old).unwrap();
    local.cluster.setup(server(&new)).unwrap();
    local.cluster.reload().unwrap();
    let reason = local.until(|event| match event {
        Event::Crew(CrewNotice::NotRestored { reason, .. }) => Some(*reason),
        _ => None,
    });
    assert_eq!(reason, RollbackReason::NotExecutable);
    let unrestored = local.until(|event| match event {
        Event::Crew(CrewNotice::RolledBack { unrestored, .. }) => Some(*unrestored),
        _ => None,
    });
    assert_eq!(unrestored, 1);
    assert!(matches!(proc_fs::state(second), Ok('S' | 'R')), "{:?}", proc_fs::state(second));
}
