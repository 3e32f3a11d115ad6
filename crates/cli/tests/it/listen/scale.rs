//! More workers and fewer, on the same sockets.

use portcrew_testkit::process::Signal;

use super::world::{crew, load, python};
use crate::crew::HANG;

#[test]
fn workers_come_and_go_under_load_and_no_request_fails() {
    let Some(python) = python() else { return };
    let crew = crew(&python, &["-w", "1", "--listen", "127.0.0.1:0"], "prefork.py", &[]);
    let load = load(crew.address()).clients(8).background();
    for (signal, workers) in
        [(Signal::Ttin, 2), (Signal::Ttin, 3), (Signal::Ttou, 2), (Signal::Ttou, 1)]
    {
        load.wait_answered(50, HANG);
        crew.process.signal(signal);
        crew.pids_when(workers);
    }
    load.wait_answered(50, HANG);
    load.finish().assert_all_ok();
}
