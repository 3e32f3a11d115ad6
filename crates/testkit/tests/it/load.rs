//! How a load is bounded, stopped and paced.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcrew_testkit::http::{Load, LoadError, MAX_CLIENTS, Stop};

use crate::server::{Conn, HANG, Server, answer};

fn good() -> Server {
    Server::start(|mut conn, number| {
        conn.request();
        conn.answer(number % 4);
    })
}

#[test]
fn exactly_as_many_attempts_are_made_as_were_asked_for() {
    let server = good();
    let report = Load::new(server.address).clients(64).requests(2_000).reset_on_close(true).run();
    report.assert_all_ok();
    assert_eq!((report.ok, report.connections, server.accepted()), (2_000, 2_000, 2_000));
    assert_eq!(report.by_worker.values().copied().collect::<Vec<_>>(), [500; 4]);
    assert_eq!(report.max_over_min(), Some(1.0));
}

#[test]
fn a_load_that_may_not_be_is_refused_before_anything_is_sent() {
    let server = good();
    let load = || Load::new(server.address);
    assert!(matches!(load().try_run(), Err(LoadError::Unbounded)));
    let elsewhere = Load::new(std::net::SocketAddr::from(([192, 0, 2, 1], 80)));
    assert!(matches!(elsewhere.requests(1).try_run(), Err(LoadError::NotLoopback(_))));
    for wrong in [
        load().requests(1).clients(0),
        load().requests(1).clients(MAX_CLIENTS + 1),
        load().requests(1).keep_alive(0),
        load().requests(1).keep_alive(2).half_close(true),
        load().requests(1).open_loop(0.0, 1),
        load().requests(1).open_loop(f64::NAN, 1),
        load().requests(1).path("/ HTTP/1.1\r\nX: y"),
        load().requests(1).header("X", "a\r\nY: b"),
        load().time_limit(Duration::from_secs(1 << 20)),
        load().requests(1).per_try_timeout(Duration::ZERO),
    ] {
        assert!(matches!(wrong.clone().try_run(), Err(LoadError::Setting(_))), "{wrong:?}");
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
fn path_and_headers_reach_the_server() {
    let server = Server::start(|mut conn, _| {
        let request = conn.request().unwrap();
        let right = request.starts_with("GET /slow?ms=1 HTTP/1.1\r\nHost: 127.0.0.1:")
            && request.contains("\r\nX-Key: a b\r\n")
            && request.ends_with("\r\nConnection: close\r\n\r\n");
        if right {
            conn.answer(1);
        }
    });
    Load::new(server.address)
        .requests(1)
        .path("/slow?ms=1")
        .header("X-Key", "a b")
        .run()
        .assert_all_ok();
}

#[test]
fn a_background_load_serves_until_it_is_finished() {
    let server = good();
    let load = Load::new(server.address).clients(4).background();
    load.wait_answered(100, HANG);
    load.wait_answered(50, HANG);
    assert!(load.answered() >= 150);
    let report = load.finish();
    report.assert_all_ok();
    assert!(report.ok >= 150 && report.connections == server.accepted(), "{report}");
}

#[test]
fn one_flag_stops_several_loads() {
    let server = good();
    let stop = Stop::new();
    let loads =
        [1, 2].map(|clients| Load::new(server.address).clients(clients).until(&stop).background());
    for load in &loads {
        load.wait_answered(10, HANG);
    }
    stop.pull();
    for load in loads {
        load.finish().assert_all_ok();
    }
}

#[test]
#[should_panic(expected = "then the load ended")]
fn waiting_for_more_answers_than_can_come_fails_at_the_end_of_the_load() {
    let server = good();
    Load::new(server.address).requests(10).background().wait_answered(1_000, HANG);
}

#[test]
fn the_time_limit_ends_a_load_and_says_what_was_left_out() {
    let server = Server::start(|conn: Conn, _| conn.hang());
    let limits = Duration::from_millis(50);
    let load = Load::new(server.address).requests(1_000).per_try_timeout(limits).time_limit(limits);
    let report = load.run();
    assert!(report.unstarted > 0, "{report}");
    assert_eq!(report.attempts() + report.unstarted, 1_000, "{report}");
}

#[test]
fn an_open_loop_makes_every_arrival() {
    let server = good();
    let report = Load::new(server.address).clients(64).requests(400).open_loop(4_000.0, 7).run();
    report.assert_all_ok();
    assert_eq!(report.ok, 400);
}

#[test]
fn an_open_loop_counts_the_time_that_a_slow_server_made_others_wait() {
    const HELD: Duration = Duration::from_millis(400);
    let served = AtomicU64::new(0);
    let server = Server::start(move |mut conn, _| {
        conn.request();
        if served.fetch_add(1, Ordering::SeqCst) == 0 {
            std::thread::sleep(HELD);
        }
        conn.answer(1);
    });
    // With this seed all 20 are due within 100 ms, behind the first one, on the only client.
    let report = Load::new(server.address).requests(20).open_loop(1_000.0, 7).run();
    report.assert_all_ok();
    assert!(report.latency.quantile(0.1) >= HELD - Duration::from_millis(100), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_asynchronous_load_leaves_the_runtime_to_the_server() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            // The first readiness of a new socket may be nothing but a guess.
            while stream.try_read(&mut request).is_err() {
                stream.readable().await.unwrap();
            }
            stream.try_write(answer(1).as_bytes()).unwrap();
        }
    });
    let report = Load::new(address).clients(2).requests(50).run_async().await.unwrap();
    report.assert_all_ok();
    server.abort();
}
