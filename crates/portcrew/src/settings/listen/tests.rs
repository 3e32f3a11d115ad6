//! How addresses are written, and what is bound for them.

use std::os::fd::AsRawFd as _;

use super::*;

fn on(text: &str) -> ListenOn {
    text.parse().unwrap()
}

fn address(text: &str) -> Address {
    let mut queries = on(text).queries().unwrap();
    assert_eq!(queries.len(), 1, "{text}");
    queries.remove(0).address
}

fn tcp(host: Option<&str>, family: Family) -> Address {
    Address::Tcp { host: host.map(str::to_owned), port: 8080, family, ipv6_only: false }
}

#[test]
fn every_way_to_write_a_tcp_port_is_understood() {
    for text in ["8080", ":8080", "*:8080", "tcp:8080", "web=:8080"] {
        assert_eq!(address(text), tcp(None, Family::V4), "{text}");
    }
    assert_eq!(address("127.0.0.1:8080"), tcp(Some("127.0.0.1"), Family::V4));
    assert_eq!(address("[::]:8080"), tcp(Some("::"), Family::V6));
    assert!(matches!(address("localhost:8080"), Address::Tcp { host: Some(host), .. }
        if host.parse::<std::net::IpAddr>().unwrap().is_loopback()));
}

#[test]
fn paths_and_udp_ports_say_so_before_them() {
    let path = |text| match address(text) {
        Address::Unix { path, readable_all: false, writable_all: false } => path,
        other => panic!("{other:?}"),
    };
    assert_eq!(path("unix:/run/app.sock"), "/run/app.sock");
    assert_eq!(path("unix:app=1.sock"), "app=1.sock");
    assert_eq!(path("admin=unix:@app"), "\0app");
    let udp = |text| match address(text) {
        Address::Udp { host, port: 53, flags: 0, fd: None, .. } => host,
        other => panic!("{other:?}"),
    };
    assert_eq!(udp("udp:127.0.0.1:53").as_deref(), Some("127.0.0.1"));
    assert_eq!((udp("udp:53"), udp("dns=udp::53")), (None, None));
}

#[test]
fn a_descriptor_is_of_the_kind_that_the_system_says() {
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp, udp) = (tcp.as_raw_fd(), udp.as_raw_fd());
    assert_eq!(address(&format!("fd:{tcp}")), Address::Fd { fd: tcp });
    let expected =
        Address::Udp { host: None, port: 0, family: Family::V4, flags: 0, fd: Some(udp) };
    assert_eq!(address(&format!("fd:{udp}")), expected);
}

#[test]
fn names_stand_before_and_systemds_are_its_own() {
    for (text, name) in [
        ("web=8080", Some("web")),
        ("a.b-c_1=unix:/s", Some("a.b-c_1")),
        ("sd:web", Some("web")),
        ("8080", None),
        ("unix:/a=b", None),
    ] {
        assert_eq!(on(text).name(), name, "{text}");
        assert_eq!(on(text).to_string(), text);
    }
    assert!(on("fd:3").is_passed() && on("sd:web").is_passed() && !on("3").is_passed());
}

#[test]
fn what_is_no_address_is_refused_as_a_whole_with_the_reason_and_the_next_step() {
    for (text, part) in [
        ("", "it has no port; write host:port"),
        ("localhost", "it has no port; write host:port"),
        ("localhost:http", "a number from 0 to 65535"),
        ("web=localhost:70000", "a number from 0 to 65535"),
        ("udp:70000", "a number from 0 to 65535"),
        ("::1:80", "brackets, as in [::1]:80"),
        ("/run/app.sock", "unix:/run/app.sock"),
        ("./app.sock", "unix:/run/app.sock"),
        ("unix:", "say on which path"),
        ("http://localhost:80", "write host:port"),
        ("fd:x", "as in fd:3"),
        ("fd:-1", "as in fd:3"),
        ("sd:", "as in sd:web"),
        ("web=sd:web", "write sd:NAME"),
        ("80=8080", "no port"),
    ] {
        let error = text.parse::<ListenOn>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on '{text}': ")), "{error}");
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn what_was_not_passed_to_this_process_is_said_to_be_missing() {
    let file = std::fs::File::open("/dev/null").unwrap();
    for (text, part) in [
        ("fd:1000000".to_owned(), "descriptor 1000000 is not open in this process"),
        (format!("fd:{}", file.as_raw_fd()), "is open and is no socket"),
        ("sd:web".to_owned(), "LISTEN_FDS is not set"),
    ] {
        let error = on(&text).look().unwrap_err();
        assert!(matches!(error, Error::NotPassed { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.contains(&text) && error.contains(part), "{error}");
    }
}
