//! A worker gets what is its own and nothing that its primary has: descriptors, variables, signals.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::{Program, eventually, proc_fs};
use portcrew_testkit::witness::{Sight, Witness};
use serde_json::json;

use crate::stage::skip;
use crate::support::{Crew, HANG, SERVER, primary};

/// A primary of our workers and one of Node's, each of which is seen at its start: started by itself, and by the exec
/// helper.
fn each_way(witness: &Witness) -> Vec<Program> {
    let of = |program: &Path, args: &[PathBuf]| {
        primary(witness.program()).args(witness.args(program, args)).env("STABLE_MS", "10")
    };
    let both = || {
        let node = Node::find_or_skip().map(|it| of(it.path(), &[fixture("hello.js")]));
        [of(SERVER.as_ref(), &[])].into_iter().chain(node)
    };
    both().chain(both().map(|program| program.env("DIRECTORY", "/"))).collect()
}

/// Whether a program that a test begins with is there and does this; says visibly where it does not.
fn can(program: &str, args: &[&str]) -> bool {
    let tried = Command::new(program).args(args).output();
    let can = tried.is_ok_and(|it| it.status.success());
    can || skip::<bool>(&format!("there is no {program} here that can {args:?}")).is_some()
}

/// Descriptors 3, 7 and 50 are open in what is started, as a careless shell leaves them.
fn with_strange_descriptors(program: Program) -> Program {
    let script = "exec 3</dev/zero 7>/dev/full 50</dev/zero; exec \"$@\"";
    program.through("bash", ["-c", script, "bash"])
}

/// As many workers as that have been started by now, and each has what is its own.
fn assert_all_exact(witness: &Witness, count: usize) {
    let all = eventually("all workers were seen", HANG, || {
        let all = witness.all();
        (all.len() >= count).then_some(all)
    });
    for sight in all.values() {
        assert_eq!(sight.numbers(), [0, 1, 2, 3, 4], "{sight:#?}");
        assert_eq!(sight.fds[&0], "/dev/null");
        let sockets = [3, 4].map(|own| &sight.fds[&own]);
        assert!(sockets.iter().all(|it| it.starts_with("socket:")), "{sight:#?}");
        assert_ne!(sockets[0], sockets[1]);
    }
    // Nobody has another's channel.
    let channels: std::collections::BTreeSet<_> = all.values().map(|it| &it.fds[&3]).collect();
    assert_eq!(channels.len(), all.len());
}

#[test]
fn workers_have_their_three_streams_channel_and_lane_also_under_load_and_after_deaths_and_reloads()
{
    if !can("bash", &["--version"]) {
        return;
    }
    let count = each_way(&Witness::new()).len();
    for way in 0..count {
        let witness = Witness::new();
        let program = each_way(&witness).swap_remove(way);
        let mut crew = Crew::start(with_strange_descriptors(program));
        let strange = proc_fs::fds(crew.pid()).unwrap();
        let has = |number: u32| strange.iter().any(|(it, _)| *it == number);
        assert!(has(3) && has(7) && has(50), "the test shows nothing: {strange:?}");
        crew.tell("start 2");
        let address = crew.listening(2);
        let load = Load::new(address).clients(16).background();
        load.wait_answered(100, HANG);
        // Connections are held, offered and open while successors are started.
        crew.tell("kill 1 SIGKILL");
        crew.next("exit");
        crew.listening(1);
        crew.tell("reload");
        crew.next_where("crew", |it| it["notice"].as_str().unwrap().contains("Committed"));
        load.wait_answered(100, HANG);
        // What was inside the killed worker failed: other tests count that.
        let _ = load.finish();
        assert_all_exact(&witness, 5);
        crew.tell("stop");
        crew.next("finished");
    }
}

/// What a primary may find in its own environment, and no worker may take for its own. The channel's number is not among
/// them: a process that has it has a channel.
const STRANGE: [(&str, &str); 14] = [
    ("NODE_UNIQUE_ID", "77"),
    ("NODE_CHANNEL_SERIALIZATION_MODE", "advanced"),
    ("PORTCREW_LANE_FD", "78"),
    ("PORTCREW_SLOT", "79"),
    ("PORTCREW_GENERATION", "80"),
    ("LISTEN_FDS", "1"),
    ("LISTEN_PID", "81"),
    ("LISTEN_FDNAMES", "strange"),
    ("LISTEN_PIDFDID", "82"),
    ("NOTIFY_SOCKET", "/strange"),
    ("WATCHDOG_USEC", "83"),
    ("WATCHDOG_PID", "84"),
    ("NODE_CLUSTER_SCHED_POLICY", "rr"),
    ("KEPT", "as it is"),
];

