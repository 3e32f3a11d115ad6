//! Clients that are not as they should be: another user, garbage, too much, too slow, too many. None of them keeps the
//! crew from its work.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Program, Signal};

use crate::crew::HANG;
use crate::home::Home;
use crate::rights::is_root;

/// Somebody who is neither root nor us.
const NOBODY: u32 = 65534;

#[test]
fn another_user_is_refused_by_the_directory_and_if_that_was_opened_by_the_server() {
    if !is_root() {
        eprintln!("skipped: only root can be another user");
        return;
    }
    let home = Home::new();
    let _crew = home.crew("api", "1");
    let client = |socket: &std::path::Path| {
        let script = "import socket,sys\n\
            s=socket.socket(socket.AF_UNIX)\n\
            s.connect(sys.argv[1])\n\
            s.sendall(b'POST /v1/stop HTTP/1.0\\r\\n\\r\\n')\n\
            print(s.recv(4096).decode())";
        let args = ["-c".as_ref(), script.as_ref(), socket.as_os_str()];
        Program::new("/usr/bin/python3").args(args).user(NOBODY, NOBODY).start()
    };
    if !std::path::Path::new("/usr/bin/python3").exists() {
        eprintln!("skipped: there is no python3 to be the other user's client");
        return;
    }
    let socket = home.socket("api");
    let (answer, _) = home.ended(client(&socket));
    assert!(answer.status != 0 && answer.stderr.contains("Permission denied"), "{}", answer.stderr);
    for open in [home.path(), &home.path().join("run"), socket.parent().unwrap()] {
        fs::set_permissions(open, PermissionsExt::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(&socket, PermissionsExt::from_mode(0o666)).unwrap();
    let (answer, _) = home.ended(client(&socket));
    assert!(answer.stdout.starts_with("HTTP/1.1 403 "), "{} {}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("\"next\""), "{}", answer.stdout);
    assert_eq!(home.api("api", "GET", "/v1/status", "").0, 200, "we are still answered");
}

#[test]
fn a_directory_that_others_can_enter_is_not_used_and_the_crew_serves_without_it() {
    let home = Home::new();
    let directory = home.path().join("run/portcrew");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o755)).unwrap();
    let crew = home.crew("api", "1");
    crew.says("no control socket: ");
    Load::new(crew.address()).requests(10).run().assert_all_ok();
    let answer = home.ask(&["list"]);
    assert_eq!(answer.status, 6);
    assert!(answer.stderr.contains("chmod 700"), "{}", answer.stderr);
}

