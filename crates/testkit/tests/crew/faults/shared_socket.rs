//! Workers share a listening socket, and one of them does to it what is done to all.

use std::time::{Duration, Instant};

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{eventually, proc_fs};

use crate::support::{Crew, HANG, ROGUE, SERVER, listening_sockets, primary, scaled};

fn shared(good: usize, part: &str) -> (Crew, std::net::SocketAddr) {
    let program = primary(SERVER).env("NODE_CLUSTER_SCHED_POLICY", "none");
    let mut crew = Crew::start(program);
    let address = crew.fork(good);
    crew.tell(&format!("program {ROGUE} {part}"));
    crew.fork(1);
    (crew, address)
}

#[test]
fn a_mode_that_one_changes_for_all_keeps_the_primary_from_nothing() {
    let (mut crew, address) = shared(2, "flips");
    for _ in 0..10 {
        crew.next("flipped");
        // It obeys at once, and serves nobody itself.
        crew.snapshot();
    }
    Load::new(address).clients(8).requests(scaled(200, 5_000)).run().assert_all_ok();
    crew.tell("kill 3 SIGKILL");
    crew.next("exit");
    Load::new(address).clients(8).requests(200).run().assert_all_ok();
}

#[test]
fn a_socket_that_one_shuts_down_listens_again_and_the_others_go_on_accepting() {
    // Few wait in one way, many in another.
    for good in [2, 5] {
        let (mut crew, address) = shared(good, "shuts");
        let rogue = good + 1;
        Load::new(address).clients(8).requests(100).run().assert_all_ok();
        let before = proc_fs::fd_count(crew.pid()).unwrap();
        for round in 0..5 {
            crew.tell(&format!("send {rogue} \"now\""));
            crew.next("flipped");
            // Those that follow one another are one piece of news.
            if round == 0 {
                let error = crew.next("error");
                assert!(error["error"].as_str().unwrap().contains("shut down"), "{error}");
            }
            eventually("it listens on the port that it had", HANG, || {
                let sockets = listening_sockets(crew.pid());
                sockets.iter().any(|it| it.0 == address).then_some(())
            });
            Load::new(address).clients(8).requests(100).run().assert_all_ok();
        }
        let told = crew.process.lines().iter().filter(|it| it.text.contains("shut down")).count();
        assert_eq!(told, 1, "it was told each time");
        crew.tell("state");
        let workers = crew.next("state")["workers"].clone();
        let states: Vec<_> = workers.as_array().unwrap().iter().map(|it| &it["state"]).collect();
        assert_eq!(states, vec!["listening"; rogue], "nobody died of it");
        crew.assert_fds(before);
        for worker in proc_fs::children(crew.pid()).unwrap() {
            rests(worker);
        }
        rests(crew.pid());
    }
}

/// The kernel books processor time by its tick, of 10 ms at most: looks within one see nothing.
const STILL: Duration = Duration::from_millis(100);

/// It uses no processor time for so long.
fn rests(pid: u32) {
    let mut last = (Duration::MAX, Instant::now());
    eventually("it does not spin", HANG, || {
        let used = proc_fs::cpu_time(pid).unwrap();
        if used != last.0 {
            last = (used, Instant::now());
        }
        (last.1.elapsed() >= STILL).then_some(())
    });
}
