//! Workers of another user than a privileged primary: what they are, and that nobody lends them what they lack.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;

use portcrew::Settings;
use portcrew_testkit::http::Load;
use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::{Program, eventually};
use portcrew_testkit::witness::Witness;
use serde_json::{Value, json};

use crate::forms::{LISTENER, Pair, own_place};
use crate::listen_errors::{LOW, everybody_may_use_low_ports};
use crate::stage::skip;
use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

const USER: u32 = 65_533;
const GROUP: u32 = 65_532;

/// As `RUN_AS` has it, with one more group.
const RUN_AS: &str = "65533:65532:65531";

/// A place for programs, where another user can be played.
fn stage() -> Option<Witness> {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can play another user");
    }
    if everybody_may_use_low_ports() {
        return skip("everybody may use low ports");
    }
    Some(Witness::new())
}

/// Workers that listen as they are told, ours and Node's, as that user; `ALLOW` is what they may have.
fn listeners(stage: &Witness, allow: &str) -> Vec<Pair> {
    let as_user = |program: Program| program.env("RUN_AS", RUN_AS).env("ALLOW", allow);
    let mut pairs = vec![Pair::of_rust(as_user(primary(stage.copy(LISTENER))), 1)];
    if let Some(node) = Node::find_or_skip() {
        let script = stage.copy(fixture("listener.js"));
        pairs.push(Pair::of_node(as_user(primary(node.path()).arg(script)), 1));
    }
    pairs
}

#[test]
fn workers_are_their_user_with_its_groups_and_nothing_beyond_and_serve() {
    let Some(stage) = stage() else { return };
    let ours = (stage.copy(SERVER), None);
    let node = Node::find_or_skip().map(|it| (it.path().to_owned(), Some("hello.js")));
    for (program, script) in [ours].into_iter().chain(node) {
        let witness = Witness::new();
        let script: Option<PathBuf> = script.map(|it| stage.copy(fixture(it)));
        let program = primary(witness.program()).args(witness.args(program, script));
        let mut crew = Crew::start(program.env("RUN_AS", RUN_AS));
        crew.tell("start 2");
        let address = crew.listening(2);
        Load::new(address).requests(50).run().assert_all_ok();
        crew.tell("kill 1 SIGKILL");
        crew.listening(1);
        let all =
            eventually("all were seen", HANG, || Some(witness.all()).filter(|it| it.len() == 3));
        for sight in all.values() {
            sight.assert_rights(USER, GROUP, "65531");
            assert_eq!(sight.says("NoNewPrivs"), "1");
            assert_eq!(sight.numbers(), [0, 1, 2, 3, 4]);
        }
        crew.tell("stop");
        crew.next("finished");
    }
}

#[test]
fn a_user_is_found_by_its_name_with_its_groups() {
    let settings = Settings::default().run_as("root").unwrap();
    assert_eq!((settings.uid, settings.gid), (Some(0), Some(0)));
    assert!(settings.groups.contains(&0));
    let error = Settings::default().run_as("no such user").unwrap_err();
    assert!(error.to_string().contains("there is no such user"), "{error}");
}

/// What a worker hears of a refusal, ours and Node's alike but for the sign of the number.
fn assert_denied(said: &Value) {
    assert_eq!((&said["code"], &said["syscall"]), (&json!("EACCES"), &json!("bind")), "{said}");
}

#[test]
fn low_ports_paths_and_descriptors_are_denied_and_the_user_is_told_what_to_allow() {
    let Some(stage) = stage() else { return };
    for mut pair in listeners(&stage, "") {
        pair.crew.tell("hold tcp");
        let fd = pair.crew.next("held")["fd"].as_i64().unwrap();
        let path = stage.directory().join("socket");
        for (on, lacks) in [
            (format!("127.0.0.1:{LOW}"), LOW.to_string()),
            (format!(":{LOW}"), LOW.to_string()),
            (format!("unix:{}", path.display()), path.display().to_string()),
            (format!("fd:{fd}"), format!("fd:{fd}")),
        ] {
            assert_denied(&pair.listen(1, "it", &on, &json!({})));
            let told = pair.crew.next("listen-failed");
            assert_eq!((&told["errno"], &told["lacks"]), (&json!(13), &json!(lacks)), "{told}");
        }
        assert!(!path.exists());
        // What its user can have itself it gets.
        assert!(pair.listens(1, "127.0.0.1:0") >= 1024);
    }
}

