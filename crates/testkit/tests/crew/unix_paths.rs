//! Sockets on a path: long ones, their modes, what a dead primary left, and what stays when they go.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::Node;
use portcrew_testkit::process::{Program, Signal, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::forms::{Pair, node_under_us, rust, rust_under_node};
use crate::support::{HANG, scaled};

/// Our primary with each kind of worker that there is; and each policy, by which the socket is or is not in the
/// workers too.
fn programs() -> Vec<(Program, bool)> {
    let mut programs = Vec::new();
    for policy in ["rr", "none"] {
        programs.push((rust().env("NODE_CLUSTER_SCHED_POLICY", policy), false));
        if let Some(node) = Node::find_or_skip() {
            let program = node_under_us(&node).env("NODE_CLUSTER_SCHED_POLICY", policy);
            programs.push((program, true));
        }
    }
    programs
}

fn pair((program, is_node): (Program, bool), workers: usize) -> Pair {
    if is_node { Pair::of_node(program, workers) } else { Pair::of_rust(program, workers) }
}

fn on(path: &Path) -> String {
    format!("unix:{}", path.display())
}

fn is_socket(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|it| it.file_type().is_socket())
}

/// A path for a client, however long it is; valid while the descriptor is open.
fn reach(path: &Path) -> (OwnedFd, PathBuf) {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let fd = rustix::fs::open(path.parent().unwrap(), flags, rustix::fs::Mode::empty()).unwrap();
    let short = Path::new("/proc/self/fd").join(fd.as_raw_fd().to_string());
    (fd, short.join(path.file_name().unwrap()))
}

fn assert_served(path: &Path) {
    let (_directory, path) = reach(path);
    Load::new(path).clients(4).requests(40).run().assert_all_ok();
}

/// Leaves a socket file behind. A child that another test is just starting has a copy of the socket until it runs its
/// program.
fn abandon(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    let refused = || UnixStream::connect(path).is_err().then_some(());
    eventually("its owner has died", HANG, refused);
}

/// A directory whose paths are longer than a socket's name may be.
fn deep() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("d".repeat(100));
    std::fs::create_dir(&deep).unwrap();
    (directory, deep)
}

/// Where the worker's directory is another than the primary's, which decides.
fn listens_in_the_deep(program: (Program, bool), primary_in: &Path, worker_in: &Path, name: &str) {
    let mut pair = pair((program.0.cwd(primary_in), program.1), 2);
    for worker in 1..=2 {
        pair.say(worker, &json!({ "op": "chdir", "to": worker_in }));
        pair.crew.message(worker);
        let said = pair.listen(worker, "it", &format!("unix:{name}"), &json!({}));
        assert_eq!(said["listening"], "it", "{said}");
    }
    let path = worker_in.join(name);
    assert!(path.as_os_str().len() > 107 && is_socket(&path));
    assert_served(&path);
    for worker in 1..=2 {
        pair.close(worker, "it");
    }
    eventually("its file is removed", HANG, || (!path.exists()).then_some(()));
    assert_eq!(worker_in.read_dir().unwrap().count(), 0);
}

#[test]
fn a_path_too_long_for_a_socket_works_by_the_way_from_the_primarys_directory() {
    for program in programs() {
        let (_directory, deep) = deep();
        listens_in_the_deep(program, &deep, &deep, "a.sock");
    }
}

#[test]
fn the_way_may_go_up_and_down() {
    for program in programs() {
        let (_directory, deep) = deep();
        let (here, there) = (deep.join("here"), deep.join("there"));
        for directory in [&here, &there] {
            std::fs::create_dir(directory).unwrap();
        }
        listens_in_the_deep(program, &here, &there, "a.sock");
    }
}

#[test]
fn our_workers_reach_a_long_path_under_nodes_primary_too() {
    let node = portcrew_testkit::require_node!();
    let (_directory, deep) = deep();
    listens_in_the_deep((rust_under_node(&node), false), &deep, &deep, "a.sock");
}

