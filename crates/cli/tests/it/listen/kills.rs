//! Workers that are killed: the socket is the primary's, so nobody is refused and what waits is served.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use portcrew_testkit::process::{Signal, eventually, proc_fs};

use super::world::{crew, load, python};
use crate::crew::HANG;

#[test]
fn a_worker_that_is_killed_under_load_costs_what_it_had_and_nobody_is_refused() {
    let Some(python) = python() else { return };
    let crew = crew(&python, &["-w", "2", "--listen", "127.0.0.1:0"], "prefork.py", &[]);
    let load = load(crew.address()).clients(8).background();
    for _ in 0..5 {
        load.wait_answered(50, HANG);
        let before = crew.pids_when(2);
        let victim = *before.first().unwrap();
        crew.process.signal_descendant(victim, Signal::Kill).unwrap();
        eventually("its successor", HANG, || {
            let now = crew.pids();
            (now.len() == 2 && !now.contains(&victim)).then_some(())
        });
    }
    load.wait_answered(50, HANG);
    let report = load.finish();
    // One request at a time is inside of such a worker.
    let inside = report.reset + report.eof_without_answer + report.partial;
    assert_eq!(report.failures(), inside, "{report}");
    assert!(inside <= 5, "{report}");
}

#[test]
fn what_waits_for_a_worker_that_is_killed_is_served_by_the_next() {
    let Some(python) = python() else { return };
    let crew = crew(&python, &["-w", "1", "--listen", "127.0.0.1:0"], "prefork.py", &[]);
    let address = crew.address();
    load(address).requests(1).run().assert_all_ok();
    let victim = *crew.pids_when(1).first().unwrap();
    crew.process.signal_descendant(victim, Signal::Stop).unwrap();
    let is_stopped = || (proc_fs::state(victim).unwrap() == 'T').then_some(());
    eventually("it is stopped", HANG, is_stopped);
    let clients: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut client = TcpStream::connect(address).unwrap();
            client.set_read_timeout(Some(HANG)).unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            client
        })
        .collect();
    crew.process.signal_descendant(victim, Signal::Kill).unwrap();
    for mut client in clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:?}");
        assert!(!answer.ends_with(&format!("worker {victim}\n")), "{answer}");
    }
}

#[test]
fn a_crew_without_a_worker_keeps_its_address() {
    let Some(python) = python() else { return };
    let args = ["-c", "import sys; sys.exit(5)"];
    let program = crate::crew::portcrew("run").args(["--no-control", "-w", "1"]);
    let program = program.args(["--listen", "127.0.0.1:0", "--"]).arg(&python).args(args);
    let crew = crate::crew::Crew { process: program.start() };
    let address = crew.address();
    crew.says("exited with status 5; a new one starts in");
    // Nobody is refused while there is hope: it waits in the queue.
    TcpStream::connect(address).expect("the address is the primary's");
}
