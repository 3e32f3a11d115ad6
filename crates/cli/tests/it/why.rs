//! `portcrew why`: what befell a crew last, with causes and last lines.

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, eventually};
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG};
use crate::home::{Home, normal};

#[test]
fn a_killed_worker_is_told_with_its_cause_its_last_lines_and_what_came_of_it() {
    let _node = require_node!();
    let home = Home::new();
    let script = fixture("hello.js");
    let args = ["run", "--name", "api", "-w", "1", script.to_str().unwrap()];
    let crew = Crew { process: home.program(&args).start() };
    crew.serving(1);
    let answer = home.ask(&["why", "api"]);
    assert_eq!(answer.stdout, "api: nothing befell it since its start\n");
    let worker = *crew.pids().first().unwrap();
    crew.process.signal_descendant(worker, Signal::Kill).unwrap();
    crew.says("was ended by SIGKILL");
    let why = eventually("the replacement", HANG, || {
        let why = home.json(&["why", "--json", "api"]);
        why["crews"][0]["chain"][0]["then"].is_string().then_some(why)
    });
    let link = &why["crews"][0]["chain"][0];
    assert_eq!((&link["what"], &link["pid"]), (&"lost".into(), &worker.into()));
    assert_eq!(link["because"], "was ended by SIGKILL");
    let text = normal(&home.ask(&["why", "api"]).stdout, &home);
    assert!(text.starts_with("api\nAGE ago  worker 1 (slot 0, pid PID) was ended by SIGKILL\na new one started after AGE\n"), "{text}");
    assert!(text.contains("| LISTENING 127.0.0.1:PORT\n"), "{text}");
}

#[test]
fn what_was_asked_for_stands_in_the_chain() {
    let home = Home::new();
    let _crew = home.crew("api", "1");
    home.ask(&["scale", "api", "2"]);
    home.ask(&["reload", "api"]);
    let text = normal(&home.ask(&["why", "api"]).stdout, &home);
    assert_eq!(
        text,
        "api\n\
         AGE ago  asked on the control socket for 2 workers in place of 1\n\
         AGE ago  asked on the control socket to reload\n\
         AGE ago  every worker is of generation 1\n"
    );
}
