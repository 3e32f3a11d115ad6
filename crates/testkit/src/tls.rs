//! TLS for tests: a certificate that is made when it is needed, and a client that resumes its session.
//!
//! Neither keys nor certificates lie in the repository: `openssl` makes them.

use std::ffi::OsStr;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use crate::node::Node;
use crate::process::{Mark, Process, Program};

/// Only detects a hang.
const HANG: Duration = Duration::from_secs(30);

/// A key and a certificate for `localhost`, signed by itself, in a directory that goes with it.
#[derive(Debug)]
pub struct Certificate {
    directory: TempDir,
}

impl Certificate {
    /// Makes one. Where there is no `openssl` it says so, for a test that is skipped then.
    ///
    /// # Panics
    /// When `openssl` fails, or is missing and `PORTCREW_REQUIRE_NODE` is `1`: then nothing may be skipped.
    #[must_use]
    pub fn make_or_skip() -> Option<Self> {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .output();
        match made {
            Ok(done) if done.status.success() => Some(Self { directory }),
            Ok(failed) => panic!("openssl: {}", String::from_utf8_lossy(&failed.stderr)),
            Err(error) => {
                let required = std::env::var_os("PORTCREW_REQUIRE_NODE");
                assert!(
                    required.as_deref() != Some(OsStr::new("1")),
                    "PORTCREW_REQUIRE_NODE=1 and openssl cannot be run: {error}"
                );
                let thread = std::thread::current();
                let test = thread.name().unwrap_or("a test");
                // Written to the descriptor itself: the test framework hides what `eprintln!` writes in a passing test.
                let _ = writeln!(std::io::stderr(), "skipped: openssl: {error} ({test})");
                None
            }
        }
    }

    /// The private key, as PEM.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    /// The certificate, as PEM. It is its own authority.
    #[must_use]
    pub fn cert(&self) -> PathBuf {
        self.directory.path().join("cert.pem")
    }

    /// Where both are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Tells a program where they are: `TLS_KEY` and `TLS_CERT`.
    pub fn told_to(&self, program: Program) -> Program {
        program.env("TLS_KEY", self.key()).env("TLS_CERT", self.cert())
    }
}

/// Node's TLS client: each connection tries to resume the session of the one before.
#[derive(Debug)]
pub struct TlsClient {
    process: Process,
    mark: Mark,
}

/// One connection from its handshake to its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Connected {
    /// The session was resumed: the server could read a ticket that it or another process had given.
    pub reused: bool,
    /// The version, as `TLSv1.3`.
    pub protocol: String,
    /// Who served it.
    pub worker: u64,
}

impl TlsClient {
    /// A client without a session, for the server at `address`.
    #[must_use]
    pub fn start(node: &Node, trusts: &Certificate, address: SocketAddr, version: &str) -> Self {
        let program = node.fixture("tls_client.js").arg(address.port().to_string()).arg(version);
        let process = program.env("TLS_CERT", trusts.cert()).stdin_pipe().start();
        Self { process, mark: Mark::default() }
    }

    /// Makes one connection and waits for its end.
    ///
    /// # Panics
    /// When it fails.
    pub fn connect(&mut self) -> Connected {
        self.process.write_line("");
        let line = self.process.wait_line_after(self.mark, |_| true, HANG);
        self.mark = line.mark;
        match serde_json::from_str(&line.text) {
            Ok(connected) => connected,
            Err(_) => self.process.fail(&line.text),
        }
    }

    /// So many connections, one after another.
    ///
    /// # Panics
    /// As [`connect`](Self::connect).
    pub fn connect_times(&mut self, count: usize) -> Vec<Connected> {
        (0..count).map(|_| self.connect()).collect()
    }
}

/// The [`Certificate`] to serve with; where none can be made the test says so and returns.
#[macro_export]
macro_rules! require_certificate {
    () => {
        match $crate::tls::Certificate::make_or_skip() {
            Some(certificate) => certificate,
            None => return,
        }
    };
}
