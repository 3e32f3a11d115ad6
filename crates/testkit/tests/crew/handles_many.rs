//! Many senders at once, and receivers that die with sockets on their way to them.

use std::io::Read as _;
use std::net::SocketAddr;

use portcrew_testkit::process::proc_fs;
use serde_json::json;

use crate::kid::connect;
use crate::support::{Crew, ROGUE, SERVER, primary, scaled};

#[test]
fn every_socket_that_one_of_many_workers_sends_survives_its_sender() {
    let workers = scaled(20, 80);
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(usize::try_from(workers).unwrap());
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    crew.tell(r#"broadcast {"op":"give","kind":"stream"}"#);
    let given = (0..workers).map(|_| {
        let event = crew.next_where("message", |it| it["message"]["given"].is_string());
        event["message"]["given"].as_str().unwrap().parse::<SocketAddr>().unwrap()
    });
    let clients: Vec<_> = given.collect::<Vec<_>>().into_iter().map(connect).collect();
    // The primary writes to each when it has come, and its worker has closed its own by then or will.
    for mut client in clients {
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "primary");
    }
    for _ in 0..workers {
        let event = crew.next_where("message", |it| it["message"] == "here");
        assert_eq!(event["handle"], "TcpStream");
    }
    crew.assert_fds(before);
}

#[test]
fn a_worker_that_dies_with_sockets_on_their_way_costs_no_descriptor() {
    for (program, exits) in [(SERVER, true), (ROGUE, false)] {
        let mut crew = Crew::start(primary(program).arg("deaf"));
        // Their listener outlives them, so one that was sent nothing comes first.
        crew.fork(1);
        crew.tell("kill 1 SIGKILL");
        crew.next("exit");
        crew.next("disconnect");
        let before = proc_fs::fd_count(crew.pid()).unwrap();
        crew.fork(1);
        if exits {
            // By the time of the sockets it may be there, or going, or gone: then they are refused at once.
            crew.tell(r#"send 2 {"op":"exit","code":0}"#);
            crew.tell("crowd 2 50 20000");
        } else {
            crew.tell("crowd 2 50 20000");
            crew.next("crowd");
            crew.tell("kill 2 SIGKILL");
        }
        crew.next("exit");
        crew.next("disconnect");
        crew.assert_fds(before);
        crew.assert_no_panic();
        crew.tell(&format!("program {SERVER}"));
        crew.fork(1);
        crew.tell(r#"send 3 "still there?""#);
        assert_eq!(crew.message(3), json!({ "echo": "still there?" }));
    }
}
