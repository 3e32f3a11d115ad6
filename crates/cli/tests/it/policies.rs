//! `--policy`: each listener is dealt out by its own, and what cannot be is refused before anything starts.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use portcrew_testkit::node::fixture;
use portcrew_testkit::{ports, require_node};
use tempfile::TempDir;

use crate::command;
use crate::crew::{Crew, HANG, portcrew};

/// A server on all the ports and paths of its arguments.
const SEVERAL: &str = "const http = require('node:http');\
    const id = require('node:cluster').worker?.id ?? 0;\
    const places = process.argv.slice(2);\
    let left = places.length;\
    const up = () => { left -= 1; if (left === 0) console.log(`LISTENING everywhere`); };\
    for (const place of places) {\
      const server = http.createServer((request, response) => {\
        response.setHeader('x-worker', id); response.end();\
      });\
      if (place.includes('/')) server.listen(place, up);\
      else server.listen(Number(place), '127.0.0.1', up);\
    }";

pub(crate) fn several() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("several.js");
    fs::write(&script, SEVERAL).unwrap();
    (directory, script)
}

/// A client that keeps its connection, and who answered it.
struct Client {
    _stream: TcpStream,
    worker: String,
}

impl Client {
    fn of(port: u16) -> Self {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0; 1024];
        while !answer.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "no whole answer: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..count]);
        }
        let answer = String::from_utf8(answer).unwrap();
        let worker = answer.lines().find_map(|line| line.strip_prefix("x-worker: ")).unwrap();
        Self { _stream: stream, worker: worker.to_owned() }
    }

    fn of_worker(clients: &[Self], worker: &str) -> usize {
        clients.iter().filter(|it| it.worker == worker).count()
    }
}

#[test]
fn two_listeners_of_one_program_are_dealt_out_by_two_policies() {
    let _node = require_node!();
    let (_directory, script) = several();
    let base = ports::free_behind(2);
    let (fewest, sticky) = (base + 1, base + 2);
    let policy = format!("{fewest}=least-connections,{sticky}=sticky");
    let (first, second) = (fewest.to_string(), sticky.to_string());
    let program = portcrew("run").args(["-w", "2", "--policy", &policy]);
    let crew = Crew { process: program.arg(&script).args([first, second]).start() };
    crew.all_serve(2);
    let said = format!("2 workers, round-robin, {fewest}=least-connections, {sticky}=sticky");
    assert!(crew.said()[0].ends_with(&said), "{:?}", crew.said());
    // All stay open: counted or dealt in turn, it is the same number for each.
    let clients: Vec<_> = (0..8).map(|_| Client::of(fewest)).collect();
    let spread = ["1", "2"].map(|worker| Client::of_worker(&clients, worker));
    assert_eq!(spread, [4, 4]);
    // One address is one client.
    let clients: Vec<_> = (0..8).map(|_| Client::of(sticky)).collect();
    assert_eq!(Client::of_worker(&clients, &clients[0].worker), 8);
}

#[test]
fn a_policy_for_one_listener_leaves_the_others_to_nodes_variable() {
    let _node = require_node!();
    let program = portcrew("run").env("NODE_CLUSTER_SCHED_POLICY", "none");
    let program = program.args(["-w", "1", "--policy", "1=sticky"]).arg(fixture("hello.js"));
    let crew = Crew { process: program.start() };
    crew.says("hello: 1 worker, shared, 1=sticky");
}

#[test]
fn a_policy_for_a_listener_that_nobody_asks_for_is_pointed_out() {
    let _node = require_node!();
    let args = ["-w", "1", "--start-deadline", "300ms", "--policy", "1=sticky,./x=shared"];
    let program = portcrew("run").args(args).arg(fixture("hello.js"));
    let crew = Crew { process: program.start() };
    for item in ["1=sticky", "./x=shared"] {
        let words = "no worker has asked for this listener, 300 ms after the start";
        crew.says(&format!("--policy {item}: {words}"));
    }
}

#[test]
fn a_path_is_the_same_listener_however_it_is_written() {
    let _node = require_node!();
    let (directory, script) = several();
    let path = directory.path().join("a.sock");
    let program = portcrew("run").cwd(directory.path()).arg("--explain");
    let program = program.args(["-w", "1", "--policy", "./a.sock=shared"]).arg(script);
    let crew = Crew { process: program.arg(&path).start() };
    let words = format!("{}: the workers accept from one socket (shared)", path.display());
    crew.says(&words);
}

