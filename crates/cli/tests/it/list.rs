//! `portcrew list`: what runs, in one table.

use portcrew_testkit::process::Signal;

use crate::home::{Home, normal};

#[test]
fn two_crews_are_listed_in_the_order_of_their_names() {
    let home = Home::new();
    let _shop = home.crew("shop", "2");
    let _api = home.crew("api", "1");
    let answer = home.ask(&["list"]);
    assert_eq!(
        normal(&answer.stdout, &home),
        "crew  state  workers  listens on  pid  up  gen  restarts  cpu  memory\n\
         api  running  1/1  127.0.0.1:PORT  PID  AGE  0  0  CPU  SIZE\n\
         shop  running  2/2  127.0.0.1:PORT  PID  AGE  0  0  CPU  SIZE\n"
    );
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    for alias in ["ls", "status"] {
        assert_eq!(normal(&home.ask(&[alias]).stdout, &home), normal(&answer.stdout, &home));
    }
    let pid = home.json(&["list", "--json", "shop"])["crews"][0]["pid"].to_string();
    for shop in ["sh*", &pid] {
        let one = home.ask(&["list", shop]);
        assert!(one.stdout.contains("shop") && !one.stdout.contains("api"), "{}", one.stdout);
    }
}

#[test]
fn the_json_has_everything_and_no_value_of_the_environment() {
    let home = Home::new();
    let program = ["run", "--name", "api", "-w", "1", "--env", "TOKEN=hunter2"];
    let server = [crate::home::PORTCREW, "demo", "--port", "0"];
    let process = home.program(&[&program[..], &server].concat()).start();
    let crew = crate::crew::Crew { process };
    crew.address();
    let list = home.json(&["list", "--json"]);
    assert_eq!((&list["api"], &list["silent"]), (&1.into(), &serde_json::json!([])));
    assert_eq!(list["crews"][0]["name"], "api");
    assert_eq!(list["crews"][0]["workers"][0]["state"], "ready");
    let all = list.to_string() + &home.ask(&["describe", "api"]).stdout;
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn without_crews_the_list_says_so_and_is_a_success() {
    let home = Home::new();
    let answer = home.ask(&["list"]);
    assert_eq!(answer.stdout, "no crew runs; `portcrew start PROGRAM` starts one\n");
    assert_eq!(answer.status, 0);
    assert_eq!(home.json(&["list", "--json"])["crews"], serde_json::json!([]));
}

#[test]
fn a_crew_that_does_not_answer_is_listed_as_silent() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    crew.process.signal(Signal::Stop);
    let answer = home.ask(&["list"]);
    crew.process.signal(Signal::Cont);
    assert!(
        normal(&answer.stdout, &home).ends_with("api  silent  -  -  PID  -  -  -  -  -\n"),
        "{}",
        answer.stdout
    );
    assert_eq!(answer.status, 0);
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_and_a_status() {
    let home = Home::new();
    let _crew = home.crew("shop", "1");
    for command in ["list", "describe", "reload", "stop", "why", "events", "restart", "delete"] {
        let answer = home.ask(&[command, "shpo"]);
        assert_eq!(answer.status, 6, "{command}");
        assert_eq!(
            answer.stderr, "portcrew: there is no crew shpo. Did you mean shop?\n",
            "{command}"
        );
    }
    let answer = home.ask(&["scale", "shpo", "2"]);
    assert_eq!(answer.status, 6, "{}", answer.stderr);
}
