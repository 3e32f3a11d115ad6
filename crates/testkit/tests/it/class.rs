//! Each way in which a server can fail a client has its own class, and an attempt is in one class only.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use portcrew_testkit::http::{Load, Outcome, Report};
use portcrew_testkit::process::eventually;
use rustix::net::{AddressFamily, SocketType};

use crate::server::{Conn, HANG, Server};

/// Ten attempts against a server that treats each connection like this.
fn ten(serve: impl Fn(Conn) + Send + Sync + 'static) -> Report {
    let server = Server::start(move |conn, _| serve(conn));
    Load::new(server.address).requests(10).clients(2).per_try_timeout(HANG).run()
}

fn hanging(serve: impl Fn(Conn) + Send + Sync + 'static) -> Report {
    let server = Server::start(move |conn, _| serve(conn));
    Load::new(server.address)
        .requests(4)
        .clients(4)
        .per_try_timeout(Duration::from_millis(100))
        .run()
}

#[track_caller]
fn assert_all(report: &Report, outcome: Outcome) {
    assert!(report.attempts() > 0 && report.unstarted == 0, "{report}");
    assert_eq!(report.count(outcome), report.attempts(), "{report}");
    assert_eq!(report.failures() > 0, outcome != Outcome::Ok, "{report}");
}

#[test]
fn a_whole_answer_is_ok_and_counted_for_its_worker() {
    let server = Server::start(|mut conn, number| {
        conn.request();
        conn.answer(number % 2 + 1);
    });
    let report = Load::new(server.address).requests(10).run();
    assert_all(&report, Outcome::Ok);
    assert_eq!(report.by_worker, [("1".to_owned(), 5), ("2".to_owned(), 5)].into());
    assert_eq!(report.connections_by_worker, report.by_worker);
    assert_eq!((report.connections, server.accepted()), (10, 10));
    assert_eq!(report.latency.count(), 10);
    report.assert_all_ok();
}

#[test]
fn the_worker_header_wins_over_the_body_and_a_key_of_the_test_over_the_usual_ones() {
    let serve = |head: &'static str| {
        Server::start(move |mut conn, _| {
            conn.request();
            conn.send(&format!("HTTP/1.0 200 OK\r\n{head}\r\nworker 3 generation=9"));
        })
    };
    let header = serve("X-Worker: seven\r\n");
    let report = Load::new(header.address).requests(2).run();
    assert_eq!(report.by_worker, [("seven".to_owned(), 2)].into());
    let plain = serve("");
    let report = Load::new(plain.address).requests(2).worker_key("generation").run();
    assert_eq!(report.by_worker, [("9".to_owned(), 2)].into());
}

#[test]
fn the_generation_that_answered_is_counted_where_the_answer_says_it() {
    let server = Server::start(|mut conn, number| {
        conn.request();
        let head = if number > 6 {
            ""
        } else {
            ["X-Generation: 4\r\n", "x-generation: 5\r\n"][number as usize % 2]
        };
        conn.send(&format!("HTTP/1.1 200 OK\r\n{head}\r\nworker 1"));
    });
    let report = Load::new(server.address).requests(10).run();
    assert_all(&report, Outcome::Ok);
    assert_eq!(report.by_generation, [("4".to_owned(), 3), ("5".to_owned(), 3)].into());
    assert_eq!(report.by_worker, [("1".to_owned(), 10)].into());
}

#[test]
fn a_client_that_half_closes_has_sent_all_and_still_gets_its_answer() {
    let serve = |mut conn: Conn| {
        // The end comes behind the request, and before the answer.
        if conn.request().is_some() && conn.request().is_none() {
            conn.answer(1);
        }
    };
    let server = Server::start(move |conn, _| serve(conn));
    let load = Load::new(server.address).requests(10).clients(2).per_try_timeout(HANG);
    assert_all(&load.half_close(true).run(), Outcome::Ok);
    assert_all(&hanging(serve), Outcome::Timeout);
}

#[test]
fn a_port_that_nobody_listens_on_is_refused() {
    // Bound and not listening: nobody else can take the port meanwhile.
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    let report = Load::new(address).requests(10).run();
    assert_all(&report, Outcome::Refused);
    assert_eq!(report.connections, 0);
}

#[test]
fn a_reset_before_the_answer_is_a_reset() {
    let report = ten(|mut conn| {
        conn.request();
        conn.reset();
    });
    assert_all(&report, Outcome::Reset);
}

#[test]
fn an_orderly_close_before_the_answer_is_an_eof_without_answer() {
    let report = ten(|mut conn| {
        conn.request();
    });
    assert_all(&report, Outcome::EofWithoutAnswer);
}

#[test]
fn silence_is_a_timeout() {
    let report = hanging(Conn::hang);
    assert_all(&report, Outcome::Timeout);
    assert!(report.slowest_attempt >= Duration::from_millis(100), "{report}");
}

#[test]
fn a_connection_that_does_not_come_about_in_time_is_a_class_of_its_own() {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    // One connection fits a backlog of zero; nobody accepts it, so the kernel drops what comes behind it.
    let _first = std::net::TcpStream::connect(address).unwrap();
    let load = Load::new(address).requests(4).clients(4);
    let report = load.per_try_timeout(Duration::from_millis(100)).run();
    assert_all(&report, Outcome::NeverConnected);
    assert_eq!((report.connections, report.hung()), (0, 4), "{report}");
}

#[test]
fn half_an_answer_and_then_silence_is_a_timeout() {
    let report = hanging(|mut conn| {
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        conn.hang();
    });
    assert_all(&report, Outcome::Timeout);
}

#[test]
fn half_an_answer_and_then_the_end_is_partial_wherever_it_is_cut() {
    for text in [
        "H",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let report = ten(move |mut conn| {
            conn.request();
            conn.send(text);
        });
        assert_all(&report, Outcome::Partial);
    }
}

#[test]
fn half_an_answer_and_then_a_reset_is_partial() {
    let report = ten(|mut conn| {
        conn.request();
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        // A reset lets the client read no more, so it must have read its half before.
        eventually("read by the client", HANG, || conn.client_has_read().then_some(()));
        conn.reset();
    });
    assert_all(&report, Outcome::Partial);
}

#[test]
fn another_status_or_no_http_at_all_is_a_bad_response() {
    for text in [
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more",
    ] {
        let report = ten(move |mut conn| {
            conn.request();
            conn.send(text);
        });
        assert_all(&report, Outcome::BadResponse);
        assert!(!report.samples.is_empty());
    }
}

#[test]
fn chunked_and_close_delimited_answers_in_single_bytes_are_ok() {
    for text in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nworker \r\n1\r\n4\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nworker 4",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nworker 4",
    ] {
        let report = ten(move |mut conn| {
            conn.request();
            conn.0.set_nodelay(true).unwrap();
            (0..text.len()).for_each(|at| conn.send(&text[at..=at]));
        });
        assert_all(&report, Outcome::Ok);
        assert_eq!(report.by_worker, [("4".to_owned(), 10)].into());
    }
}

#[test]
fn a_whole_answer_on_a_connection_that_stays_open_is_ok_and_noted() {
    let server = Server::start(|mut conn, _| {
        conn.request();
        conn.answer(1);
        conn.hang();
    });
    let report =
        Load::new(server.address).requests(2).per_try_timeout(Duration::from_millis(100)).run();
    // On a machine that is held up the try itself may be over before the answer; then it is a timeout and not noted.
    assert_eq!(report.ok + report.timeout, 2, "{report}");
    assert_eq!(report.not_closed, report.ok, "{report}");
}
