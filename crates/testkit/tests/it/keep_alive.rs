//! Kept connections: what is a failure on them, and what is only a connection that has ended.

use std::net::Shutdown;
use std::time::Duration;

use portcrew_testkit::http::Load;

use crate::server::{HANG, Server, answer};

/// Answers until the client goes.
fn patient() -> Server {
    Server::start(|mut conn, number| {
        while conn.request().is_some() {
            conn.answer(number);
        }
    })
}

#[test]
fn a_connection_serves_as_many_requests_as_it_is_kept_for() {
    let server = patient();
    let report = Load::new(server.address).clients(4).requests(400).keep_alive(25).run();
    report.assert_all_ok();
    assert_eq!((report.reconnects, report.announced, report.raced), (0, 0, 0), "{report}");
    // Clients share the 400 by speed, so each may end within a connection.
    assert!((16..20).contains(&report.connections), "{report}");
    assert_eq!(report.connections_by_worker.len() as u64, report.connections);
    assert!(report.by_worker.values().all(|answers| *answers <= 25), "{report}");
}

#[test]
fn a_close_that_was_announced_is_no_failure() {
    let server = Server::start(|mut conn, _| {
        for _ in 0..2 {
            conn.request();
            conn.answer(1);
        }
        conn.request();
        conn.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
    let report = Load::new(server.address).requests(12).keep_alive(100).run();
    report.assert_all_ok();
    assert_eq!((report.connections, report.announced, report.reconnects), (4, 4, 0), "{report}");
}

#[test]
fn an_idle_connection_that_the_server_closed_is_made_anew_without_a_failure() {
    let server = Server::start(|mut conn, _| {
        conn.request();
        // Corked, the answer and the end of the connection leave in one segment: the client cannot see one alone.
        rustix::net::sockopt::set_tcp_cork(&conn.0, true).unwrap();
        conn.send(&answer(1));
        conn.0.shutdown(Shutdown::Write).unwrap();
        conn.hang();
    });
    let report = Load::new(server.address).requests(10).keep_alive(100).run();
    report.assert_all_ok();
    assert_eq!((report.connections, report.reconnects, report.raced), (10, 9, 0), "{report}");
}

#[test]
fn a_request_that_meets_a_close_is_raced_and_not_hidden() {
    let server = Server::start(|mut conn, _| {
        conn.request();
        conn.answer(1);
        conn.request();
    });
    let report = Load::new(server.address).requests(10).keep_alive(100).per_try_timeout(HANG).run();
    assert_eq!((report.ok, report.raced, report.failures()), (5, 5, 0), "{report}");
    assert_eq!(report.attempts(), 10);
}

#[test]
fn a_request_that_meets_a_reset_is_raced_too() {
    let server = Server::start(|mut conn, _| {
        conn.request();
        conn.answer(1);
        conn.request();
        conn.reset();
    });
    let report = Load::new(server.address).requests(10).keep_alive(100).per_try_timeout(HANG).run();
    assert_eq!((report.ok, report.raced, report.failures()), (5, 5, 0), "{report}");
}

#[test]
fn a_kept_connection_that_dies_within_an_answer_is_a_failure() {
    let server = Server::start(|mut conn, _| {
        conn.request();
        conn.answer(1);
        conn.request();
        conn.send("HTTP/1.1 200 OK\r\n");
    });
    let report = Load::new(server.address).requests(10).keep_alive(100).per_try_timeout(HANG).run();
    assert_eq!((report.ok, report.partial), (5, 5), "{report}");
}

#[test]
fn a_client_that_thinks_keeps_its_connection() {
    let server = patient();
    let load = Load::new(server.address).clients(3).requests(9).keep_alive(100);
    let report = load.think(Duration::from_millis(5)).run();
    report.assert_all_ok();
    assert_eq!((report.connections, server.accepted()), (3, 3), "{report}");
}
