//! What the command gives its workers of its own: descriptors, variables, rights; and how it takes rights away.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::{Program, Signal, eventually};
use portcrew_testkit::require_node;
use portcrew_testkit::witness::{Sight, Witness};

use crate::crew::{Crew, HANG, assert_gone, portcrew};
use crate::home::{Home, PORTCREW};

/// Somebody without an entry, and a group of his.
const USER: &str = "65533";
const GROUP: &str = "65532";

/// Ports that only root may have; each used by one test.
const LOW: u16 = 43;
const LOW_TOO: u16 = LOW + 1;

/// An address of this run's own, where another checkout's tests have the same ports.
fn own_address() -> Ipv4Addr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 + high % 64, middle, low)
}

/// Whether everybody may have that port here.
fn is_free(port: u16) -> bool {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    first.is_ok_and(|it| it.trim().parse::<u16>().is_ok_and(|it| it <= port))
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn has_bash() -> bool {
    std::process::Command::new("bash").arg("--version").output().is_ok()
}

/// Says visibly that a test was not made.
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// `run` with these options, of a program that is seen at its start: the demo's worker, or a script of Node's.
fn witnessed(witness: &Witness, options: &[&str], node: Option<&Node>) -> Program {
    let (program, args): (PathBuf, Vec<OsString>) = match node {
        Some(node) => (node.path().to_owned(), vec![witness.copy(fixture("hello.js")).into()]),
        None => (witness.copy(PORTCREW), ["demo", "--port", "0"].map(Into::into).to_vec()),
    };
    portcrew("run")
        .args(["-w", "2", "--stable", "10ms", "--no-control"])
        .args(options)
        .arg(witness.program())
        .args(witness.args(program, args))
}

fn all(witness: &Witness, count: usize) -> Vec<Sight> {
    let all = eventually("all workers were seen", HANG, || {
        Some(witness.all()).filter(|it| it.len() >= count)
    });
    all.into_values().collect()
}

/// The demo's workers and Node's.
fn kinds() -> Vec<Option<Node>> {
    [None].into_iter().chain(Node::find_or_skip().map(Some)).collect()
}

#[test]
fn workers_have_nothing_that_a_careless_shell_left_open_also_after_deaths_and_reloads() {
    if !has_bash() {
        return skipped("only bash opens descriptors of two digits");
    }
    for node in kinds() {
        // By itself, and by the exec helper.
        for options in [&[][..], &["--no-new-privs"]] {
            let witness = Witness::new();
            let script = "exec 3</dev/zero 7>/dev/full 50</dev/zero; exec \"$@\"";
            let program = witnessed(&witness, options, node.as_ref());
            let program = program.through("bash", ["-c", script, "bash"]);
            let mut crew = Crew { process: program.start() };
            let address = crew.address();
            let load = Load::new(address).clients(8).background();
            load.wait_answered(50, HANG);
            // Whoever dies has noted what it was started with.
            all(&witness, 2);
            let first = *crew.pids_when(2).first().unwrap();
            rustix::process::kill_process(
                rustix::process::Pid::from_raw(first.try_into().unwrap()).unwrap(),
                rustix::process::Signal::KILL,
            )
            .unwrap();
            all(&witness, 3);
            crew.process.signal(Signal::Hup);
            crew.says("reload: done");
            load.wait_answered(50, HANG);
            // What was inside the killed worker failed.
            let _ = load.finish();
            for sight in all(&witness, 5) {
                // The lane is for native programs; the shell that sees it is one.
                assert_eq!(sight.numbers(), [0, 1, 2, 3, 4], "{sight:#?}");
                assert_eq!(sight.fds[&0], "/dev/null");
            }
            crew.process.signal(Signal::Term);
            assert_eq!(crew.status(), 0);
        }
    }
}

#[test]
fn a_crew_inside_a_crew_passes_on_nothing_that_was_meant_for_its_primary() {
    let witness = Witness::new();
    let program = witnessed(&witness, &[], None);
    let strange = [("LISTEN_FDS", "1"), ("LISTEN_PID", "1"), ("WATCHDOG_USEC", "9"), ("KEPT", "x")];
    let outer = program.through(PORTCREW, ["run", "-w", "1", "--no-control", "--ready", "notify"]);
    let outer = strange.into_iter().fold(outer, |it, (name, value)| it.env(name, value));
    let mut crew = Crew { process: outer.start() };
    for sight in all(&witness, 2) {
        assert_eq!(sight.numbers(), [0, 1, 2, 3, 4], "{sight:#?}");
        let has = |name: &str| sight.env.get(name).map(String::as_str);
        assert_eq!((has("KEPT"), has("NODE_CHANNEL_FD")), (Some("x"), Some("3")));
        // Its place in the inner crew, of which there are two; the outer has one.
        assert!(matches!(has("NODE_UNIQUE_ID"), Some("1" | "2")), "{sight:#?}");
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "PORTCREW_EXEC"]
        {
            assert_eq!(has(name), None, "{name}");
        }
    }
    let slots: BTreeSet<_> =
        all(&witness, 2).iter().map(|it| it.env["PORTCREW_SLOT"].clone()).collect();
    assert_eq!(slots, ["0", "1"].map(String::from).into());
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

#[test]
fn workers_run_as_the_user_that_was_named_and_serve_and_can_still_print() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    for node in kinds() {
        let witness = Witness::new();
        let program = witnessed(&witness, &["--uid", USER, "--gid", GROUP], node.as_ref());
        let mut crew = Crew { process: program.start() };
        Load::new(crew.address()).requests(20).run().assert_all_ok();
        if node.is_some() {
            crew.all_serve(2);
        }
        for sight in all(&witness, 2) {
            sight.assert_rights(65_533, 65_532, "");
            assert_eq!(sight.says("NoNewPrivs"), "1");
            assert_eq!(sight.numbers(), [0, 1, 2, 3, 4]);
        }
        let pids = crew.pids();
        crew.process.signal(Signal::Term);
        assert_eq!(crew.status(), 0);
        assert_gone(&pids);
    }
}

