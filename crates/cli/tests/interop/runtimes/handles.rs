//! Sockets that travel with messages, each proven by the one client that it serves.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::json;

use super::bench::Bench;
use super::gap::Gap;
use super::listening::{datagram, stream};
use super::row::Seen;
use super::runtime::Runtime;

pub(crate) fn server_to(runtime: &Runtime) -> Seen {
    to_worker(runtime, "listener")
}

pub(crate) fn socket_to(runtime: &Runtime) -> Seen {
    to_worker(runtime, "stream")
}

pub(crate) fn udp_to(runtime: &Runtime) -> Seen {
    to_worker(runtime, "udp")
}

pub(crate) fn server_from(runtime: &Runtime) -> Seen {
    from_worker(runtime, "server", "TcpListener")
}

pub(crate) fn socket_from(runtime: &Runtime) -> Seen {
    from_worker(runtime, "socket", "TcpStream")
}

pub(crate) fn udp_from(runtime: &Runtime) -> Seen {
    from_worker(runtime, "udp", "UdpSocket")
}

fn to_worker(runtime: &Runtime, kind: &str) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    bench.tell(&format!("give 1 {kind}"));
    let given = bench.event(1, |event| event["event"] == "given");
    let place = given["address"].as_str().unwrap().parse().unwrap();
    if kind == "stream" {
        // It is sent when its client has come.
        assert_eq!(stream(place).unwrap(), "worker 1");
    }
    let name = if kind == "listener" { "Server" } else { "Socket" };
    let Some(told) = bench.message(1, |it| it["echo"] == "given") else {
        return Err(Gap::Dies);
    };
    assert_eq!(told["message"]["handle"], name);
    match kind {
        "listener" => match stream(place) {
            Ok(answer) if answer == "worker 1" => Ok(()),
            // Whoever had it has gone.
            _ => {
                bench.event(1, |event| event["event"] == "exit");
                Err(Gap::Dies)
            }
        },
        "udp" => {
            assert_eq!(datagram(place), "worker 1");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn from_worker(runtime: &Runtime, kind: &str, name: &str) -> Seen {
    let mut bench = Bench::with(runtime, 1, &[]);
    bench.order(1, &json!({ "op": "give", "kind": kind }));
    let given = bench.message(1, |it| it["given"] == kind).expect("it lives");
    let port = u16::try_from(given["message"]["port"].as_u64().unwrap()).unwrap();
    let place = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // A connection is sent when there is one. The others serve there when the worker has closed its own.
    if kind != "socket" {
        bench.message(1, |it| it["gone"] == kind).expect("it lives");
    }
    let answer = if kind == "udp" { datagram(place) } else { stream(place).unwrap() };
    assert_eq!(answer, "primary");
    assert!(bench.has_told(1, |it| it["message"] == "here" && it["handle"] == name));
    Ok(())
}
