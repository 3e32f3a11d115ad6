//! The exec helper: each thing it arranges, seen from inside the program, and each failure it names.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use portcrew_ipc::spawn::{Limit, Resource, SpawnSpec, Stdio, spawn};
use serde_json::json;

use crate::children::{example, finish, inherited, masks, run, shell};
use crate::common::skipped;

fn helped(spec: SpawnSpec) -> SpawnSpec {
    spec.helper(example("inherited"))
}

/// A directory of its own, so that the system's name for it is what the child must see.
fn directory() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = std::fs::canonicalize(directory.path()).unwrap();
    (directory, path)
}

#[tokio::test]
async fn the_program_starts_in_its_directory_as_the_same_process() {
    let (_keep, path) = directory();
    let spec = inherited(&[("A", "1")]).lane(true).worker_id(9).argv0("named").cwd(&path);
    let outcome = run(helped(spec)).await;
    let report = outcome.report();
    assert_eq!(report["directory"], json!(path));
    assert_eq!(report["pid"], json!(outcome.pid));
    assert_eq!(report["group"], json!(outcome.pid));
    assert_eq!(report["arguments"], json!(["named"]));
    // The plan itself is gone, the channel and the lane are there.
    assert_eq!(report["environment"], json!({"A": "1"}));
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3, 4]));
    assert_eq!(report["claim"], json!({"worker_id": 9, "lane": true}));
}

#[tokio::test]
async fn the_program_does_not_see_the_plan() {
    let script = "echo ${PORTCREW_EXEC-none}; pwd";
    assert_eq!(run(helped(shell(script).cwd("/"))).await.stdout, "none\n/\n");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named_in_one_line() {
    let outcome = run(helped(shell("true").cwd("/nonexistent/directory"))).await;
    assert_eq!(outcome.status.code(), Some(126));
    let expected = "portcrew: cannot start /bin/sh: its directory /nonexistent/directory cannot \
                    be entered: No such file or directory (os error 2)\n";
    assert_eq!(outcome.stderr, expected);
}

#[tokio::test]
async fn a_program_that_is_not_there_gives_127_through_the_helper_too() {
    let outcome = run(helped(SpawnSpec::new("/nonexistent/program").cwd("/"))).await;
    assert_eq!(outcome.status.code(), Some(127));
    assert!(outcome.stderr.starts_with("portcrew: cannot start /nonexistent/program: not found"));
    assert_eq!(outcome.stderr.lines().count(), 1);
}

#[tokio::test]
async fn a_missing_helper_is_an_error_of_the_start() {
    let error = spawn(&shell("true").cwd("/").helper("/nonexistent/helper")).unwrap_err();
    assert_eq!(error.path(), std::path::Path::new("/nonexistent/helper"));
}

#[tokio::test]
async fn limits_hold_in_the_program() {
    let limit = Limit::both(Resource::OpenFiles, 61);
    let core = Limit { resource: Resource::CoreFile, soft: Some(0), hard: None };
    let spec = helped(shell("ulimit -n; ulimit -Hn; ulimit -c").limit(limit).limit(core));
    assert_eq!(run(spec).await.stdout, "61\n61\n0\n");
}

#[tokio::test]
async fn an_impossible_limit_is_named() {
    let limit = Limit { resource: Resource::OpenFiles, soft: Some(9), hard: Some(8) };
    let outcome = run(helped(shell("true").limit(limit))).await;
    assert_eq!(outcome.status.code(), Some(126));
    assert!(outcome.stderr.contains("the limit OpenFiles cannot be set"), "{}", outcome.stderr);
}

/// What a process says of its rights, in one line for each.
const RIGHTS: &str =
    "grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb)):' /proc/self/status | tr -s '\\t ' ' '";

/// Of a user, with no right beyond.
fn rights_of(uid: u32, gid: u32, groups: &str) -> String {
    let ids = |id: u32| [id.to_string(), id.to_string(), id.to_string(), id.to_string()].join(" ");
    let none = "0000000000000000";
    let capabilities: String =
        ["Inh", "Prm", "Eff", "Amb"].map(|set| format!("Cap{set}: {none}\n")).concat();
    format!("Uid: {}\nGid: {}\nGroups: {groups}\n{capabilities}", ids(uid), ids(gid))
}

#[tokio::test]
async fn the_program_runs_as_the_asked_user_with_no_other_group() {
    if !rustix::process::geteuid().is_root() {
        skipped("only root may change the user");
        return;
    }
    // The helper's own file may lie where the new user cannot look, the shell does not.
    let outcome = run(helped(shell(RIGHTS).user(65_533, 65_532, [65_531]))).await;
    assert_eq!(outcome.stdout, rights_of(65_533, 65_532, "65531 "), "{outcome:?}");
}

#[tokio::test]
async fn capabilities_that_a_change_of_user_leaves_are_given_up() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    if !rustix::process::geteuid().is_root() {
        skipped("only root may change the user");
        return;
    }
    // Of this thread alone, which starts the helper.
    let mut own = capabilities(None).unwrap();
    own.inheritable = CapabilitySet::NET_BIND_SERVICE;
    set_capabilities(None, own).unwrap();
    let inherited = run(helped(shell("grep CapInh /proc/self/status"))).await;
    assert!(
        !inherited.stdout.contains("0000000000000000"),
        "the test shows nothing: {inherited:?}"
    );
    let outcome = run(helped(shell(RIGHTS).user(65_533, 65_532, []))).await;
    assert_eq!(outcome.stdout, rights_of(65_533, 65_532, ""), "{outcome:?}");
}