#[test]
fn a_named_user_comes_with_its_groups_and_its_variables_and_may_keep_what_exec_gives() {
    let Some(entry) = portcrew::rights::User::find("nobody").unwrap().filter(|_| is_root()) else {
        return skipped("only root can be another user, and it must be there");
    };
    let witness = Witness::new();
    let options = ["--uid", "nobody", "--no-new-privs=no", "--env", "LOGNAME=mine"];
    let mut crew = Crew { process: witnessed(&witness, &options, None).start() };
    crew.address();
    for sight in all(&witness, 2) {
        let mut groups = entry.groups(entry.gid).unwrap();
        groups.sort_unstable();
        let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
        sight.assert_rights(entry.uid, entry.gid, &groups.join(" "));
        assert_eq!(sight.says("NoNewPrivs"), "0");
        let variables = ["HOME", "USER", "LOGNAME"].map(|name| sight.env[name].clone());
        let home = entry.home.to_string_lossy().into_owned();
        assert_eq!(variables, [home, "nobody".into(), "mine".into()]);
    }
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

#[test]
fn who_cannot_be_is_said_before_anything_is_started() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (options, reason) in [
        (&["--uid", "no such user"][..], "there is no user `no such user`"),
        (&["--uid", "4294967295", "--gid", "1"], "there is no user `4294967295`"),
        (&["--uid", "root"], "have all of root's rights; leave --uid out"),
        (&["--uid", "0", "--gid", "1", "--allow", "80"], "have all of root's rights"),
        (&["--gid", "1"], "--gid goes with --uid"),
        (&["--allow", "80"], "--allow goes with --uid"),
    ] {
        let args = [&["run"], options, &["./nothing.js"]].concat();
        let answer = crate::command::portcrew(here, &args);
        // The program is looked for first; what is said is about the first that is wrong.
        assert_eq!(answer.status, 127, "{options:?}: {}", answer.stderr);
        assert!(!answer.stderr.contains(reason), "{options:?}: {}", answer.stderr);
        let args = [&["run"], options, &[PORTCREW]].concat();
        let answer = crate::command::portcrew(here, &args);
        assert_eq!(answer.status, 2, "{options:?}");
        assert!(answer.stderr.contains(reason), "{options:?}: {}", answer.stderr);
        assert_eq!(answer.stdout, "");
    }
}

#[test]
fn another_user_is_not_taken_on_without_root() {
    if !is_root() {
        return skipped("only root can be somebody who is not");
    }
    let witness = Witness::new();
    let program = witness.copy(PORTCREW);
    let mut process = Program::new(&program)
        .args(["run", "--no-control", "--uid", "1", "--gid", "1"])
        .arg(&program)
        .cwd("/")
        .user(65_533, 65_532)
        .start();
    let (status, lines) = process.wait_output(HANG);
    assert_eq!(status.code(), Some(2), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.text.contains("only root can run workers as another user"))
    );
}

