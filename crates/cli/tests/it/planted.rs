//! What others plant: links on the way of root's files, and sequences that a terminal would obey.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Program, Signal};
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG, portcrew};
use crate::home::{Home, PORTCREW};

/// Who plants.
const ATTACKER: u32 = 65_533;

/// A directory of his, as an earlier login of his left it: with a link to where he wants root to write.
fn theirs(home: &Home, links: &[&str], victim: &Path) -> std::path::PathBuf {
    let theirs = home.path().join("theirs");
    fs::create_dir_all(theirs.join("portcrew")).unwrap();
    for link in links {
        symlink(victim, theirs.join("portcrew").join(link)).unwrap();
    }
    for directory in [&theirs, &theirs.join("portcrew")] {
        chown(directory, Some(ATTACKER), Some(ATTACKER)).unwrap();
    }
    theirs
}

fn is_root() -> bool {
    let is_root = crate::rights::is_root();
    if !is_root {
        eprintln!("skipped: only root is led elsewhere by others");
    }
    is_root
}

#[test]
fn root_writes_no_log_where_somebody_else_could_lead_it_elsewhere() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    let victim = home.path().join("victim");
    fs::create_dir(&victim).unwrap();
    // In place of the crew's directory, and of nothing yet.
    for (links, name) in [(&["api"][..], "api"), (&[], "other")] {
        let theirs = theirs(&home, links, &victim);
        let args = ["start", "--name", name, "-w", "1", PORTCREW, "demo", "--port", "0"];
        let (answer, _) = home.ended(home.program(&args).env("XDG_STATE_HOME", &theirs).start());
        assert_eq!(answer.status, 70, "{}", answer.stderr);
        for part in ["could lead root elsewhere", "user 65533", "XDG_STATE_HOME"] {
            assert!(answer.stderr.contains(part), "{}", answer.stderr);
        }
        assert!(!home.socket(name).exists(), "nothing was started");
        fs::remove_dir_all(theirs).unwrap();
    }
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
}

#[test]
fn root_makes_and_asks_no_control_socket_where_somebody_else_could_play_a_crew() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    let victim = home.path().join("victim");
    fs::create_dir(&victim).unwrap();
    let theirs = theirs(&home, &["api.sock", "api.lock"], &victim);
    // Root's own and closed, and yet he can put another in its place.
    chown(theirs.join("portcrew"), Some(0), Some(0)).unwrap();
    fs::set_permissions(theirs.join("portcrew"), PermissionsExt::from_mode(0o700)).unwrap();
    let with = |program: Program| program.env("XDG_RUNTIME_DIR", &theirs);
    let args = ["run", "--name", "api", "-w", "1", PORTCREW, "demo", "--port", "0"];
    let crew = Crew { process: with(home.program(&args)).start() };
    crew.says("no control socket: ");
    let (answer, _) = home.ended(with(home.program(&["list"])).start());
    assert_ne!(answer.status, 0);
    assert!(answer.stderr.contains("user 65533"), "{}", answer.stderr);
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
}

#[test]
fn the_module_that_workers_load_is_not_put_where_others_could_change_it() {
    let _node = require_node!();
    if !is_root() {
        return;
    }
    let home = Home::new();
    let theirs = theirs(&home, &[], home.path());
    chown(theirs.join("portcrew"), Some(0), Some(0)).unwrap();
    let program = portcrew("run").args(["--no-control", "--register"]).arg(fixture("hello.js"));
    let mut crew = Crew { process: program.env("XDG_STATE_HOME", &theirs).start() };
    assert_eq!(crew.status(), 2);
    crew.says("could lead root elsewhere");
    assert_eq!(fs::read_dir(theirs.join("portcrew")).unwrap().count(), 0);
}

/// A worker that says what a terminal would obey, in all ways that it has.
const SPEAKER: &str = r"
const title = '\x1b]0;owned\x07\x1b[2J\u009b31m\rportcrew: stopped\nreload: done\n\t0';
require('node:http').createServer().listen(process.argv[2] + title, () => {
  process.send({ text: '\u009b2J\x7f' });
  console.error('last words ' + title);
  process.once('SIGUSR2', () => process.exit(9));
});
";

/// None of these may be in what the primary or a command says, and no line that the worker made.
fn assert_harmless(text: &str, what: &str) {
    let bad = text.chars().find(|it| it.is_control() && *it != '\n');
    assert_eq!(bad, None, "{what}: {text:?}");
    let forged = |line: &str| line.trim_start_matches("portcrew: ").starts_with("reload: done");
    assert!(!text.lines().any(forged), "{what}: {text:?}");
}

#[test]
fn what_a_worker_writes_tells_the_operators_terminal_nothing() {
    let node = require_node!();
    let home = Home::new();
    let script = home.path().join("speaker.js");
    fs::write(&script, SPEAKER).unwrap();
    let socket = home.path().join("s");
    let args = ["run", "--name", "api", "-w", "1", "--events"];
    let program = home.program(&args).arg(node.path()).arg(&script).arg(&socket);
    let mut crew = Crew { process: program.start() };
    let events = crew.process.wait_line(|line| line.contains("\"event\":\"message\""), HANG);
    assert!(events.text.contains("\\u009b2J\\u007f"), "{}", events.text);
    home.complete("api");
    let pid = *crew.pids_when(1).first().unwrap();
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::USR2).unwrap();
    crew.process.wait_line(|line| line.contains("\"event\":\"exit\""), HANG);
    home.complete("api");
    for command in ["describe", "list", "why"] {
        for json in [&[][..], &["--json"]] {
            let answer = home.ask(&[&[command, "api"], json].concat());
            assert_eq!(answer.status, 0, "{command}: {}", answer.stderr);
            assert!(command == "list" || answer.stdout.contains("owned"), "{}", answer.stdout);
            assert_harmless(&answer.stdout, command);
        }
    }
    crew.process.signal(Signal::Term);
    crew.status();
    for line in crew.process.lines() {
        // What the worker itself printed is passed on as it is, behind its prefix.
        if !line.text.starts_with("1 | ") && !line.text.starts_with("2 | ") {
            assert_harmless(&line.text, "the primary");
        }
    }
    let said = crew.said().join("\n");
    assert!(said.contains("listening on ") && said.contains("\\u{1b}]0;owned"), "{said}");
}
