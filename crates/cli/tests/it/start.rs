//! `portcrew start`: a crew in the background, ready or not when the command returns.

use std::fs;
use std::os::unix::fs::MetadataExt;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::proc_fs;

use crate::home::{Home, PORTCREW, normal};

#[test]
fn a_crew_in_the_background_serves_when_the_command_returns_and_is_stopped_by_name() {
    let home = Home::new();
    let args = ["start", "-w", "2", "--name", "api", PORTCREW, "demo", "--port", "0"];
    let (answer, _process) = home.ended(home.program(&args).start());
    assert_eq!(
        normal(&answer.stdout, &home),
        "api: 2 workers ready on 127.0.0.1:PORT, pid PID\n\
         its output is in HOME/state/portcrew/api\n"
    );
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let status = home.json(&["describe", "--json", "api"]);
    let status = &status["crews"][0];
    let address: std::net::SocketAddr = status["addresses"][0].as_str().unwrap().parse().unwrap();
    Load::new(address).requests(10).run().assert_all_ok();
    let log = home.logs("api").join("err.log");
    assert_eq!(status["logs"]["err"], log.to_str().unwrap());
    assert!(fs::read_to_string(&log).unwrap().contains("portcrew: listening on "));
    assert_eq!(fs::metadata(&log).unwrap().mode() & 0o777, 0o600);
    // A session of its own, and nothing of ours held open.
    let pid = u32::try_from(status["pid"].as_u64().unwrap()).unwrap();
    let fds = proc_fs::fds(pid).unwrap();
    assert_eq!(fds[0].1, "/dev/null");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat[stat.rfind(')').unwrap()..].split(' ').nth(4).unwrap().to_owned();
    assert_eq!(session, pid.to_string());
    assert_eq!(home.ask(&["stop", "api"]).status, 0);
}

#[test]
fn with_json_the_answer_is_what_describe_says_and_of_run_it_is_refused() {
    let home = Home::new();
    let args = ["start", "--json", "-w", "2", "--name", "api", PORTCREW, "demo", "--port", "0"];
    let (answer, _process) = home.ended(home.program(&args).start());
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let told: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let described = home.json(&["describe", "--json", "api"]);
    let same = |field: &str| assert_eq!(told["crews"][0][field], described["crews"][0][field]);
    ["name", "pid", "ready", "addresses", "logs"].into_iter().for_each(same);
    assert_eq!((&told["api"], &told["crews"][0]["ready"]), (&1.into(), &2.into()));
    let answer = home.ask(&["run", "--json", PORTCREW, "demo"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("--json is an option of `portcrew start`"), "{}", answer.stderr);
}

#[test]
fn a_second_start_of_a_name_says_so_and_the_first_goes_on() {
    let home = Home::new();
    let args = ["start", "-w", "1", "--name", "api", PORTCREW, "demo", "--port", "0"];
    let (_, _process) = home.ended(home.program(&args).start());
    let answer = home.ask(&args);
    assert_eq!(answer.status, 5);
    assert!(answer.stderr.contains("a crew called api runs already"), "{}", answer.stderr);
    assert_eq!(home.json(&["list", "--json"])["crews"][0]["ready"], 1);
}

#[test]
fn a_crew_that_fails_is_said_to_have_failed_with_its_words_and_its_status() {
    let home = Home::new();
    let script = home.path().join("boom.sh");
    fs::write(&script, "echo no such database >&2\nexit 7\n").unwrap();
    let (answer, _process) = home.ended(home.program(&["start", "-w", "1", "boom.sh"]).start());
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.starts_with("portcrew: boom did not start; it said:\n"));
    for part in ["no such database", "exited with status 7", "gave up"] {
        assert!(answer.stderr.contains(part), "{part}: {}", answer.stderr);
    }
    let answer = home.ask(&["start", "missing.js"]);
    assert_eq!(answer.status, 127);
    let answer = home.ask(&["start", "--no-control", PORTCREW, "demo"]);
    assert_eq!(answer.status, 2);
}

#[test]
fn options_behind_the_program_are_pointed_out_by_start_itself() {
    let home = Home::new();
    let script = home.path().join("sleep.sh");
    fs::write(&script, "exit 7\n").unwrap();
    let args = ["start", "-w", "1", "sleep.sh", "-w", "2", "--name", "foo"];
    let (answer, _process) = home.ended(home.program(&args).start());
    let first = answer.stderr.lines().next().unwrap();
    assert_eq!(
        first,
        "portcrew: `-w`, `--name` stand behind `sleep.sh`, which gets them. If they are meant for portcrew, write \
         them before: portcrew start -w ... --name ... sleep.sh. If not, say so: portcrew start -- sleep.sh -w ... \
         --name ..."
    );
    let (answer, _process) =
        home.ended(home.program(&["start", "-w", "1", "--", "sleep.sh", "-w", "2"]).start());
    assert!(!answer.stderr.contains("behind"), "{}", answer.stderr);
}

#[test]
fn the_name_is_the_programs_when_none_is_given_and_its_own_options_stay_its_own() {
    let home = Home::new();
    let args = ["start", "-w", "1", "--", PORTCREW, "demo", "--port", "0"];
    let (answer, _process) = home.ended(home.program(&args).start());
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let status = home.json(&["describe", "--json", "portcrew"]);
    let program = status["crews"][0]["program"].as_str().unwrap();
    assert!(program.ends_with("demo --port 0"), "{program}");
}
