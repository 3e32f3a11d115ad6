//! Where connections and datagrams come to.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{fs, io, iter};

use portcrew_testkit::http::Load;
use portcrew_testkit::process::proc_fs;
use serde_json::json;

use super::bench::{Bench, Listened, script};
use super::gap::Gap;
use super::row::Seen;
use super::runtime::Runtime;
use crate::crew::{Crew, HANG, portcrew};

/// `portcrew run -w 2` of the script.
pub(crate) fn run(runtime: &Runtime, port: u16, options: &[&str], env: &[(&str, &str)]) -> Crew {
    let program = portcrew("run").args(["-w", "2"]).args(options).args(runtime.command(script()));
    let program = program.env("SERVE", port.to_string()).env("PRINT", "1");
    let program = env.iter().fold(program, |program, (name, value)| program.env(name, value));
    Crew { process: program.name(format!("portcrew run {}", runtime.name)).start() }
}

/// Whether the primary has said that the program binds by itself.
pub(crate) fn is_self_bound(crew: &Crew) -> bool {
    let words =
        "by itself; connections are spread by the kernel (SO_REUSEPORT), --policy does not apply";
    crew.said().iter().any(|line| line.contains(words))
}

pub(crate) fn handed_over(runtime: &Runtime) -> Seen {
    let crew = run(runtime, 0, &[], &[]);
    let report = Load::new(crew.serving(2)).requests(100).run();
    report.assert_all_ok();
    if is_self_bound(&crew) {
        return Err(Gap::SelfBound);
    }
    assert_eq!(report.by_worker, [("1".to_owned(), 50), ("2".to_owned(), 50)].into());
    Ok(())
}

/// Whoever accepts: both workers serve, and no request is lost.
pub(crate) fn fixed_port(runtime: &Runtime) -> Seen {
    let crew = run(runtime, free_port(), &[], &[]);
    let report = Load::new(crew.serving(2)).requests(200).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker.len(), 2, "{report}");
    Ok(())
}

/// A server of `net`, which some runtimes treat otherwise than one of `http`.
pub(crate) fn bare_handed_over(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[]);
    let options = json!({ "host": "127.0.0.1", "port": 0 });
    let first = bench.serve_bare(1, "a", &options).port(&bench);
    assert_eq!(first, bench.serve_bare(2, "a", &options).port(&bench));
    let answers: Vec<_> = (0..6).map(|_| stream(first).unwrap()).collect();
    let count = |worker: &str| answers.iter().filter(|it| *it == worker).count();
    assert_eq!((count("worker 1"), count("worker 2")), (3, 3), "{answers:?}");
    Ok(())
}

pub(crate) fn bare_shared(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[("NODE_CLUSTER_SCHED_POLICY", "none")]);
    let options = json!({ "host": "127.0.0.1", "port": 0 });
    let first = bench.serve_bare(1, "a", &options).port(&bench);
    assert_eq!(first, bench.serve_bare(2, "a", &options).port(&bench));
    if listens_elsewhere(bench.pid(1), first.port()) {
        return Err(Gap::ListensElsewhere);
    }
    for _ in 0..20 {
        let answer = stream(first).unwrap();
        assert!(["worker 1", "worker 2"].contains(&answer.as_str()), "{answer}");
    }
    Ok(())
}

pub(crate) fn shared(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[("NODE_CLUSTER_SCHED_POLICY", "none")]);
    let address = served_by_both(&mut bench)?;
    if listens_elsewhere(bench.pid(1), address.port()) {
        return Err(Gap::ListensElsewhere);
    }
    Load::new(address).clients(8).requests(200).run().assert_all_ok();
    let snapshot = bench.snapshot();
    assert_eq!(
        (&snapshot["accepted"], &snapshot["listeners"][0]["shared"]),
        (&json!(0), &json!(true))
    );
    Ok(())
}

/// Each worker accepts from a socket of its own that the primary has bound.
pub(crate) fn kernel(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[("KERNEL", "1")]);
    let address = served_by_both(&mut bench)?;
    if listens_elsewhere(bench.pid(1), address.port()) {
        return Err(Gap::ListensElsewhere);
    }
    let report = Load::new(address).clients(8).requests(200).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker.len(), 2, "{report}");
    Ok(())
}

