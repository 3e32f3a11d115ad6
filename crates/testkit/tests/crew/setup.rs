//! The settings of Node's `setupPrimary`: what they are at each moment, what a worker gets of them, who hears of them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use portcrew::{Error, Event, ExtraFd, Policy, Settings, WorkerHandle};
use portcrew_testkit::require_node;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::local::{Local, node as settings};
use crate::stage::skip;
use crate::support::{Crew, ROLE, primary};

/// A started worker, and what it was started with.
fn look(local: &mut Local) -> (WorkerHandle, Value) {
    let worker = local.fork();
    let report = local.message(worker.id());
    (worker, report)
}

/// The settings of the next `setup`.
fn heard(local: &mut Local) -> std::sync::Arc<Settings> {
    local.until(|event| match event {
        Event::Setup { settings } => Some(settings.clone()),
        _ => None,
    })
}

#[test]
fn settings_add_up_and_reach_those_who_are_forked_later() {
    let node = require_node!();
    let directory = tempfile::tempdir().unwrap();
    let there = std::fs::canonicalize(directory.path()).unwrap();
    let here = std::env::current_dir().unwrap();
    let mut settings_now = settings(&node, &[], "look.js");
    settings_now.policy = Policy::RoundRobin;
    let mut local = Local::new(settings_now);
    let (_, first) = look(&mut local);
    assert_eq!((&first["args"], &first["cwd"]), (&json!([]), &json!(here)));

    local.cluster.setup_with(|it| it.args.push("one".into())).unwrap();
    local.cluster.setup_with(|it| it.cwd = Some(there.clone())).unwrap();
    let now = local.cluster.settings();
    assert_eq!((now.args.last().unwrap(), &now.cwd), (&"one".into(), &Some(there.clone())));
    let (_, second) = look(&mut local);
    assert_eq!((&second["args"], &second["cwd"]), (&json!(["one"]), &json!(there)));

    // The policy is that of the beginning, as in Node.
    let policy = &now.policy;
    local.cluster.setup_with(|it| it.policy = Policy::Shared).unwrap();
    assert_eq!((policy, &local.cluster.settings().policy), (&Policy::RoundRobin, policy));

    // A whole set of settings takes the place of all.
    local.cluster.setup(settings(&node, &[], "look.js")).unwrap();
    let (_, third) = look(&mut local);
    assert_eq!((&third["args"], &third["cwd"]), (&json!([]), &json!(here)));
}

