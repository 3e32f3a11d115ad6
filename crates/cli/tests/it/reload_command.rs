//! `portcrew reload` and `restart`: the verdict is the exit status.

use portcrew_testkit::http::Load;

use crate::crew::{Crew, HANG};
use crate::home::{Home, normal};

/// A crew of a program that can be replaced.
fn release(home: &Home) -> Crew {
    let program = home.release();
    let program = program.to_str().unwrap();
    let args = ["run", "--name", "api", "-w", "2", program, "demo", "--port", "0"];
    let crew = Crew { process: home.program(&args).start() };
    crew.address();
    home.complete("api");
    crew
}

#[test]
fn a_good_release_is_taken_and_no_request_fails() {
    let home = Home::new();
    let crew = release(&home);
    let load = Load::new(crew.address()).clients(2).background();
    load.wait_answered(10, HANG);
    let old = crew.pids();
    let answer = home.ask(&["reload", "api"]);
    assert_eq!(
        (answer.status, answer.stdout.contains("generation 1")),
        (0, true),
        "{}",
        answer.stdout
    );
    assert!(normal(&answer.stdout, &home).starts_with("api: reloaded in AGE, generation 1"));
    load.finish().assert_all_ok();
    assert!(crew.pids_when(2).is_disjoint(&old));
}

#[test]
fn a_broken_release_is_rolled_back_with_its_reason_its_last_lines_and_status_1() {
    let home = Home::new();
    let crew = release(&home);
    let load = Load::new(crew.address()).clients(2).background();
    load.wait_answered(10, HANG);
    let old = crew.pids();
    home.break_release();
    let answer = home.ask(&["reload", "api"]);
    assert_eq!(answer.status, 1);
    assert_eq!(
        answer.stderr,
        "portcrew: api: the reload was rolled back: new worker 3 exited with status 3; the old workers go on; mend \
         the program and reload again\n\
         portcrew:   | cannot find the database\n"
    );
    load.finish().assert_all_ok();
    assert_eq!(crew.pids_when(2), old);
    let json = home.json(&["reload", "--json", "api"]);
    assert_eq!(json["results"][0]["ok"], false);
    assert_eq!(json["results"][0]["output"][0], "cannot find the database");
    assert_eq!(home.json(&["list", "--json"])["crews"][0]["generation"], 0);
}

#[test]
fn reloads_that_are_asked_for_together_get_the_same_verdict() {
    let home = Home::new();
    let _crew = release(&home);
    let all: Vec<_> = (0..4).map(|_| home.program(&["reload", "--json", "api"]).start()).collect();
    let mut generations = std::collections::BTreeSet::new();
    for process in all {
        let (answer, _) = home.ended(process);
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
        generations.insert(json["results"][0]["generation"].as_u64().unwrap());
    }
    assert!(generations.len() <= 2, "some came too late for the first: {generations:?}");
}

#[test]
fn a_restart_is_a_reload_that_says_so_and_a_hard_one_ends_the_old_workers_first() {
    let home = Home::new();
    let crew = release(&home);
    let old = crew.pids();
    let answer = home.ask(&["restart", "api"]);
    assert_eq!(answer.status, 0);
    assert!(answer.stderr.contains("restart is reload here"), "{}", answer.stderr);
    let new = crew.pids_when(2);
    assert!(new.is_disjoint(&old));
    let answer = home.ask(&["restart", "--hard", "api"]);
    assert_eq!(answer.stdout, "api: 2 workers restarted\n", "{}", answer.stderr);
    assert!(crew.pids_when(2).is_disjoint(&new));
}
