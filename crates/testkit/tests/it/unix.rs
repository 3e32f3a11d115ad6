//! Unix-domain sockets as targets.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use portcrew_testkit::http::{Load, Target};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};

use crate::server::answer;

#[test]
fn a_unix_socket_is_loaded_like_a_port() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        for worker in 0..40 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].ends_with(b"\r\n\r\n"));
            stream.write_all(answer(worker % 2).as_bytes()).unwrap();
        }
    });
    let report = Load::new(path).clients(8).requests(40).run();
    server.join().unwrap();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("0".to_owned(), 20), ("1".to_owned(), 20)].into());
}

#[test]
fn a_path_without_a_listener_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent");
    let report = Load::new(absent).requests(3).run();
    assert_eq!(report.refused, 3, "{report}");
    let stale = directory.path().join("stale");
    drop(UnixListener::bind(&stale).unwrap());
    let report = Load::new(stale.as_path()).requests(3).run();
    assert_eq!(report.refused, 3, "{report}");
}

#[test]
fn a_full_backlog_is_waited_for_until_the_try_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("full");
    let listener = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let load = Load::new(Target::Unix(path)).clients(4).requests(4);
    let report = load.per_try_timeout(Duration::from_millis(100)).run();
    // One connection fits a backlog of zero; nobody accepts it either.
    let connected = (report.connections, report.timeout, report.never_connected);
    assert_eq!(connected, (1, 1, 3), "{report}");
}
