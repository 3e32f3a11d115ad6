//! A Unix-domain socket: served on its path, taken over from a primary that was killed, and gone after the crew.

use portcrew_testkit::process::Signal;

use super::world::{assert_answered_by, crew, load, python};
use crate::crew::HANG;

#[test]
fn a_path_is_served_and_the_socket_file_is_gone_after_the_crew() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let listen = format!("unix:{}", path.display());
    let mut crew = crew(&python, &["-w", "2", "--listen", &listen], "number.py", &["{fd}"]);
    crew.says(&format!("listening on {}", path.display()));
    crew.all_serve(2);
    let report = load(path.as_path()).clients(4).requests(100).run();
    assert_answered_by(&report, &crew.pids_when(2));
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    assert!(!path.exists());
}

#[test]
fn the_file_of_a_primary_that_was_killed_is_taken_over() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let listen = format!("unix:{}", path.display());
    let start = || crew(&python, &["-w", "1", "--listen", &listen], "number.py", &["{fd}"]);
    let mut first = start();
    first.all_serve(1);
    first.process.signal(Signal::Kill);
    first.process.wait_exit(HANG);
    assert!(path.exists());
    let second = start();
    second.all_serve(1);
    load(path.as_path()).requests(10).run().assert_all_ok();
}

#[test]
fn an_abstract_name_has_no_file() {
    let Some(python) = python() else { return };
    let name = format!("portcrew-test-{}", std::process::id());
    let listen = format!("unix:@{name}");
    let crew = crew(&python, &["-w", "1", "--listen", &listen], "number.py", &["{fd}"]);
    crew.all_serve(1);
    let address =
        <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(
            &name,
        );
    let mut client = std::os::unix::net::UnixStream::connect_addr(&address.unwrap()).unwrap();
    std::io::Write::write_all(&mut client, b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let answer = std::io::read_to_string(client).unwrap();
    assert!(answer.ends_with(&format!("worker {}\n", crew.pids().first().unwrap())), "{answer}");
}