#[tokio::test]
async fn ambient_capabilities_do_not_reach_a_program_that_is_to_run_as_the_own_user() {
    use std::os::unix::fs::PermissionsExt as _;
    if !rustix::process::geteuid().is_root() || Command::new("setpriv").arg("-V").output().is_err()
    {
        skipped("only root can play another user, by setpriv");
        return;
    }
    let (_keep, path) = directory();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let helper = path.join("helper");
    assert!(Command::new("cp").arg(example("inherited")).arg(&helper).status().unwrap().success());
    let plan = json!({
        "program": {"Unix": b"/bin/sh"}, "cwd": null, "uid": 65_533, "gid": 65_532, "groups": [],
        "limits": [], "parent_death_signal": null, "parent": 1, "no_new_privs": false,
        "listen_pid": false, "first_closed": 3,
    });
    let output = Command::new("setpriv")
        .args(["--reuid=65533", "--regid=65532", "--clear-groups"])
        .args(["--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service", "--"])
        .arg(&helper)
        .args(["-c", RIGHTS])
        .env("PORTCREW_EXEC", plan.to_string())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(stdout, rights_of(65_533, 65_532, ""), "{output:?}");
}

#[tokio::test]
async fn a_program_of_another_user_can_open_its_pipes_anew() {
    if !rustix::process::geteuid().is_root() {
        skipped("only root may change the user");
        return;
    }
    let script = "echo out > /dev/stdout; echo err > /dev/stderr";
    let outcome = run(helped(shell(script).user(65_533, 65_532, []))).await;
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("out\n", "err\n"));
}

#[tokio::test]
async fn the_own_identity_may_be_asked_for_without_privileges() {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let spec = helped(shell("id -u").user(uid.as_raw(), gid.as_raw(), []));
    assert_eq!(run(spec).await.stdout, format!("{}\n", uid.as_raw()));
}

#[tokio::test]
async fn a_group_that_the_own_identity_lacks_is_refused_without_privileges() {
    use std::os::unix::fs::PermissionsExt as _;
    if !rustix::process::geteuid().is_root() {
        skipped("only root may change the user");
        return;
    }
    // Where the other user can look.
    let (_keep, path) = directory();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let helper = path.join("helper");
    // By another process: a file that this one writes stays busy while any other test starts a child.
    assert!(Command::new("cp").arg(example("inherited")).arg(&helper).status().unwrap().success());
    for (groups, expected) in [(json!([65_531]), Some("here")), (json!([65_529]), None)] {
        let plan = json!({
            "program": {"Unix": b"/bin/sh"}, "cwd": null, "uid": 65_533, "gid": 65_532,
            "groups": groups, "limits": [], "parent_death_signal": null, "parent": 1,
            "no_new_privs": false, "listen_pid": false, "first_closed": 3,
        });
        let script = format!("PORTCREW_EXEC='{plan}' exec {} -c 'echo here'", helper.display());
        let outcome = run(helped(shell(&script).user(65_533, 65_532, [65_531, 65_530]))).await;
        match expected {
            Some(said) => assert_eq!(outcome.stdout.trim_end(), said, "{outcome:?}"),
            None => {
                assert_eq!(outcome.status.code(), Some(126), "{outcome:?}");
                assert!(outcome.stderr.contains("the groups cannot be set"), "{outcome:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_new_privileges_is_in_force() {
    let mut spec = helped(shell("grep NoNewPrivs /proc/self/status"));
    spec.no_new_privs = true;
    assert_eq!(run(spec).await.stdout, "NoNewPrivs:\t1\n");
}

#[tokio::test]
async fn the_parent_death_signal_survives_until_the_program() {
    let mut spec = helped(inherited(&[]));
    spec.parent_death_signal = Some(10);
    assert_eq!(run(spec).await.report()["parent_death_signal"], json!(10));
}

#[test]
fn a_program_whose_primary_is_gone_already_does_not_start() {
    // A plan as a primary of pid 0 would have written it: nobody is a child of that one.
    let program = json!({"Unix": b"/bin/echo"});
    let plan = json!({
        "program": program, "cwd": null, "uid": null, "gid": null, "groups": [], "limits": [],
        "parent_death_signal": 9, "parent": 0, "no_new_privs": false, "listen_pid": false,
        "first_closed": 3,
    });
    let output =
        Command::new(example("inherited")).env("PORTCREW_EXEC", plan.to_string()).output().unwrap();
    assert_eq!(output.status.code(), Some(126));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("the primary ended before the program began"), "{stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_variable_that_holds_no_plan_ends_in_one_line() {
    let output = Command::new(example("inherited")).env("PORTCREW_EXEC", "{}").output().unwrap();
    assert_eq!(output.status.code(), Some(126));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("PORTCREW_EXEC holds no plan"), "{stderr}");
}

#[tokio::test]
async fn listening_sockets_are_passed_by_number_to_this_very_process() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut spec = helped(inherited(&[("LISTEN_PID", "1")]).channel(false));
    spec.listeners = vec![Arc::new(listener.into())];
    let outcome = run(spec).await;
    let report = outcome.report();
    assert_ne!(port, 0);
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3]));
    let expected = json!({"LISTEN_FDS": "1", "LISTEN_PID": outcome.pid.to_string()});
    assert_eq!(report["environment"], expected);
}

