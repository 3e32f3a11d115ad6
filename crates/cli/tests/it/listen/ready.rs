//! When such a program is ready: it says nothing on a channel, so by its age, or as it is told to say.

use std::net::TcpStream;

use super::world::{crew, python};

#[test]
fn a_program_that_says_nothing_is_ready_once_it_has_lived() {
    let Some(python) = python() else { return };
    let crew = crew(&python, &["-w", "1", "--listen", "127.0.0.1:0"], "number.py", &["{fd}"]);
    crew.says("worker 1 is ready");
}

#[test]
fn a_program_that_notifies_is_ready_when_it_says_so() {
    let Some(python) = python() else { return };
    let options = ["--start-deadline", "500ms", "--ready", "notify"];
    let options = [&["-w", "1", "--listen", "127.0.0.1:0"], &options[..]].concat();
    let crew = crew(&python, &options, "notifies.py", &[]);
    let address = crew.address();
    crew.says("worker 1 is not ready, 500 ms after its start: it has not sent READY=1");
    drop(TcpStream::connect(address).unwrap());
    crew.says("worker 1 is ready");
}

#[test]
fn a_probe_of_the_socket_that_all_have_is_pointed_out() {
    let Some(python) = python() else { return };
    let port = portcrew_testkit::ports::free().port();
    for (sign, words) in [
        (format!("tcp:127.0.0.1:{port}"), "on which the primary itself listens"),
        (format!("http://127.0.0.1:{port}/"), "an old worker may answer for a new one"),
    ] {
        let listen = format!("127.0.0.1:{port}");
        let options = ["-w", "1", "--listen", &listen, "--ready", &sign];
        let crew = crew(&python, &options, "number.py", &["{fd}"]);
        crew.says(words);
        crew.says("worker 1 is ready");
    }
}
