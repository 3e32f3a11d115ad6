//! The primary is killed: its workers end with it, and the address is free.

use std::net::TcpListener;

use portcrew_testkit::process::{Signal, eventually, proc_fs, wait_dead};

use super::world::{crew, load, python};
use crate::crew::HANG;

#[test]
fn no_worker_outlives_a_primary_that_is_killed_not_even_one_that_hears_no_signal() {
    let Some(python) = python() else { return };
    for name in ["prefork.py", "deaf.py"] {
        let mut crew = crew(&python, &["-w", "2", "--listen", "127.0.0.1:0"], name, &[]);
        let address = crew.address();
        load(address).requests(10).run().assert_all_ok();
        let workers = crew.pids_when(2);
        crew.process.signal(Signal::Kill);
        crew.process.wait_exit(HANG);
        assert!(workers.iter().all(|pid| wait_dead(*pid, HANG)), "{name}: {workers:?}");
        // As soon as the last of them has let go of the socket, whoever comes next has the address.
        eventually("the address is free", HANG, || TcpListener::bind(address).ok());
    }
}

#[test]
fn a_successor_serves_on_the_same_address_at_once() {
    let Some(python) = python() else { return };
    let mut first = crew(&python, &["-w", "2", "--listen", "127.0.0.1:0"], "deaf.py", &[]);
    let address = first.address();
    first.all_serve(2);
    let workers = first.pids_when(2);
    first.process.signal(Signal::Kill);
    first.process.wait_exit(HANG);
    assert!(workers.iter().all(|pid| wait_dead(*pid, HANG)));
    let listen = address.to_string();
    let second = crew(&python, &["-w", "1", "--listen", &listen], "prefork.py", &[]);
    second.says(&format!("listening on {address}"));
    load(address).requests(10).run().assert_all_ok();
    assert!(proc_fs::children(second.process.pid()).unwrap().len() == 1);
}
