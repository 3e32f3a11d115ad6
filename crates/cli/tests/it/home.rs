//! A place of its own for crews that are found by name: sockets, logs, and the commands that ask there.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use portcrew_testkit::process::{Process, Program, eventually};
use serde_json::Value;

use crate::command::Answer;
use crate::crew::{Crew, HANG};

/// The binary under test, which is also the native server of these tests: `portcrew demo` as a worker.
pub(crate) const PORTCREW: &str = env!("CARGO_BIN_EXE_portcrew");

/// The directories of one test.
pub(crate) struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("run")).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.path().join("run/portcrew").join(format!("{name}.sock"))
    }

    pub(crate) fn logs(&self, name: &str) -> PathBuf {
        self.path().join("state/portcrew").join(name)
    }

    /// `portcrew` with these arguments, at home here.
    pub(crate) fn program(&self, args: &[&str]) -> Program {
        Program::new(PORTCREW)
            .args(args)
            .cwd(self.path())
            .env("XDG_RUNTIME_DIR", self.path().join("run"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("COLUMNS", "100")
            .env_remove("NO_COLOR")
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_CLUSTER_SCHED_POLICY")
            .env_remove("PORT")
            .name(format!("portcrew {}", args.first().unwrap_or(&"")))
    }

    /// A crew in the foreground whose workers are this very binary, and all ready.
    pub(crate) fn crew(&self, name: &str, workers: &str) -> Crew {
        let args = ["run", "--name", name, "-w", workers, "--grace", "5s", PORTCREW];
        let args = [&args[..], &["demo", "--port", "0"]].concat();
        let crew = Crew { process: self.program(&args).start() };
        crew.address();
        if self.socket(name).exists() {
            self.complete(name);
        }
        crew
    }

    /// Waits until every worker that is wanted is ready.
    pub(crate) fn complete(&self, name: &str) {
        eventually("a complete crew", HANG, || {
            let (_, status) = self.api(name, "GET", "/v1/status", "");
            (status["phase"] == "running" && status["ready"] == status["wanted"]).then_some(())
        });
    }

    /// A program whose next release a test writes.
    pub(crate) fn release(&self) -> PathBuf {
        let path = self.path().join("server");
        std::os::unix::fs::symlink(PORTCREW, &path).unwrap();
        path
    }

    /// Puts one that dies at boot in its place.
    pub(crate) fn break_release(&self) {
        let script = self.path().join("broken");
        fs::write(&script, "#!/bin/sh\necho cannot find the database >&2\nexit 3\n").unwrap();
        fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        fs::rename(&script, self.path().join("server")).unwrap();
    }

    /// And a good one again.
    pub(crate) fn mend_release(&self) {
        fs::remove_file(self.path().join("server")).unwrap();
        self.release();
    }

    /// Runs a command to its end.
    pub(crate) fn ask(&self, args: &[&str]) -> Answer {
        self.ended(self.program(args).start()).0
    }

    /// Waits for the end of a command. What it started in the background lives as long as the process is kept.
    pub(crate) fn ended(&self, mut process: Process) -> (Answer, Process) {
        let (status, lines) = process.wait_output(HANG);
        let of = |stream| {
            let lines = lines.iter().filter(|line| line.stream == stream);
            lines.map(|line| format!("{}\n", line.text)).collect::<String>()
        };
        let answer = Answer {
            status: status.code().expect("it ends by itself"),
            stdout: of(portcrew_testkit::process::Stream::Out),
            stderr: of(portcrew_testkit::process::Stream::Err),
        };
        (answer, process)
    }

    /// A command whose answer is one JSON object.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let answer = self.ask(args);
        serde_json::from_str(&answer.stdout).unwrap_or_else(|error| {
            panic!("{args:?}: {error}: {} {}", answer.stdout, answer.stderr)
        })
    }

    /// One request on a crew's socket: the status and the body.
    pub(crate) fn http(&self, name: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let head = format!("{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
        self.raw(name, format!("{head}{body}").as_bytes())
    }

    /// The same with an answer of JSON.
    pub(crate) fn api(&self, name: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, text) = self.http(name, method, path, body);
        let json = serde_json::from_str(&text);
        (status, json.unwrap_or_else(|error| panic!("{path}: {error}: {text}")))
    }

    /// Any bytes on a crew's socket, and the whole answer. Status 0 is no answer at all.
    pub(crate) fn raw(&self, name: &str, bytes: &[u8]) -> (u16, String) {
        let mut stream = UnixStream::connect(self.socket(name)).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        // The answer may come, and the connection be closed, before all is written.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.get(9..12).and_then(|it| it.parse().ok()).unwrap_or(0);
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        (status, body.unwrap_or_default())
    }
}

/// What differs from run to run is written as what it is: paths, ports, pids, ages, shares and sizes. Columns that
/// follow their width are set apart by two spaces.
pub(crate) fn normal(text: &str, home: &Home) -> String {
    let home = home.path().display().to_string();
    let text = text.replace(&home, "HOME").replace(PORTCREW, "PORTCREW");
    text.lines().map(|line| format!("{}\n", normal_line(line))).collect()
}

fn normal_line(line: &str) -> String {
    let columns = line.trim_end().split("  ").filter(|it| !it.is_empty());
    columns.map(|it| normal_column(it.trim())).collect::<Vec<_>>().join("  ")
}

fn normal_column(column: &str) -> String {
    let mut words: Vec<String> = column.split(' ').map(normal_word).collect();
    // A number and its unit are one fact.
    let mut at = 1;
    while at < words.len() {
        let unit = words[at].trim_end_matches([',', ';', '.']).to_owned();
        let rest = words[at][unit.len()..].to_owned();
        let fact = match unit.as_str() {
            "s" | "ms" | "min" | "h" | "d" => "AGE",
            "KiB" | "MiB" | "GiB" => "SIZE",
            _ => {
                at += 1;
                continue;
            }
        };
        if words[at - 1].starts_with(|it: char| it.is_ascii_digit()) || words[at - 1] == "PID" {
            words[at - 1] = format!("{fact}{rest}");
            words.remove(at);
        } else {
            at += 1;
        }
    }
    words.join(" ")
}

fn normal_word(word: &str) -> String {
    let core = word.trim_matches(['(', ')', ',', ';']);
    let fact = match core.strip_prefix("127.0.0.1:") {
        Some(port) if port.parse() != Ok(0_u16) && port.parse::<u16>().is_ok() => "127.0.0.1:PORT",
        _ if core.ends_with('%') => "CPU",
        _ if core.len() >= 3 && core.bytes().all(|it| it.is_ascii_digit()) => "PID",
        _ => core,
    };
    word.replacen(core, fact, 1)
}
