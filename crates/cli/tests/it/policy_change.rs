//! `portcrew policy` and `POST /v1/policy`: in force when it is answered, or not at all.

use std::fs;

use portcrew_testkit::http::Load;
use portcrew_testkit::{ports, require_node};
use serde_json::Value;

use crate::crew::Crew;
use crate::home::{Home, PORTCREW};
use crate::policies::several;

#[test]
fn a_policy_that_needs_other_workers_comes_with_them_or_stays_what_it_was() {
    let home = Home::new();
    let program = home.release();
    let args = ["run", "--name", "api", "-w", "1", program.to_str().unwrap()];
    let crew =
        Crew { process: home.program(&[&args[..], &["demo", "--port", "0"]].concat()).start() };
    let address = crew.address();
    let set = |policy: &str| {
        home.api("api", "POST", "/v1/policy", &format!(r#"{{"policy": "{policy}"}}"#))
    };
    let now = || home.api("api", "GET", "/v1/status", "").1["policy"].as_str().unwrap().to_owned();
    assert_eq!(set("sticky=cookie:sid").1["reloaded"], false);
    assert_eq!(now(), "sticky=cookie:sid");
    assert_eq!(set("stikcy").0, 400);
    assert_eq!(set("least-connections").1["reloaded"], false);
    assert_eq!(now(), "least-connections");
    home.break_release();
    for _ in 0..2 {
        let (status, problem) = set("shared");
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["output"][0], "cannot find the database");
        assert_eq!(now(), "least-connections");
    }
    home.mend_release();
    let (status, answer) = set("shared");
    assert_eq!((status, &answer["reloaded"]), (200, &true.into()), "{answer}");
    assert_eq!(now(), "shared");
    Load::new(address).requests(20).run().assert_all_ok();
    let (_, listeners) = home.api("api", "GET", "/v1/status", "");
    assert_eq!(listeners["listeners"][0]["policy"], "shared");
}

#[test]
fn a_crew_whose_connections_are_to_be_counted_cannot_be_shared_later_either() {
    let home = Home::new();
    let options = ["run", "--name", "api", "-w", "1", "--max-connections", "1000"];
    let program = home.program(&[&options[..], &[PORTCREW, "demo", "--port", "0"]].concat());
    let crew = Crew { process: program.start() };
    crew.address();
    home.complete("api");
    let answer = home.ask(&["policy", "api", "shared"]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    for part in ["--max-connections", "--policy round-robin"] {
        assert!(answer.stderr.contains(part), "{part}: {}", answer.stderr);
    }
    let status = home.json(&["describe", "--json", "api"]);
    assert_eq!(status["crews"][0]["policy"], "round-robin");
}

/// The policy of each listener by its port, and of all others.
fn policies(home: &Home, ports: [u16; 2]) -> (String, [String; 2]) {
    let (_, status) = home.api("api", "GET", "/v1/status", "");
    let of = |port: u16| {
        let address = Value::from(format!("127.0.0.1:{port}"));
        let listeners = status["listeners"].as_array().unwrap();
        let it = listeners.iter().find(|it| it["address"] == address).unwrap();
        it["policy"].as_str().unwrap().to_owned()
    };
    (status["policy"].as_str().unwrap().to_owned(), ports.map(of))
}

#[test]
fn single_listeners_get_policies_of_their_own_all_that_are_asked_for_or_none() {
    let _node = require_node!();
    let (home, (_directory, script)) = (Home::new(), several());
    let base = ports::free_behind(2);
    let ports @ [one, other] = [base + 1, base + 2];
    let args = ["run", "--name", "api", "-w", "1", script.to_str().unwrap()];
    let listens = ports.map(|it| it.to_string());
    let program = home.program(&args).args(&listens);
    let crew = Crew { process: program.start() };
    crew.all_serve(1);
    home.complete("api");
    let set = |policy: &str| home.ask(&["policy", "api", policy]);
    let now = || policies(&home, ports);
    let answer = set(&format!("{one}=sticky,{other}=least-connections"));
    let said = format!("api: {one}=sticky,{other}=least-connections from now on\n");
    assert_eq!((answer.status, answer.stdout), (0, said), "{}", answer.stderr);
    let as_set = ("round-robin".to_owned(), ["sticky", "least-connections"].map(str::to_owned));
    assert_eq!(now(), as_set);
    // What is wrong with one of them keeps the other from being set.
    for (policy, reason) in [
        (format!("{one}=rr,{other}=stikcy"), format!("for {other}: there is no policy `stikcy`.")),
        (format!("{one}=rr,1=sticky"), format!("no listener 1. There are {one}, {other};")),
    ] {
        let answer = set(&policy);
        assert_eq!(answer.status, 2, "{policy}: {}", answer.stderr);
        assert!(answer.stderr.contains(&reason), "{reason}: {}", answer.stderr);
        assert_eq!(now(), as_set);
    }
    // One needs other workers, and they do not come: the one that does not is what it was, too.
    let server = fs::read_to_string(&script).unwrap();
    fs::write(&script, "throw new Error('no such table')").unwrap();
    let wish = format!("{one}=shared,{other}=rr");
    let answer = set(&wish);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("the reload was rolled back"), "{}", answer.stderr);
    assert_eq!(now(), as_set);
    let described = home.ask(&["describe", "api"]).stdout;
    let line = format!("round-robin, {one}=sticky, {other}=least-connections\n");
    assert!(described.contains(&line), "{described}");
    fs::write(&script, server).unwrap();
    let json = home.json(&["policy", "--json", "api", &wish]);
    assert_eq!(json["results"][0]["reloaded"], true, "{json}");
    assert_eq!(now(), ("round-robin".to_owned(), ["shared", "round-robin"].map(str::to_owned)));
    assert_eq!(set(&format!("{one}=rr")).status, 0);
    assert_eq!(now().1, ["round-robin", "round-robin"]);
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], one));
    Load::new(address).requests(20).run().assert_all_ok();
}

#[test]
fn a_policy_can_be_changed_where_the_directory_of_the_start_was_removed() {
    let home = Home::new();
    let place = home.path().join("place");
    fs::create_dir(&place).unwrap();
    let args = ["run", "--name", "api", "-w", "1", PORTCREW, "demo", "--port", "0"];
    let crew = Crew { process: home.program(&args).cwd(&place).start() };
    crew.address();
    home.complete("api");
    fs::remove_dir(&place).unwrap();
    let answer = home.ask(&["policy", "api", "sticky"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(home.api("api", "GET", "/v1/status", "").1["policy"], "sticky");
    // A path that is absolute is looked for, and one that is not is a path from nowhere.
    let answer = home.ask(&["policy", "api", "/srv/a.sock=rr"]);
    assert!(answer.stderr.contains("no listener /srv/a.sock"), "{}", answer.stderr);
    let answer = home.ask(&["policy", "api", "./a.sock=rr"]);
    assert!(answer.stderr.contains("directory"), "{}", answer.stderr);
}