pub(crate) fn bare_kernel(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[("KERNEL", "1")]);
    let options = json!({ "host": "127.0.0.1", "port": 0 });
    let first = bench.serve_bare(1, "a", &options).port(&bench);
    assert_eq!(first, bench.serve_bare(2, "a", &options).port(&bench));
    if listens_elsewhere(bench.pid(1), first.port()) {
        return Err(Gap::ListensElsewhere);
    }
    // Of so many, one worker gets all once in 2^49 runs.
    let answers: BTreeSet<_> = (0..50).map(|_| stream(first).unwrap()).collect();
    assert_eq!(answers, ["worker 1".to_owned(), "worker 2".to_owned()].into());
    Ok(())
}

/// Two workers on one port that the primary has chosen.
pub(crate) fn served_by_both(bench: &mut Bench) -> Result<SocketAddr, Gap> {
    let options = json!({ "host": "127.0.0.1", "port": 0 });
    let first = bench.serve(1, "a", &options).port(bench);
    let second = bench.serve(2, "a", &options).port(bench);
    match bench.listeners().len() {
        0 => Err(bound_alone(bench)),
        _ if first == second => Ok(first),
        _ => bench.fail("the primary has a listener, and the ports differ"),
    }
}

/// The primary has no listener: whether that was said.
pub(crate) fn bound_alone(bench: &mut Bench) -> Gap {
    match bench.has_told(1, |event| event["event"] == "self-bound") {
        true => Gap::SelfBound,
        false => Gap::Unannounced,
    }
}

pub(crate) fn unix_path(runtime: &Runtime) -> Seen {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("s");
    let mut bench = Bench::with(runtime, 2, &[]);
    let options = json!({ "path": path });
    assert!(matches!(bench.serve(1, "a", &options), Listened::On(None)));
    if let Listened::Failed(code) = bench.serve(2, "a", &options) {
        assert_eq!(code, "EADDRINUSE");
        return Err(Gap::OneWorkerOnly);
    }
    let report = Load::new(path).requests(100).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("1".to_owned(), 50), ("2".to_owned(), 50)].into());
    Ok(())
}

pub(crate) fn udp(runtime: &Runtime) -> Seen {
    let mut bench = Bench::with(runtime, 2, &[]);
    let options = json!({ "address": "127.0.0.1", "port": 0 });
    let first = bench.udp(1, "u", &options).port(&bench);
    let second = bench.udp(2, "u", &options).port(&bench);
    if bench.listeners().is_empty() {
        assert_ne!(first, second);
        return Err(bound_alone(&mut bench));
    }
    assert_eq!(first, second);
    let answers: BTreeSet<_> = (0..20).map(|_| datagram(first)).collect();
    let workers = BTreeSet::from(["worker 1".to_owned(), "worker 2".to_owned()]);
    assert!(!answers.is_empty() && answers.is_subset(&workers), "{answers:?}");
    Ok(())
}

/// Whether the process has a listening TCP socket on another port.
fn listens_elsewhere(pid: u32, port: u16) -> bool {
    let own = proc_fs::fds(pid).unwrap();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|it| fs::read_to_string(it).unwrap());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let rows = rows.map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
    // State 0A listens; the port is what stands behind the address, in hexadecimal digits.
    let other = format!(":{port:04X}");
    let mut others = rows.filter(|row| row[3] == "0A" && !row[1].ends_with(&other));
    others.any(|row| own.iter().any(|(_, is)| *is == format!("socket:[{}]", row[9])))
}

/// What a client of a plain TCP server reads.
pub(crate) fn stream(place: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(place)?;
    stream.set_read_timeout(Some(HANG))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// What is answered to one.
pub(crate) fn datagram(address: SocketAddr) -> String {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(HANG)).unwrap();
    socket.send_to(b"?", address).unwrap();
    let mut answer = [0; 64];
    let (count, _) = socket.recv_from(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

/// A port that nobody has now, below those that the kernel gives to others. Never the same again.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + (std::process::id() % 80) as u16 * 100;
    let next = || first + NEXT.fetch_add(1, Ordering::Relaxed);
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    iter::repeat_with(next).take(1_000).find(free).expect("one of a thousand ports is free")
}