#[test]
fn every_setup_and_every_fork_is_heard_with_its_settings_before_the_worker_is() {
    let mut local = Local::new(Settings::program("/none/zero", [""; 0]));
    for name in ["/none/one", "/none/two", "/none/three"] {
        local.cluster.setup_with(|it| it.exec = Some(name.into())).unwrap();
    }
    for name in ["/none/one", "/none/two", "/none/three"] {
        assert_eq!(heard(&mut local).exec.as_deref(), Some(Path::new(name)));
    }
    // Also before a start that fails.
    let error = local.run(local.cluster.fork()).unwrap_err();
    assert!(format!("{error:?}").contains("/none/three"), "{error:?}");
    assert_eq!(heard(&mut local).exec.as_deref(), Some(Path::new("/none/three")));

    local.cluster.setup_with(|it| it.exec = Some(ROLE.into())).unwrap();
    local.fork();
    let kinds: Vec<_> = (0..3)
        .map(|_| match local.next() {
            Event::Setup { settings } if settings.exec.as_deref() == Some(Path::new(ROLE)) => {
                "setup"
            }
            Event::Fork { .. } => "fork",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["setup", "setup", "fork"], "the user's, then the fork's own");
}

#[test]
fn the_later_variable_wins_and_the_id_is_nobodys_to_choose() {
    let node = require_node!();
    let mut settings = settings(&node, &[], "look.js");
    for (name, value) in [
        ("BOTH", "settings"),
        ("SETTINGS", "1"),
        ("PATH", "/nowhere"),
        ("NODE_UNIQUE_ID", "77"),
        ("NODE_CHANNEL_FD", "78"),
    ] {
        settings = settings.env(name, value);
    }
    let mut local = Local::new(settings);
    let own = [("BOTH", "fork"), ("FORK", "1"), ("NODE_UNIQUE_ID", "79")];
    let worker = local.run(local.cluster.fork_with(own)).unwrap();
    let report = local.message(worker.id());
    let env = &report["env"];
    for (name, value) in [("BOTH", "fork"), ("SETTINGS", "1"), ("FORK", "1"), ("PATH", "/nowhere")]
    {
        assert_eq!(env[name], value, "{name}");
    }
    assert_eq!(env["HOME"], json!(std::env::var("HOME").ok()), "the primary's own are below");
    assert_eq!(report["id"], 1);
}

#[test]
fn silent_workers_write_to_the_primary() {
    let mut local =
        Local::new(Settings::program("/bin/sh", ["-c", "echo out; echo err >&2"]).silent());
    let worker = local.fork();
    let (mut stdout, mut stderr) = (worker.take_stdout().unwrap(), worker.take_stderr().unwrap());
    assert!(worker.take_stdout().is_none(), "it is given once");
    let (mut out, mut err) = (String::new(), String::new());
    local.run(stdout.read_to_string(&mut out)).unwrap();
    local.run(stderr.read_to_string(&mut err)).unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
    local.exit(worker.id());
}

#[test]
fn an_extra_descriptor_is_a_pipe_both_ways_wherever_the_channel_is() {
    let node = require_node!();
    for (lane, numbers) in [(false, "4,9"), (true, "3,5")] {
        let mut settings = settings(&node, &[], "look.js").env("FDS", numbers);
        settings.lane = lane;
        for number in numbers.split(',') {
            settings = settings.fd(number.parse().unwrap(), ExtraFd::Piped);
        }
        let mut local = Local::new(settings);
        let (worker, _) = look(&mut local);
        for number in numbers.split(',') {
            let mut stream = worker.take_fd(number.parse().unwrap()).unwrap();
            let mut echo = [0; 5];
            local.run(stream.write_all(b"there")).unwrap();
            local.run(stream.read_exact(&mut echo)).unwrap();
            assert_eq!(&echo, b"there", "descriptor {number}");
        }
        assert!(worker.take_fd(7).is_none());
        worker.send("still").unwrap();
        assert_eq!(local.message(worker.id()), json!({ "echo": "still" }));
    }
}

#[test]
fn workers_run_as_the_user_that_is_set() {
    if !rustix::process::geteuid().is_root() {
        skip::<()>("only root may start workers as somebody else");
        return;
    }
    let script = "echo $(id -u) $(id -g) $(id -G)";
    let mut settings = Settings::program("/bin/sh", ["-c", script]).silent();
    (settings.uid, settings.gid, settings.groups) = (Some(65_533), Some(65_532), vec![65_531]);
    settings.helper = Some(ROLE.into());
    let mut local = Local::new(settings);
    let worker = local.fork();
    let (mut stdout, mut said) = (worker.take_stdout().unwrap(), String::new());
    local.run(stdout.read_to_string(&mut said)).unwrap();
    assert_eq!(said, "65533 65532 65532 65531\n");
    local.exit(worker.id());
}

#[test]
fn a_user_without_a_group_is_refused_before_anything_is_started() {
    let mut settings = Settings::program(ROLE, [""; 0]);
    settings.uid = Some(65_533);
    let local = Local::new(Settings::program(ROLE, [""; 0]));
    let error = local.cluster.setup(settings).unwrap_err();
    assert!(matches!(error, Error::Setting { setting: "uid", .. }), "{error:?}");
}

/// An executable in `directory` that tells where it is.
fn tool(directory: &Path) {
    let path = directory.join("tool");
    let text = format!("#!/bin/sh\necho '{}'\n", json!({ "event": "ran", "from": directory }));
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn the_programs_file_is_looked_for_once_and_anew_after_a_setup() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let path = std::env::join_paths([first.path(), second.path()]).unwrap();
    let mut crew = Crew::start(primary("tool").env("PATH", path));
    let ran = |crew: &mut Crew| {
        crew.tell("fork");
        crew.next("ran")["from"].clone()
    };
    tool(second.path());
    assert_eq!(ran(&mut crew), json!(second.path()));
    // From here on a search would find this one.
    tool(first.path());
    assert_eq!(ran(&mut crew), json!(second.path()));
    crew.tell("program tool");
    assert_eq!(ran(&mut crew), json!(first.path()));
}
