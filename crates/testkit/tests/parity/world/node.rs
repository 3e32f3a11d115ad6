//! Node's own primary as one side of a proof, and the words that scripts have.

use std::cell::RefCell;
use std::collections::HashMap;

use portcrew_testkit::process::{Mark, Process, Program};
use serde_json::Value;

use super::HANG;

/// Put before every worker's script. `refusal(ERROR)` is what there is to say about a `listen` that failed.
pub(super) const FOR_WORKERS: &str = "\
'use strict';
const assert = require('node:assert');
const say = (value, ...rest) => process.send(value, ...rest);
const refusal = ({ code, errno, syscall, address, port }) => ({
  code, errno, syscall, address: address ?? null, port: port >= 0 ? port : null,
});
";

/// Put before every primary's script: workers are this program's part, and every event is told as a line. The script
/// has `cluster`, `assert`, `tell(EVENT, FIELDS)`, `directory`, `lines(f)`, which calls `f` with each line of
/// standard input, and `obey()`, which obeys the lines that [`NodeProcess`] writes and [`tell::FORK`](crate::tell::FORK).
pub(super) const FOR_PRIMARIES: &str = "\
'use strict';
const assert = require('node:assert');
const cluster = require('node:cluster');
const directory = process.env.PARITY_DIRECTORY;
const tell = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\\n`);
const lines = (f) => require('node:readline').createInterface({ input: process.stdin }).on('line', f);
const orders = {
  fork: (variables) => cluster.fork(Object.fromEntries(variables.map((it) => it.split('=')))),
  send: ([id, text]) => cluster.workers[id].send(text),
  disconnect: () => { cluster.disconnect(); process.stdin.destroy(); },
};
const obey = () => {
  lines((line) => { const [order, ...words] = line.split(' '); orders[order](words); });
  if (process.env.PARITY_FORK) cluster.fork();
};
process.execPath = process.env.PARITY_EXE;
cluster.setupPrimary({
  exec: '--part', args: [process.env.PARITY_PART], execArgv: [], stdio: ['ignore', 2, 2, 'ipc'],
});
const planned = (worker) => worker.exitedAfterDisconnect ?? null;
cluster.on('fork', ({ id, process: { pid } }) => tell('fork', { worker: id, pid }));
cluster.on('online', (worker) => tell('online', { worker: worker.id }));
cluster.on('listening', (worker, address) => tell('listening', { worker: worker.id, ...address }));
cluster.on('disconnect', (worker) => tell('disconnect', { worker: worker.id, planned: planned(worker) }));
cluster.on('exit', (worker, code, signal) => tell('exit', { worker: worker.id, code, signal, planned: planned(worker) }));
cluster.on('message', (worker, message, handle) => {
  tell('message', { worker: worker.id, message, handle: handle?.constructor.name ?? null });
});
";

/// A program that tells its events as JSON lines: Node's primary, or a Rust one with a process of its own.
pub(crate) struct NodeProcess {
    pub(crate) process: Process,
    /// Per kind of event, behind the last that was taken.
    marks: RefCell<HashMap<String, Mark>>,
}

impl NodeProcess {
    pub(crate) fn start(program: Program) -> Self {
        Self { process: program.start(), marks: RefCell::default() }
    }

    /// The next event of that kind; each is given once.
    ///
    /// # Panics
    /// When it does not come.
    pub(crate) fn next(&self, kind: &str) -> Value {
        let from = self.marks.borrow().get(kind).copied().unwrap_or_default();
        let read = |line: &str| -> Option<Value> {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["event"] == kind).then_some(event)
        };
        let line = self.process.wait_line_after(from, |line| read(line).is_some(), HANG);
        self.marks.borrow_mut().insert(kind.to_owned(), line.mark);
        read(&line.text).expect("it was looked for")
    }

    /// The process id in the next `pid`.
    pub(crate) fn pid(&self) -> u32 {
        let event = self.next("pid");
        let pid = event["pid"].as_u64().and_then(|it| u32::try_from(it).ok());
        pid.unwrap_or_else(|| self.process.fail(&format!("no process id in {event}")))
    }

    /// Whether such an event has come. Proves the absence of one only behind a later event.
    pub(crate) fn was_told(&self, kind: &str) -> bool {
        let is = |line: &str| {
            serde_json::from_str(line).is_ok_and(|event: Value| event["event"] == kind)
        };
        self.process.lines().iter().any(|it| is(&it.text))
    }

    /// The port of the next `listening`.
    pub(crate) fn port(&self) -> u16 {
        let event = self.next("listening");
        let port = event["port"].as_u64().and_then(|it| u16::try_from(it).ok());
        port.unwrap_or_else(|| self.process.fail(&format!("no port in {event}")))
    }

    /// Lets it start a worker, with these variables as `NAME=value`, and waits until it has. The process id of the
    /// worker. The script must `obey()`.
    pub(crate) fn fork(&mut self, variables: &[String]) -> u32 {
        self.line(&[&["fork".to_owned()], variables].concat().join(" "));
        let fork = self.next("fork");
        let pid = fork["pid"].as_u64().and_then(|it| u32::try_from(it).ok());
        pid.unwrap_or_else(|| self.process.fail(&format!("no process id in {fork}")))
    }

    /// Lets it send a word to a worker. The script must `obey()`.
    pub(crate) fn send(&mut self, worker: u32, word: &str) {
        self.line(&format!("send {worker} {word}"));
    }

    /// Lets it ask its workers to leave, of which there are so many, and waits for its own end: all exit with status
    /// 0. The script must `obey()`.
    pub(crate) fn all_leave(mut self, workers: usize) {
        self.line("disconnect");
        for _ in 0..workers {
            let exit = self.next("exit");
            let as_wanted = exit["code"] == 0 && exit["planned"] == true;
            assert!(as_wanted, "{exit}");
        }
        self.ends_with(0);
    }

    /// Writes a line to its standard input.
    pub(crate) fn line(&mut self, line: &str) {
        self.process.write_line(line);
    }

    /// Closes its standard input and waits for its end, which must be this status.
    ///
    /// # Panics
    /// When it is another, or does not come.
    pub(crate) fn ends_with(mut self, code: i32) {
        self.end(code);
    }

    /// As [`ends_with`](Self::ends_with), and waits until its workers have gone too: they hold its output open. Returns
    /// every event that it told, asked for or not.
    ///
    /// # Panics
    /// As [`ends_with`](Self::ends_with), and when a worker stays.
    pub(crate) fn ends_with_its_workers(mut self, code: i32) -> Vec<Value> {
        self.end(code);
        let (_, lines) = self.process.wait_output(HANG);
        lines.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).collect()
    }

    fn end(&mut self, code: i32) {
        self.process.close_stdin();
        let status = self.process.wait_exit(HANG);
        if status.code() != Some(code) {
            self.process.fail(&format!("it ended with {status}, not with {code}"));
        }
    }
}

impl Drop for NodeProcess {
    /// What the script finds wrong after the last that was asked for, only its status tells.
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.process.was_awaited() {
            self.process.fail("the proof did not wait for its end: ends_with");
        }
    }
}

/// Checks that each of these events was told once.
///
/// # Panics
/// When one was not, or more often.
pub(crate) fn told_once(told: &[Value], kinds: &[&str]) {
    for kind in kinds {
        let count = told.iter().filter(|it| it["event"] == *kind).count();
        assert_eq!(count, 1, "{kind} in {told:#?}");
    }
}
