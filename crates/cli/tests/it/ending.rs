//! `portcrew stop`, `kill` and `delete`.

use std::fs;

use portcrew_testkit::process::Signal;

use crate::crew::{HANG, assert_gone};
use crate::home::{Home, PORTCREW};

#[test]
fn a_stopped_crew_is_gone_when_the_command_returns() {
    let home = Home::new();
    let mut crew = home.crew("api", "2");
    let pids = crew.pids();
    let answer = home.ask(&["stop", "api"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (0, "api: stopped\n"), "{}", answer.stderr);
    assert!(!home.socket("api").exists());
    assert_eq!(crew.status(), 0);
    assert_gone(&pids);
    assert!(crew.said().iter().any(|it| it.starts_with("asked on the control socket to stop")));
    let answer = home.ask(&["stop", "api"]);
    assert_eq!(answer.status, 6);
}

#[test]
fn several_crews_are_stopped_by_all_and_by_a_pattern() {
    let home = Home::new();
    let _crews = ["api-1", "api-2", "shop"].map(|name| home.crew(name, "1"));
    let answer = home.ask(&["stop", "api-*"]);
    assert_eq!(answer.stdout, "api-1: stopped\napi-2: stopped\n");
    let json = home.json(&["stop", "--json", "all"]);
    assert_eq!(json["results"][0]["name"], "shop");
    assert_eq!(json["results"][0]["killed"], 0);
    assert_eq!(home.ask(&["stop", "all"]).status, 6);
}

#[test]
fn a_crew_that_hangs_is_killed_with_its_workers() {
    let home = Home::new();
    let mut crew = home.crew("api", "2");
    let pids = crew.pids();
    crew.process.signal(Signal::Stop);
    let answer = home.ask(&["kill", "api"]);
    assert_eq!(answer.stdout, "api: did not answer and was killed\n", "{}", answer.stderr);
    crew.process.wait_exit(HANG);
    assert!(!home.socket("api").exists());
    portcrew_testkit::process::eventually("the workers' end", HANG, || {
        let alive =
            |pid: &u32| portcrew_testkit::process::proc_fs::state(*pid).is_ok_and(|it| it != 'Z');
        (!pids.iter().any(alive)).then_some(())
    });
}

#[test]
fn a_deleted_crew_leaves_no_logs_whether_it_runs_or_has_ended() {
    let home = Home::new();
    for stopped_before in [false, true] {
        let args = ["start", "--name", "api", "-w", "1", PORTCREW, "demo", "--port", "0"];
        let (started, _process) = home.ended(home.program(&args).start());
        assert_eq!(started.status, 0, "{}", started.stderr);
        assert!(home.logs("api").join("err.log").exists());
        if stopped_before {
            home.ask(&["stop", "api"]);
            assert!(home.logs("api").exists(), "stop keeps what was said");
        }
        let answer = home.ask(&["delete", "api"]);
        assert_eq!(
            (answer.status, answer.stdout.as_str()),
            (0, "api: deleted\n"),
            "{}",
            answer.stderr
        );
        assert!(!home.logs("api").exists());
    }
    fs::create_dir_all(home.path().join("precious")).unwrap();
    let answer = home.ask(&["delete", "../../precious"]);
    assert_eq!(answer.status, 6);
    assert!(home.path().join("precious").exists());
}

#[test]
fn a_number_that_names_a_crew_which_has_ended_is_never_the_pid_of_another() {
    let home = Home::new();
    let mut shop = home.crew("shop", "1");
    fs::create_dir_all(home.logs("shop")).unwrap();
    let number = shop.process.pid().to_string();
    let of_number = home.logs(&number);
    fs::create_dir_all(&of_number).unwrap();
    for command in ["stop", "kill"] {
        let answer = home.ask(&[command, &number]);
        assert_eq!(answer.status, 6, "{command}: {}", answer.stdout);
        assert!(answer.stderr.contains(&format!("there is no crew {number}")), "{}", answer.stderr);
    }
    let answer = home.ask(&["delete", &number]);
    assert_eq!((answer.status, answer.stdout), (0, format!("{number}: deleted\n")));
    assert!(!of_number.exists() && home.logs("shop").exists());
    assert_eq!(home.json(&["list", "--json"])["crews"][0]["name"], "shop");
    // Now nobody is called so, and it is the pid.
    let answer = home.ask(&["delete", &number]);
    assert_eq!((answer.status, answer.stdout.as_str()), (0, "shop: deleted\n"));
    assert_eq!(shop.status(), 0);
    assert!(!home.logs("shop").exists());
}