#[test]
fn garbage_and_what_is_too_long_is_answered_or_cut_off_and_nothing_has_changed() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    let before = home.api("api", "GET", "/v1/workers", "").1;
    let long_head = format!("GET /v1/status HTTP/1.0\r\nx: {}\r\n\r\n", "y".repeat(64 * 1024));
    let many = "a: b\r\n".repeat(1000);
    for (bytes, expected) in [
        (b"\x00\xff\x13\x37 garbage\r\n\r\n".to_vec(), &[400][..]),
        (b"\r\n\r\n".to_vec(), &[400, 0]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400, 505, 0]),
        (long_head.into_bytes(), &[431, 0]),
        (format!("GET /v1/status HTTP/1.0\r\n{many}\r\n").into_bytes(), &[431, 400]),
        (vec![0; 1024 * 1024], &[400, 431, 0]),
    ] {
        let (status, answer) = home.raw("api", &bytes);
        assert!(expected.contains(&status), "{status} {answer}");
    }
    for (path, body, status) in [
        ("/v1/scale", "{", 400),
        ("/v1/scale", "{}", 400),
        ("/v1/scale", r#"{"workers": 1, "by": 1}"#, 400),
        ("/v1/scale", r#"{"workers": 0}"#, 400),
        ("/v1/scale", r#"{"workers": 99999999999}"#, 400),
        ("/v1/scale", r#"{"by": -9223372036854775808}"#, 400),
        ("/v1/scale", r#"{"workers": "two"}"#, 400),
        ("/v1/stop", r#"{"soon": true}"#, 400),
        ("/v1/reload", r#"{"of": "what"}"#, 400),
        ("/v1/policy", r#"{"policy": "fastest"}"#, 400),
        ("/v1/policy", r#"{"policy": "rr,1=sticky"}"#, 400),
        ("/v1/policy", r#"{"policy": "rr,./a.sock=sticky"}"#, 400),
        ("/v1/signal", r#"{"signal": "SIGNAL"}"#, 400),
        ("/v1/signal", r#"{"signal": "TERM", "worker": 77}"#, 400),
        ("/v1/scale", &"[".repeat(4000), 400),
        ("/v1/scale", &" ".repeat(8 * 1024), 413),
    ] {
        let (found, problem) = home.api("api", "POST", path, body);
        assert_eq!(found, status, "{path} {body}: {problem}");
        assert!(problem["error"].is_string() && problem["next"].is_string(), "{problem}");
    }
    let after = home.api("api", "GET", "/v1/workers", "").1;
    assert_eq!(before["workers"][0]["pid"], after["workers"][0]["pid"]);
    Load::new(crew.address()).requests(10).run().assert_all_ok();
}

#[test]
fn clients_that_are_silent_or_do_not_read_keep_nobody_waiting_and_are_cut_off() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    let connect = || UnixStream::connect(home.socket("api")).unwrap();
    // More of each kind than there is room for, less some for us.
    let mut silent: Vec<_> = (0..8).map(|_| connect()).collect();
    let halves: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"POST /v1/stop HTTP/1.1\r\nContent-Length: 90\r\n\r\n{").unwrap();
            stream
        })
        .collect();
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"GET /v1/events HTTP/1.0\r\n\r\n").unwrap();
            let mut head = [0; 12];
            stream.read_exact(&mut head).unwrap();
            assert_eq!(&head[9..], b"200");
            stream
        })
        .collect();
    assert_eq!(home.api("api", "GET", "/v1/events", "").0, 503, "no more readers");
    Load::new(crew.address()).clients(4).requests(100).run().assert_all_ok();
    assert_eq!(home.api("api", "POST", "/v1/scale", r#"{"by": 1}"#).0, 200);
    // The server ends them by itself: each read comes to an end.
    for stream in &mut silent {
        stream.set_read_timeout(Some(HANG)).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
    drop((halves, readers));
    assert_eq!(
        home.api("api", "GET", "/v1/status", "").1["wanted"],
        2,
        "a half request stops nobody"
    );
}

#[test]
fn a_primary_that_does_not_answer_is_given_up_by_every_command() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    crew.process.signal(Signal::Stop);
    let commands = [&["reload", "api"][..], &["reload", "--json", "api"], &["restart", "api"]];
    let others = [&["restart", "--hard", "api"][..], &["events", "api"], &["scale", "api", "2"]];
    let more = [&["policy", "api", "rr"][..]];
    let asked: Vec<_> = commands
        .into_iter()
        .chain(others)
        .chain(more)
        .map(|args| (args, home.program(args).start()))
        .collect();
    let doctor = home.program(&["doctor"]).start();
    for (args, process) in asked {
        let answer = home.ended(process).0;
        assert_eq!(answer.status, 6, "{args:?}: {}", answer.stderr);
        let said = answer.stderr + &answer.stdout;
        assert!(said.contains("api has not answered within 10 s"), "{args:?}: {said}");
        assert!(said.contains("may still be done") && !said.contains("os error"), "{said}");
    }
    let answer = home.ended(doctor).0;
    let bad = "bad     crew: api has a socket and has not answered within 10 s\n";
    assert!(answer.status == 1 && answer.stdout.contains(bad), "{}", answer.stdout);
    crew.process.signal(Signal::Cont);
}
