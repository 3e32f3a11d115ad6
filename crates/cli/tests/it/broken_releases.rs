//! Releases that cannot serve, each in its own way, under load: all are rolled back, nobody is refused, and the socket
//! of the old release is as it was.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use portcrew_testkit::http::{Load, Report};
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG, is_said, run};

/// A server that stays up, and a release of it to be written.
struct Scene {
    _directory: tempfile::TempDir,
    script: PathBuf,
    crew: Crew,
    address: SocketAddr,
}

impl Scene {
    fn new(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("server.js");
        fs::write(&script, hello()).unwrap();
        let always = ["-w", "2", "--grace", "5s"].map(str::to_owned);
        let options = always.into_iter().chain(options.iter().map(|it| (*it).to_owned()));
        let crew = run(options.chain([script.display().to_string()]));
        let address = crew.serving(2);
        Self { _directory: directory, script, crew, address }
    }

    /// Reloads with this program under load; what became of the requests.
    fn is_rolled_back(&self, release: &str, because: &str) -> Report {
        let old = self.crew.pids_when(2);
        let load = Load::new(self.address).clients(4).per_try_timeout(HANG).background();
        load.wait_answered(50, HANG);
        fs::write(&self.script, release).unwrap();
        let mark = self.crew.process.mark();
        self.crew.process.signal(Signal::Hup);
        let line = self.crew.process.wait_line_after(mark, is_said("reload: rolled back"), HANG);
        if !line.text.contains(because) {
            self.crew.process.fail(because);
        }
        load.wait_answered(50, HANG);
        assert_eq!(self.crew.pids_when(2), old);
        load.finish()
    }

    /// The next good release is taken.
    fn is_mended(&self) {
        fs::write(&self.script, hello()).unwrap();
        let mark = self.crew.process.mark();
        self.crew.process.signal(Signal::Hup);
        self.crew.process.wait_line_after(mark, is_said("reload: done in "), HANG);
        Load::new(self.address).requests(10).run().assert_all_ok();
    }
}

fn hello() -> String {
    format!("require({:?});", fixture("hello.js"))
}

#[test]
fn one_that_wants_a_second_address_that_it_cannot_have_leaves_the_first_as_it_was() {
    let _node = require_node!();
    // Long: it has failed before it counts, however slow the machine is.
    let scene = Scene::new(&["--stable", "10s"]);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let others = [
        (format!("{taken_port}, '127.0.0.1'"), "EADDRINUSE"),
        // An address of nobody here, reserved for documentation.
        ("0, '192.0.2.1'".to_owned(), "EADDRNOTAVAIL"),
        ("'/nowhere/at/all.sock'".to_owned(), "EACCES"),
    ];
    for (other, because) in others {
        // It dies of the error, which it does not handle.
        let release = format!("{} require('node:net').createServer().listen({other});", hello());
        let mark = scene.crew.process.mark();
        // By whichever of the two the crew learns first.
        let report = scene.is_rolled_back(&release, "new worker ");
        // It has listened for a moment: what it was asked then has died with it, and nothing else.
        assert_eq!(report.refused + report.hung() + report.unstarted, 0, "{report}");
        scene.crew.process.wait_line_after(mark, |line| line.contains(because), HANG);
    }
    drop(taken);
}

/// A health check that answers with this status to everybody, for as long as the test lives.
fn health(status: &Arc<AtomicU16>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let status = Arc::clone(status);
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let status = status.load(Ordering::SeqCst);
            let answer =
                format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            // Read first: what is closed with bytes unread is reset.
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn one_whose_health_check_fails_is_rolled_back_at_its_deadline() {
    let _node = require_node!();
    let status = Arc::new(AtomicU16::new(200));
    let probe = format!("http://{}/", health(&status));
    // Long: the first workers have the same deadline.
    let scene = Scene::new(&["--stable", "100ms", "--ready", &probe, "--start-deadline", "6s"]);
    scene.crew.says("worker 1 is ready");
    scene.crew.says("worker 2 is ready");
    status.store(503, Ordering::SeqCst);
    scene.is_rolled_back(&hello(), "was not ready within 6 s").assert_all_ok();
}

#[test]
fn several_that_die_at_boot_one_after_another_and_then_a_good_one() {
    let _node = require_node!();
    let scene = Scene::new(&["--stable", "100ms"]);
    for _ in 0..3 {
        let broken = "throw new Error('broken at boot');";
        scene.is_rolled_back(broken, "exited with status 1").assert_all_ok();
    }
    scene.is_mended();
}

/// It answers an upgrade and keeps the connection.
const UPGRADES: &str = "const server = require('node:http').createServer((request, response) => {\
      response.setHeader('x-worker', process.env.PORTCREW_SLOT); response.end('x');\
    });\
    server.on('upgrade', (request, socket) => {\
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n');\
      socket.pipe(socket);\
    });\
    server.listen(0, '127.0.0.1', function () {\
      console.log(`LISTENING 127.0.0.1:${this.address().port}`);\
    });";

#[test]
fn an_upgraded_connection_is_served_through_the_grace_and_cut_after_it_and_that_is_said() {
    let _node = require_node!();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("server.js");
    fs::write(&script, UPGRADES).unwrap();
    let options = ["-w", "1", "--stable", "50ms", "--grace", "4s"].map(AsRef::as_ref);
    let crew = run(options.into_iter().chain([script.as_os_str()]));
    let mut client = TcpStream::connect(crew.serving(1)).unwrap();
    client.set_read_timeout(Some(HANG)).unwrap();
    client
        .write_all(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        )
        .unwrap();
    let mut answer = [0; 1024];
    let count = client.read(&mut answer).unwrap();
    assert!(answer[..count].starts_with(b"HTTP/1.1 101 "));
    crew.process.signal(Signal::Hup);
    // The new worker serves, the old one has been told to leave and still has its client.
    crew.process.wait_line(|line| line.starts_with("2 | LISTENING "), HANG);
    client.write_all(b"ping").unwrap();
    let mut echo = [0; 4];
    client.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"ping");
    crew.says("worker 1 has not left; it gets SIGTERM");
    assert!(matches!(client.read(&mut echo), Ok(0) | Err(_)), "it is cut");
    crew.says("reload: done in ");
    Load::new(crew.address()).requests(10).run().assert_all_ok();
}