#[test]
fn everybody_is_let_in_where_that_is_asked_for() {
    for program in programs() {
        let directory = tempfile::tempdir().unwrap();
        let mut pair = pair(program, 1);
        let mut mode = |name: &str, options: Value| {
            let path = directory.path().join(name);
            pair.listen(1, name, &on(&path), &options);
            path.symlink_metadata().unwrap().permissions().mode() & 0o777
        };
        let narrow = mode("narrow", json!({}));
        assert_eq!(mode("wide", json!({ "everybody": true })), narrow | 0o666);
    }
}

#[test]
fn the_file_goes_with_the_primary_and_not_if_it_is_another_s_by_then() {
    for program in programs() {
        let directory = tempfile::tempdir().unwrap();
        let (ours, lost) = (directory.path().join("ours"), directory.path().join("lost"));
        let mut pair = pair(program, 1);
        for path in [&ours, &lost] {
            pair.listen(1, "it", &on(path), &json!({}));
            assert!(is_socket(path));
        }
        std::fs::remove_file(&lost).unwrap();
        let _other = UnixListener::bind(&lost).unwrap();
        pair.crew.tell("quit");
        assert!(pair.crew.process.wait_exit(HANG).success());
        assert!(!ours.exists());
        UnixStream::connect(&lost).unwrap();
    }
}

#[test]
fn the_file_of_an_exclusive_listener_goes_with_its_worker() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let mut pair = Pair::of_rust(rust(), 2);
    let exclusive = json!({ "exclusive": true });
    let said = pair.listen(1, "it", &on(&path), &exclusive);
    assert_eq!(said["path"], path.to_str().unwrap());
    assert_served(&path);
    assert_eq!(pair.listen(2, "it", &on(&path), &exclusive)["code"], "EADDRINUSE");
    pair.crew.tell("disconnect 1");
    pair.crew.next("exit");
    assert!(!path.exists());
}

#[test]
fn what_a_killed_primary_left_is_taken_over_and_what_lives_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let start = || Pair::of_rust(rust(), 1);
    let mut first = start();
    first.listen(1, "it", &on(&path), &json!({}));
    let mut second = start();
    assert_eq!(second.listen(1, "it", &on(&path), &json!({}))["code"], "EADDRINUSE");
    assert_served(&path);
    first.crew.process.signal(Signal::Kill);
    first.crew.process.wait_exit(HANG);
    assert!(is_socket(&path), "nobody was there to remove it");
    assert_eq!(second.listen(1, "it", &on(&path), &json!({}))["listening"], "it");
    assert_served(&path);
}

#[test]
fn of_two_primaries_that_want_an_abandoned_path_at_once_one_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let mut both = [Pair::of_rust(rust(), 1), Pair::of_rust(rust(), 1)];
    for round in 0..scaled(50, 1_000) {
        abandon(&path);
        for pair in &mut both {
            pair.tell_listen(1, "it", &on(&path), &json!({}));
        }
        let said: Vec<_> = both.iter().map(|pair| pair.crew.message(1)).collect();
        let winner = said.iter().position(|it| it["listening"] == "it");
        let winner = winner.unwrap_or_else(|| panic!("round {round}: nobody has it: {said:?}"));
        assert_eq!(said[1 - winner]["code"], "EADDRINUSE", "round {round}: {said:?}");
        UnixStream::connect(&path).unwrap();
        both[winner].close(1, "it");
        eventually("its file is removed", HANG, || (!path.exists()).then_some(()));
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn one_path_has_one_name_however_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut pair = Pair::of_rust(rust().cwd(directory.path()), 2);
    pair.listen(1, "it", "unix:./x/../s", &json!({}));
    let plain = on(&directory.path().join("s"));
    assert_eq!(pair.listen(2, "it", &plain, &json!({}))["listening"], "it");
    assert_eq!(pair.crew.snapshot()["listeners"].as_array().unwrap().len(), 1);
}