fn assert_clean(sight: &Sight, id: Option<&str>, is_in_crew: bool) {
    let has = |name: &str| sight.env.get(name).map(String::as_str);
    assert_eq!(has("KEPT"), Some("as it is"), "{sight:#?}");
    assert_eq!(has("NODE_UNIQUE_ID"), id, "{sight:#?}");
    assert_eq!(has("NODE_CHANNEL_FD"), Some("3"));
    assert_eq!(has("NODE_CHANNEL_SERIALIZATION_MODE"), Some("json"));
    assert_eq!(has("PORTCREW_LANE_FD"), id.map(|_| "4"));
    assert_eq!(has("PORTCREW_SLOT"), is_in_crew.then_some("0"));
    assert_eq!(has("PORTCREW_GENERATION"), is_in_crew.then_some("0"));
    let mut left = sight.env.keys().filter(|name| {
        name.starts_with("LISTEN_") || name.starts_with("WATCHDOG_") || *name == "NOTIFY_SOCKET"
    });
    assert_eq!(left.next(), None, "{sight:#?}");
    assert!(!sight.env.contains_key("PORTCREW_EXEC"));
}

#[test]
fn what_describes_the_primary_or_its_own_channel_never_reaches_a_worker() {
    let count = each_way(&Witness::new()).len();
    for way in 0..count {
        let witness = Witness::new();
        let program = each_way(&witness).swap_remove(way);
        let program = STRANGE.into_iter().fold(program, |it, (name, value)| it.env(name, value));
        let mut crew = Crew::start(program);
        // Not by the user's hand either: of these the last word is the primary's.
        crew.tell("fork 1 NODE_CHANNEL_FD=9 LISTEN_FDS=1 LISTEN_PID=1 PORTCREW_LANE_FD=9");
        let pid = crew.next("fork")["pid"].as_u64().unwrap();
        crew.next("online");
        assert_clean(&seen(&witness, pid), Some("1"), false);
        crew.tell("start 1");
        let pid = crew.next("fork")["pid"].as_u64().unwrap();
        crew.next("online");
        assert_clean(&seen(&witness, pid), Some("2"), true);
        crew.tell("stop");
        crew.next("finished");
    }
}

fn seen(witness: &Witness, pid: u64) -> Sight {
    let pid = u32::try_from(pid).unwrap();
    eventually("the worker was seen", HANG, || witness.read(pid))
}

#[test]
fn workers_begin_with_every_signal_as_the_system_has_it_whatever_the_primary_ignores_or_blocks() {
    let signals = ["--ignore-signal=CHLD,PIPE,HUP,USR2", "--block-signal=USR1,WINCH"];
    if !can("env", &[signals[0], signals[1], "true"]) {
        return;
    }
    let count = each_way(&Witness::new()).len();
    for way in 0..count {
        let witness = Witness::new();
        let program = each_way(&witness).swap_remove(way);
        let mut crew = Crew::start(program.through("env", signals));
        let own = std::fs::read_to_string(format!("/proc/{}/status", crew.pid())).unwrap();
        let ignored = own.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
        let ignored = u64::from_str_radix(ignored, 16).unwrap();
        assert_eq!(ignored & 1, 1, "the test shows nothing: {own}");
        crew.tell("fork");
        let pid = crew.next("fork")["pid"].as_u64().unwrap();
        crew.next("online");
        let sight = seen(&witness, pid);
        for mask in ["SigIgn", "SigBlk", "ShdPnd", "SigPnd"] {
            // Signals 32 and 33 belong to the C library, which leaves them ignored in what it spawns.
            let bits = u64::from_str_radix(sight.says(mask), 16).unwrap() & !(0b11 << 31);
            assert_eq!(bits, 0, "{mask}: {sight:#?}");
        }
        // Its end is heard though the primary began with SIGCHLD ignored.
        crew.tell("kill 1 SIGKILL");
        let exit = crew.next("exit");
        assert_eq!((&exit["code"], &exit["signal"]), (&json!(null), &json!(9)));
    }
}
