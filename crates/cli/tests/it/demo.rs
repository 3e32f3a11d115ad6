//! `portcrew demo`: the first command that anybody runs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use portcrew_testkit::http::Load;
use portcrew_testkit::process::Signal;

use crate::crew::{Crew, HANG, assert_gone, portcrew};

fn demo(workers: &str) -> (Crew, SocketAddr) {
    let crew = Crew { process: portcrew("demo").args(["--port", "0", "-w", workers]).start() };
    let line = crew.says("open http://");
    let address = line.text.split("http://").nth(1).unwrap();
    let address = address.split('/').next().unwrap().parse().unwrap();
    (crew, address)
}

#[test]
fn it_names_its_address_answers_counts_and_stops() {
    let (mut crew, address) = demo("2");
    assert_ne!(address.port(), 0);
    let pids = crew.pids_when(2);
    // The second worker may listen a moment after the first.
    let first = Load::new(address).requests(1).run();
    first.assert_all_ok();
    let report = Load::new(address).clients(4).requests(99).run();
    report.assert_all_ok();
    crew.says("100 connections so far; worker 1: ");
    crew.process.signal(Signal::Int);
    assert_eq!(crew.status(), 0);
    assert_gone(&pids);
}

#[test]
fn a_taken_port_is_named_and_has_a_status_of_its_own() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let mut crew = Crew { process: portcrew("demo").args(["--port", &port, "-w", "2"]).start() };
    assert_eq!(crew.status(), 3);
    crew.says(&format!("127.0.0.1:{port} belongs to another process"));
}

#[test]
fn its_workers_are_replaced_by_a_hang_up_without_a_failed_request() {
    let (crew, address) = demo("2");
    let old = crew.pids_when(2);
    let load = Load::new(address).clients(4).background();
    load.wait_answered(50, HANG);
    crew.process.signal(Signal::Hup);
    crew.says("reload: done in ");
    assert!(crew.pids_when(2).is_disjoint(&old));
    load.wait_answered(50, HANG);
    load.finish().assert_all_ok();
}

#[test]
fn a_worker_that_leaves_announces_the_close_to_a_client_in_the_middle_of_a_request() {
    let (mut crew, address) = demo("1");
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream
    };
    let request = b"GET / HTTP/1.1\r\nHost: demo\r\n\r\n";
    let mut answer = [0; 4096];
    let mut busy = connect();
    busy.write_all(&request[..20]).unwrap();
    // The only worker takes connections in their order: an answer on this one tells that it has the other.
    let mut idle = connect();
    idle.write_all(request).unwrap();
    let length = idle.read(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer[..length]).to_lowercase();
    assert!(text.contains("x-worker: 1") && !text.contains("connection: close"), "{text}");

    crew.process.signal(Signal::Term);
    // An idle connection is closed as soon as the worker drains.
    assert_eq!(idle.read(&mut answer).unwrap(), 0);
    busy.write_all(&request[20..]).unwrap();
    let mut text = String::new();
    busy.read_to_string(&mut text).unwrap();
    let text = text.to_lowercase();
    assert!(text.starts_with("http/1.1 200") && text.contains("connection: close"), "{text}");
    assert_eq!(crew.status(), 0);
}
