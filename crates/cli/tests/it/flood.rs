//! A flood of questions on the control socket: each has an answer, few at a time, and the crew serves meanwhile.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::proc_fs;

use crate::crew::HANG;
use crate::home::Home;

/// Clients at once, far more than there are places.
const CLIENTS: usize = 200;

/// Questions of each.
const QUESTIONS: usize = 10;

/// Questions that wait for the leader of the crew at most: so many have what was asked for, however slow it is.
const PLACES: usize = 16;

/// Descriptors that the primary may have for clients: 32 connections, 8 that are refused, and some that are on the way.
const MOST_MORE: usize = 32 + 8 + 4;

#[test]
fn each_of_two_thousand_questions_has_an_answer_few_at_a_time_and_no_request_fails() {
    let home = Home::new();
    let crew = home.crew("api", "2");
    let (address, primary) = (crew.address(), crew.process.pid());
    Load::new(address).requests(20).run().assert_all_ok();
    let before = proc_fs::fd_count(primary).unwrap();
    let load = Load::new(address).clients(4).background();
    load.wait_answered(50, HANG);
    // All are connected, or wait in the kernel's queue, before one of them is answered.
    let ask = |number: usize| {
        let path = ["/v1/status", "/v1/metrics", "/v1/why", "/v1/workers"][number % 4];
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        let mut stream = UnixStream::connect(home.socket("api")).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        // Or that there is no room for it now.
        let head = answer.get(9..12).unwrap_or_default();
        assert!(head == b"200" || head == b"503", "{}", String::from_utf8_lossy(&answer));
        head == b"200"
    };
    let mut most = 0;
    let answered: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || (0..QUESTIONS).filter(|n| ask(client + n)).count()))
            .collect();
        while !clients.iter().all(thread::ScopedJoinHandle::is_finished) {
            // The connections of the load and what the workers are owed are in it too.
            most = most.max(proc_fs::fd_count(primary).unwrap());
            thread::yield_now();
        }
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    println!("{answered} of {} questions were answered with what was asked", CLIENTS * QUESTIONS);
    assert!(answered >= PLACES, "{answered}");
    load.wait_answered(50, HANG);
    load.finish().assert_all_ok();
    assert_eq!(home.api("api", "GET", "/v1/status", "").0, 200);
    let (more, load) = (most.saturating_sub(before), 4 * 2);
    assert!(more <= MOST_MORE + load, "{more} descriptors more than at rest");
}
