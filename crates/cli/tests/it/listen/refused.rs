//! What cannot be listened on is refused before any worker starts: the thing, the reason, the next step, and a status.

use std::net::TcpListener;
use std::path::Path;

use portcrew_testkit::process::Signal;

use super::world::{crew, python};
use crate::command;
use crate::crew::{Crew, HANG, portcrew};
use crate::rights::is_root;

/// Somebody without an entry.
const USER: u32 = 65_533;

/// A port that only root may have.
const LOW: u16 = 45;

/// `run` with these words before a program that says so if it is started.
fn refused(directory: &Path, words: &[&str]) -> (i32, String) {
    let args = [&["run", "--no-control"], words, &["--", "/bin/sh", "-c", "echo STARTED"]].concat();
    let answer = command::portcrew(directory, &args);
    assert!(!answer.stdout.contains("STARTED"), "{words:?}");
    (answer.status, answer.stderr)
}

#[test]
fn an_address_that_cannot_be_read_or_had_is_named_with_the_reason_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    for (listen, status, parts) in [
        ("localhost", 2, &["it has no port; write host:port"][..]),
        ("localhost:http", 2, &["the port is not a number from 0 to 65535"]),
        ("/run/app.sock", 2, &["a path is written with `unix:` before it"]),
        ("fd:x", 2, &["the number of a descriptor, as in fd:3"]),
        ("fd:99", 2, &["cannot listen on 'fd:99': descriptor 99 is not open in this process"]),
        ("fd:0", 2, &["cannot listen on 'fd:0': descriptor 0 is open and is no socket"]),
        ("sd:web", 2, &["cannot listen on 'sd:web': LISTEN_FDS is not set", "socket unit"]),
        (
            "unix:a.sock,unix:./a.sock",
            3,
            &["on unix:./a.sock: Address already in use", "`ss -lxp`"],
        ),
        (
            "unix:no/such/a.sock",
            1,
            &["failed to listen on unix:no/such/a.sock: No such file or directory", "must exist"],
        ),
        (
            "unix:file",
            3,
            &["failed to listen on unix:file: Address already in use", "choose another path"],
        ),
        (
            "192.0.2.1:8080",
            1,
            &["failed to listen on 192.0.2.1:8080", "EADDRNOTAVAIL", "`ip address` shows"],
        ),
    ] {
        let (told, said) = refused(directory.path(), &["--listen", listen]);
        assert_eq!(told, status, "{listen}: {said}");
        for part in parts {
            assert!(said.contains(part), "{listen}: {said}");
        }
    }
}

#[test]
fn one_address_twice_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let port = portcrew_testkit::ports::free().to_string();
    let (status, said) = refused(directory.path(), &["--listen", &port, "--listen", &port]);
    assert_eq!(status, 2, "{said}");
    assert!(
        said.contains(&format!("'{port}': this address is there already; name each once")),
        "{said}"
    );
}

#[test]
fn a_port_of_another_process_is_status_3_with_how_to_find_out_whose_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (status, said) = refused(directory.path(), &["--listen", &address.to_string()]);
    assert_eq!(status, 3, "{said}");
    let words = format!(
        "failed to listen on {address}: Address already in use (EADDRINUSE); `ss -ltnp 'sport = :{}'` shows who has it; \
         stop that one, or choose another port",
        address.port()
    );
    assert!(said.contains(&words), "{said}");
}

#[test]
fn a_low_port_without_permission_is_status_1_with_what_is_needed() {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if first.is_ok_and(|it| it.trim().parse::<u16>().is_ok_and(|it| it <= LOW)) {
        return eprintln!("skipped: everybody may have low ports here");
    }
    let listen = format!("127.0.0.1:{LOW}");
    let mut program = portcrew("run").args(["--no-control", "--listen", &listen, "/bin/true"]);
    let stage = portcrew_testkit::witness::Witness::new();
    if is_root() {
        // Where that user can look.
        let copy = stage.copy(crate::home::PORTCREW);
        program = portcrew_testkit::process::Program::new(copy).args(["run", "--no-control"]);
        program = program.args(["--listen", &listen, "/bin/true"]).user(USER, USER).cwd("/");
    }
    let mut crew = Crew { process: program.start() };
    let words = format!("failed to listen on {listen}: Permission denied (EACCES)");
    crew.process.wait_line(|line| line.contains(&words), HANG);
    crew.process.wait_line(|line| line.contains("CAP_NET_BIND_SERVICE"), HANG);
    assert_eq!(crew.status(), 1);
}

#[test]
fn a_placeholder_without_its_socket_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let answer =
            command::portcrew(directory.path(), &[&["run", "--no-control"], words].concat());
        (answer.status, answer.stderr)
    };
    let (status, said) = run(&["/bin/echo", "--fd={fd}"]);
    assert_eq!(status, 2);
    assert!(
        said.contains("the argument `--fd={fd}`") && said.contains("there is no --listen"),
        "{said}"
    );
    for argument in ["{fd1}", "{fd:web}"] {
        let (status, said) = run(&["--listen", "127.0.0.1:0", "/bin/echo", argument]);
        assert_eq!(status, 2);
        assert!(
            said.contains(&format!("the argument '{argument}': there is no such socket")),
            "{said}"
        );
    }
}

#[test]
fn what_a_program_without_a_channel_cannot_do_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (words, part) in [
        (
            &["--policy", "sticky"][..],
            "the policy sticky: a program that is started with the sockets",
        ),
        (&["--policy", "80=rr"], "the policy 80=round-robin: a program"),
        (&["--listen", "unix:a.sock", "--policy", "kernel"], "unix:a.sock is one"),
        (&["--ready", "listening"], "--ready: a worker that is started with the sockets"),
        (&["--drain", "disconnect"], "--drain: a worker that is started with the sockets"),
        (&["--heartbeat", "5s"], "--heartbeat asks on the lane"),
        (&["--max-connections", "5"], "--max-connections, --answer-within and --shed"),
        (&["--env", "LISTEN_FDS=1"], "with --listen the primary sets it"),
    ] {
        let all = [&["--listen", "127.0.0.1:0"], words].concat();
        let (status, said) = refused(directory.path(), &all);
        assert_eq!(status, 2, "{words:?}: {said}");
        assert!(said.contains(part), "{words:?}: {said}");
    }
}

#[test]
fn several_addresses_of_which_one_is_taken_leave_none_behind() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = portcrew_testkit::ports::free();
    let path = directory.path().join("a.sock");
    let listen = format!("unix:{},{free},{}", path.display(), taken.local_addr().unwrap());
    let mut crew = crew(&python, &["--listen", &listen], "number.py", &["{fd}"]);
    assert_eq!(crew.status(), 3);
    assert!(!path.exists());
    TcpListener::bind(free).expect("it is free again");
    // Of a crew that runs the file is there.
    let one = format!("unix:{}", path.display());
    let mut crew =
        super::world::crew(&python, &["-w", "1", "--listen", &one], "number.py", &["{fd}"]);
    crew.all_serve(1);
    assert!(path.exists());
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}