/// Two listening sockets with these names.
fn named<const N: usize>(names: [&str; N]) -> SpawnSpec {
    let mut spec = helped(inherited(&[("LISTEN_FDNAMES", "stale")]).channel(false));
    let listener = || Arc::new(TcpListener::bind("127.0.0.1:0").unwrap().into());
    spec.listeners = vec![listener(), listener()];
    spec.listener_names = names.map(str::to_owned).to_vec();
    spec
}

#[tokio::test]
async fn listening_sockets_have_the_names_that_they_were_given() {
    let report = run(named(["web", "admin port"])).await.report();
    assert_eq!(report["environment"]["LISTEN_FDNAMES"], json!("web:admin port"));
    let report = run(named([])).await.report();
    assert_eq!(report["environment"]["LISTEN_FDNAMES"], json!(null));
}

#[test]
fn names_that_the_program_could_not_tell_apart_are_refused() {
    let (long, few) = ("x".repeat(256), "each listening socket has a name");
    for (names, reason) in [
        (vec!["web"], few),
        (vec!["a", "b", "c"], few),
        (vec!["a", "b:c"], "without a colon"),
        (vec!["a", ""], "without a colon"),
        (vec!["a", "b\n"], "without a colon"),
        (vec!["a", "\u{e9}"], "without a colon"),
        (vec!["a", &long], "without a colon"),
    ] {
        let mut spec = named([]);
        spec.listener_names = names.iter().map(|name| (*name).to_owned()).collect();
        let error = spawn(&spec).unwrap_err().to_string();
        assert!(error.contains(reason), "{names:?}: {error}");
    }
}

#[tokio::test]
async fn a_program_that_is_to_end_with_its_primary_outlives_the_thread_that_asked_for_it() {
    let script = "echo up; read -r line; echo \"$line\"";
    let mut spec = helped(shell(script)).stdio(Stdio::Piped, Stdio::Piped, Stdio::Inherit);
    // SIGKILL, so that nothing could save it.
    spec.parent_death_signal = Some(9);
    let asked = std::thread::spawn(move || {
        let spawned = spawn(&spec).unwrap();
        // Once the program runs, the helper has asked for the signal.
        let mut up = [0; 3];
        File::from(spawned.stdout.as_ref().unwrap().try_clone().unwrap())
            .read_exact(&mut up)
            .unwrap();
        spawned
    });
    let mut spawned = asked.join().unwrap();
    let mut stdin = File::from(spawned.stdin.take().unwrap());
    // To a program that was killed this is EPIPE, or goes into a pipe that nobody reads.
    drop(stdin.write_all(b"still here\n"));
    let outcome = finish(spawned).await;
    assert_eq!((outcome.stdout.as_str(), outcome.status.code()), ("still here\n", Some(0)));
}

#[tokio::test]
async fn descriptors_that_leaked_into_the_primary_do_not_reach_the_program() {
    let report = run(inherited(&[]).args(["nest-leak"]).channel(false)).await.report();
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3, 4]));
}

#[tokio::test]
async fn the_program_ignores_no_signal_though_the_helper_did() {
    let spec = SpawnSpec::new("/bin/cat").args(["/proc/self/status"]).channel(false).cwd("/");
    assert_eq!(masks(&run(helped(spec)).await.stdout), [0, 0]);
}

#[tokio::test]
async fn a_relative_program_counts_from_the_primarys_directory() {
    let up = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
    let relative: std::path::PathBuf = up;
    let mut spec = helped(shell("pwd").cwd("/"));
    spec.program = relative.join("bin/sh");
    let outcome = finish(
        spawn(&{
            spec.stdout = Stdio::Piped;
            spec
        })
        .unwrap(),
    )
    .await;
    assert_eq!(outcome.stdout, "/\n");
}