#[test]
fn what_cannot_be_read_is_refused_with_the_option_the_reason_and_the_alternatives() {
    const ALL: &str = "There are round-robin, least-connections, sticky, shared and kernel";
    let all = |reason: &str| format!("{reason} {ALL}");
    let parameters =
        "It has cookie:NAME, header:NAME, query:NAME, turn, proxy, v4:BITS, v6:BITS and wait:TIME";
    for (value, reason) in [
        ("random", all("there is no policy `random`.")),
        ("8080=stikcy", all("for 8080: there is no policy `stikcy`. Did you mean `sticky`?")),
        ("leastconn", all("what others call `leastconn` is `least-connections` here.")),
        ("reuseport", all("what others call `reuseport` is `kernel` here.")),
        ("shared=all", "`shared` has no parameters, only `sticky` has".to_owned()),
        (
            "8080=sticky,9090=rr,8080=shared",
            "`8080` is named twice: a listener has one policy".to_owned(),
        ),
        (
            "sticky,shared",
            "`sticky` and `shared` are both for all listeners: name the listener of one, as in 8080=shared".to_owned(),
        ),
        (
            "localhost:8080=sticky",
            "`localhost:8080` is no listener: name it by its TCP port alone (8080), by its Unix path with a slash \
             (./app.sock), or by a descriptor (fd:3)"
                .to_owned(),
        ),
        ("99999=sticky", "`99999` is no port: ports are 1 to 65535".to_owned()),
        ("8080", "`8080` says no policy: write LISTENER=POLICY, as in 8080=sticky".to_owned()),
        ("sticky=v4:33", "`v4:33`: an IPv4 address has 1 to 32 bits".to_owned()),
        (
            "sticky=wait:1h",
            "`wait:1h` is too long: a connection that no worker takes is closed after 30 s, so give less".to_owned(),
        ),
        ("sticky=cookie:", "`cookie` needs a name, as in cookie:session".to_owned()),
        (
            "sticky=cookie:a b",
            "`a b` cannot be the name of a cookie: it has letters, digits and !#$%&'*-.^_`|~".to_owned(),
        ),
        (
            "8080=sticky=cokie:sid",
            format!("for 8080: sticky has no parameter `cokie`. Did you mean `cookie`? {parameters}"),
        ),
    ] {
        let answer = command::portcrew(&here(), &["run", "--policy", value, "x"]);
        let error = format!("error: invalid value '{value}' for '--policy <POLICY>': {reason}\n");
        assert_eq!(answer.status, 2, "{value}");
        assert!(answer.stderr.starts_with(&error), "{error}{}", answer.stderr);
        assert_eq!(answer.stdout, "");
    }
}

#[test]
fn the_option_is_given_once() {
    let args = ["run", "--policy", "sticky", "--policy", "8080=shared", "x"];
    let answer = command::portcrew(&here(), &args);
    assert_eq!(answer.status, 2);
    let words = "the argument '--policy <POLICY>' cannot be used multiple times";
    assert!(answer.stderr.contains(words), "{}", answer.stderr);
}

#[test]
fn what_a_listener_or_a_runtime_cannot_do_is_refused_before_a_worker_starts() {
    let directory = tempfile::tempdir().unwrap();
    // Whoever started it would hear that it is no program.
    let deno = directory.path().join("deno");
    fs::write(&deno, "\x7fELF").unwrap();
    fs::set_permissions(&deno, PermissionsExt::from_mode(0o755)).unwrap();
    let no_address = "clients of a Unix-domain socket have no address to know them by. Say by what else: \
        sticky=cookie:NAME, sticky=header:NAME, sticky=query:NAME or sticky=proxy; or choose round-robin, \
        least-connections or shared";
    let cannot_share = "Deno takes a shared socket and then listens on a port of its own, so clients would wait in \
        vain. Choose round-robin, least-connections or sticky";
    let cwd = directory.path().canonicalize().unwrap();
    let absolute = format!("{}/a.sock", cwd.display());
    let twice = format!("./a.sock=shared,{absolute}=rr");
    for (value, said) in [
        ("./a.sock=sticky=v4:24", format!("the policy ./a.sock=sticky=v4:24: {no_address}")),
        ("shared", format!("the policy shared: {cannot_share}")),
        ("sticky,8080=none", format!("the policy 8080=shared: {cannot_share}")),
        (
            &twice,
            format!(
                "one listener is named twice: `./a.sock` and `{absolute}`. A listener has one policy"
            ),
        ),
    ] {
        let answer = command::portcrew(&cwd, &["run", "--policy", value, "./deno", "run", "x.js"]);
        assert_eq!(answer.status, 2, "{value}: {}", answer.stderr);
        assert_eq!(answer.stderr, format!("portcrew: {said}\n"));
        assert_eq!(answer.stdout, "");
    }
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