#[test]
fn a_low_port_is_denied_with_the_option_that_allows_it_and_served_with_that() {
    let node = require_node!();
    if !is_root() || is_free(LOW) {
        return skipped("only root can be another user, and low ports must be root's");
    }
    let stage = Witness::new();
    let script = stage.copy(fixture("hello.js"));
    let run = |allow: &[&str]| {
        let program =
            portcrew("run").args(["-w", "2", "--no-control", "--uid", USER, "--gid", GROUP]);
        let program = program.args(allow).arg(node.path()).arg(&script);
        let program = program.arg(LOW.to_string()).env("HELLO_ADDRESS", own_address().to_string());
        Crew { process: program.start() }
    };
    let mut crew = run(&[]);
    crew.process.wait_line(|line| line.contains("FAILED EACCES"), HANG);
    crew.says(&format!(
        "which its own user may not have, and was refused; allow it with --allow {LOW}"
    ));
    crew.process.signal(Signal::Term);
    crew.status();
    let said = crew.said().iter().filter(|line| line.contains("was refused; allow")).count();
    assert_eq!(said, 1, "it is said once: {:?}", crew.said());
    let mut crew = run(&["--allow", &LOW.to_string()]);
    let address = crew.serving(2);
    assert_eq!(address, SocketAddr::from((own_address(), LOW)));
    Load::new(address).requests(20).run().assert_all_ok();
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

#[test]
fn a_primary_with_one_capability_and_no_root_keeps_it_from_its_workers_and_uses_it_where_allowed() {
    let node = require_node!();
    let setpriv = std::process::Command::new("setpriv").arg("--version").output();
    if !is_root() || setpriv.is_err() || is_free(LOW_TOO) {
        return skipped("only root can be another user, by setpriv, and low ports must be root's");
    }
    let witness = Witness::new();
    let portcrew = witness.copy(PORTCREW);
    let script = witness.copy(fixture("hello.js"));
    let run = ["run", "-w", "2", "--no-control", "--uid", USER, "--gid", GROUP];
    let port = LOW_TOO.to_string();
    let server = [script.into_os_string(), OsString::from(&port)];
    let as_user = ["--reuid=65533", "--regid=65532", "--clear-groups"];
    let program = Program::new(&portcrew)
        .args(run)
        .args(["--allow", &port])
        .arg(witness.program())
        .args(witness.args(node.path(), server))
        .env("HELLO_ADDRESS", own_address().to_string())
        .cwd("/")
        .through(
            "setpriv",
            as_user.into_iter().chain([
                "--inh-caps=+net_bind_service",
                "--ambient-caps=+net_bind_service",
                "--",
            ]),
        );
    let mut crew = Crew { process: program.start() };
    let address = crew.address();
    assert_eq!(address, SocketAddr::from((own_address(), LOW_TOO)));
    Load::new(address).requests(20).run().assert_all_ok();
    for sight in all(&witness, 2) {
        sight.assert_rights(65_533, 65_532, "");
    }
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

#[test]
fn a_program_where_that_user_cannot_look_is_pointed_out() {
    let node = require_node!();
    if !is_root() {
        return skipped("only root can be another user");
    }
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let script = closed.path().join("server.js");
    std::fs::copy(fixture("hello.js"), &script).unwrap();
    let program = portcrew("run").args(["-w", "1", "--no-control", "--uid", USER, "--gid", GROUP]);
    let mut crew =
        Crew { process: program.arg("--interpreter").arg(node.path()).arg(&script).start() };
    let place = std::fs::canonicalize(closed.path()).unwrap();
    crew.says(&format!("by its mode {} does not let it on", place.display()));
    // Notes come before it listens to signals.
    crew.says(": 1 worker, ");
    crew.process.signal(Signal::Term);
    crew.status();
}

#[test]
fn a_worker_of_another_user_is_heard_on_its_notify_socket() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    let stage = Witness::new();
    let program = stage.copy(PORTCREW);
    // The worker is a primary, which says READY=1 to whoever started it.
    let inner = ["run", "-w", "1", "--no-control"];
    let outer = portcrew("run").args(["-w", "1", "--no-control", "--events", "--ready", "notify"]);
    let outer = outer.args(["--uid", USER, "--gid", GROUP]).arg(&program).args(inner).arg(&program);
    let mut crew = Crew { process: outer.args(["demo", "--port", "0"]).start() };
    crew.process.wait_line(|line| line.contains("\"event\":\"ready\",\"worker\":1"), HANG);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

#[test]
fn the_module_of_register_can_be_read_by_workers_of_another_user() {
    let node = require_node!();
    if !is_root() {
        return skipped("only root can be another user");
    }
    let place = Path::new("/run/portcrew-register");
    let was_there = place.exists();
    let stage = Witness::new();
    let script = stage.copy(fixture("hello.js"));
    let program = portcrew("run").args(["-w", "1", "--no-control", "--register"]);
    let program = program.args(["--uid", USER, "--gid", GROUP]).arg(node.path()).arg(script);
    let mut crew = Crew { process: program.start() };
    Load::new(crew.serving(1)).requests(5).run().assert_all_ok();
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    // What a crew leaves for the next one is not this machine's.
    if !was_there {
        std::fs::remove_dir_all(place).unwrap();
    }
}

#[test]
fn a_worker_of_another_user_cannot_reach_the_control_socket() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    let home = Home::new();
    let crew = home.crew("api", "1");
    for command in [&["stop"][..], &["reload"], &["restart"], &["describe"], &["why"], &["delete"]]
    {
        // As the other user, where the primary's own directories are.
        let stage = Witness::new();
        let args = [command, &["api"]].concat();
        let program = Program::new(stage.copy(PORTCREW)).args(args).cwd("/");
        let program = program.env("XDG_RUNTIME_DIR", home.path().join("run"));
        let (answer, _) = home.ended(program.user(65_533, 65_532).start());
        assert_ne!(answer.status, 0, "{command:?}: {}", answer.stdout);
    }
    Load::new(crew.address()).requests(10).run().assert_all_ok();
    let (_, status) = home.api("api", "GET", "/v1/status", "");
    assert_eq!(
        (&status["phase"], &status["generation"]),
        (&"running".into(), &0.into()),
        "{status}"
    );
}