#[test]
fn what_is_allowed_is_served_and_its_neighbour_is_not() {
    let Some(stage) = stage() else { return };
    let place = own_place().ip();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let allow = format!("{LOW},{}", path.display());
    for mut pair in listeners(&stage, &allow) {
        assert_eq!(pair.listens(1, &format!("{place}:{LOW}")), LOW);
        Load::new(std::net::SocketAddr::from((place, LOW))).requests(20).run().assert_all_ok();
        let said = pair.listen(1, "path", &format!("unix:{}", path.display()), &json!({}));
        assert_eq!(said["listening"], "path", "{said}");
        assert!(path.exists());
        assert_denied(&pair.listen(1, "no", &format!("{place}:{}", LOW + 1), &json!({})));
        let beside = directory.path().join("./socket");
        let said = pair.listen(1, "no", &format!("unix:{}x", beside.display()), &json!({}));
        assert_denied(&said);
        pair.crew.tell("disconnect");
        pair.crew.next("exit");
    }
}

#[test]
fn a_worker_that_was_taken_over_gets_nothing_by_its_own_questions() {
    let Some(stage) = stage() else { return };
    let path = stage.directory().join("stolen");
    let asked = [
        format!("127.0.0.1:{LOW}"),
        "udp:127.0.0.1:53".into(),
        format!("unix:{}", path.display()),
        // The primary's own streams, and whatever it has open.
        "fd:0".into(),
        "fd:3".into(),
        "fd:9".into(),
    ];
    let program = primary(stage.copy(ROGUE)).arg("ask").env("RUN_AS", RUN_AS);
    let mut crew = Crew::start(program.env("ADDRESS", asked.join(",")));
    crew.tell("fork");
    for address in &asked {
        crew.process.wait_line(|line| line == format!("REFUSED {address} -13"), HANG);
        assert_eq!(crew.next("listen-failed")["errno"], 13);
    }
    assert!(!crew.process.lines().iter().any(|line| line.text.starts_with("GIVEN")));
    assert!(!path.exists());
    let address = format!("127.0.0.1:{LOW}");
    assert!(std::net::TcpListener::bind(&address).is_ok(), "nobody listens there");
    crew.assert_no_panic();
}

#[test]
fn a_worker_of_the_primarys_own_user_is_refused_nothing() {
    let Some(stage) = stage() else { return };
    let mut pair = Pair::of_rust(primary(stage.copy(LISTENER)), 1);
    let place = own_place().ip();
    assert_eq!(pair.listens(1, &format!("{place}:{LOW}")), LOW);
    let path = stage.directory().join("socket");
    let said = pair.listen(1, "path", &format!("unix:{}", path.display()), &json!({}));
    assert_eq!(said["listening"], "path", "{said}");
}

/// What somebody plants at the place of a socket that root is to make for him.
#[test]
fn a_path_through_a_place_that_others_can_change_is_refused_though_it_is_allowed() {
    let Some(stage) = stage() else { return };
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let victim = place.path().join("victim");
    fs::create_dir(&victim).unwrap();
    let theirs = place.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(USER), Some(GROUP)).unwrap();
    // The directory in which the socket would be made, and the one through which it would be reached.
    std::os::unix::fs::symlink(&victim, theirs.join(".socket.portcrew")).unwrap();
    std::os::unix::fs::symlink(&victim, theirs.join("way")).unwrap();
    for path in [theirs.join("socket"), theirs.join("way/socket")] {
        for mut pair in listeners(&stage, &path.display().to_string()) {
            let options = json!({ "everybody": true });
            assert_denied(&pair.listen(1, "it", &format!("unix:{}", path.display()), &options));
            let told = pair.crew.next("error");
            let words = told["error"].to_string();
            assert!(
                words.contains(&theirs.display().to_string()) && words.contains("65533"),
                "{told}"
            );
        }
    }
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
}

/// Links in a place where everybody may write lead root nowhere either.
#[test]
fn a_link_at_the_place_of_a_socket_is_not_followed() {
    let stage = Witness::new();
    let victim = tempfile::tempdir().unwrap();
    let precious = victim.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let path = stage.directory().join("socket");
    std::os::unix::fs::symlink(&precious, &path).unwrap();
    let hidden = stage.directory().join(".other.portcrew");
    std::os::unix::fs::symlink(victim.path(), &hidden).unwrap();
    let mut pair = Pair::of_rust(primary(LISTENER), 1);
    for (name, code) in [("socket", "EADDRINUSE"), ("other", "ENOTDIR")] {
        let on = format!("unix:{}", stage.directory().join(name).display());
        let said = pair.listen(1, "it", &on, &json!({ "everybody": true }));
        assert_eq!(said["code"], code, "{said}");
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 1);
    assert_eq!(fs::metadata(&precious).unwrap().permissions().mode() & 0o022, 0);
}
