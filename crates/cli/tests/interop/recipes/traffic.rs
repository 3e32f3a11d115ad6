//! Requests while something else happens, and what became of each.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use portcrew_testkit::http::{Background, Load, Report};
use portcrew_testkit::process::{Process, Program, proc_fs};

use super::world::installed;
use crate::crew::HANG;

/// What a recipe speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    /// By a client of its own, beside the server.
    Grpc,
}

/// Clients at once, each request on a connection of its own.
const CLIENTS: usize = 8;

/// A running load.
pub(crate) enum Traffic {
    Http(Background),
    Grpc(Process),
}

/// What became of every request.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    /// The connection ended without a whole answer.
    pub(crate) cut: u64,
    /// Neither an answer nor an end within [`HANG`].
    pub(crate) hung: u64,
    /// An answer that is none.
    pub(crate) wrong: u64,
    /// The pids that have answered.
    pub(crate) by: BTreeSet<u32>,
    /// All of it, for a failure.
    pub(crate) text: String,
}

impl Traffic {
    pub(crate) fn start(protocol: Protocol, address: SocketAddr) -> Self {
        match protocol {
            Protocol::Http => {
                let load = Load::new(address).clients(CLIENTS).per_try_timeout(HANG);
                Self::Http(load.background())
            }
            Protocol::Grpc => {
                let client = installed().join("bin/grpc-load");
                let args = [address.to_string(), CLIENTS.to_string()];
                Self::Grpc(Program::new(client).args(args).stdin_pipe().start())
            }
        }
    }

    /// Waits for so many more answers.
    pub(crate) fn wait_answered(&self, count: usize) {
        match self {
            Self::Http(load) => load.wait_answered(count as u64, HANG),
            Self::Grpc(client) => {
                let mut last = client.mark();
                let is_told = |line: &str| line.starts_with("answered ");
                for _ in 0..count.div_ceil(ANSWERS_A_LINE) {
                    last = client.wait_line_after(last, is_told, HANG).mark;
                }
            }
        }
    }

    /// Begins no more requests, and waits for those under way.
    pub(crate) fn finish(self) -> Books {
        match self {
            Self::Http(load) => Books::of(&load.finish()),
            Self::Grpc(mut client) => {
                client.close_stdin();
                let end = client.wait_line(|line| line.starts_with("end "), HANG);
                let cut = client.lines().into_iter().filter(|it| it.text.starts_with("cut: "));
                let cut = cut.map(|it| it.text + "\n").collect::<String>();
                Books { text: cut + &end.text, ..Books::told(&end.text) }
            }
        }
    }
}

/// What `grpc-load` says in one line.
const ANSWERS_A_LINE: usize = 10;

impl Books {
    fn of(report: &Report) -> Self {
        Self {
            answered: report.ok,
            refused: report.refused,
            cut: report.reset + report.eof_without_answer + report.partial,
            hung: report.hung(),
            wrong: report.bad_response + report.raced,
            by: report.by_worker.keys().map(|it| it.parse().unwrap()).collect(),
            text: report.to_string(),
        }
    }

    /// As `grpc-load` says: `end answered=1 … workers=7 8`.
    fn told(line: &str) -> Self {
        let (counts, workers) = line.split_once(" workers=").expect("it ends with the workers");
        let count = |name: &str| {
            let find = |it: &str| it.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
            counts.split(' ').find_map(find).expect("each is counted")
        };
        Self {
            answered: count("answered"),
            refused: count("refused"),
            cut: count("cut"),
            hung: count("hung"),
            wrong: 0,
            by: workers.split_whitespace().map(|it| it.parse().unwrap()).collect(),
            text: line.to_owned(),
        }
    }

    /// Nobody was refused, nobody waits still, and who was answered was answered rightly.
    pub(crate) fn assert_served(&self) {
        let failed = (self.refused, self.hung, self.wrong);
        assert!(self.answered > 0 && failed == (0, 0, 0), "{}", self.text);
    }

    /// For the table.
    pub(crate) fn cell(&self) -> String {
        format!("{}, {} cut", self.answered, self.cut)
    }

    /// Which of these workers have answered, by themselves or by a process below them.
    pub(crate) fn of_workers(&self, workers: &BTreeSet<u32>) -> BTreeSet<u32> {
        let above = |pid: &u32| proc_fs::parent(*pid).ok();
        let own = self.by.iter().copied();
        own.chain(self.by.iter().filter_map(above)).filter(|it| workers.contains(it)).collect()
    }
}

#[test]
fn what_the_client_of_grpc_says_is_read() {
    let books = Books::told("end answered=7 refused=1 cut=2 hung=3 workers=8 9");
    assert_eq!((books.answered, books.refused, books.cut, books.hung), (7, 1, 2, 3));
    assert_eq!(books.by, [8, 9].into());
}
