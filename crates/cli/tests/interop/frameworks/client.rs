//! Our client of servers that keep a connection: HTTP/2 and WebSockets, in `clients`.

use std::net::SocketAddr;

use portcrew_testkit::node::Node;
use portcrew_testkit::process::{Mark, Process};
use serde_json::Value;

use super::project::Project;
use crate::crew::HANG;

/// A client that does what it is told, and tells what came of it.
pub(crate) struct Client {
    process: Process,
    mark: Mark,
}

/// A connection with all that was asked on it, well answered.
pub(crate) struct Session {
    pub(crate) protocol: String,
    /// Who answered each request.
    pub(crate) pids: Vec<u32>,
}

impl Client {
    pub(crate) fn start(node: &Node, project: &Project, kind: &str, address: SocketAddr) -> Self {
        let script = node.script(project.path("clients/main.js")).arg(kind);
        let script = script.arg(address.port().to_string()).name(format!("client of {kind}"));
        Self { process: project.told(script).stdin_pipe().start(), mark: Mark::default() }
    }

    /// What came of a command.
    pub(crate) fn tell(&mut self, command: &str) -> Value {
        self.process.write_line(command);
        let line = self.process.wait_line_after(self.mark, |line| line.starts_with('{'), HANG);
        self.mark = line.mark;
        serde_json::from_str(&line.text).unwrap()
    }

    /// The sessions of a command, of which none has failed.
    pub(crate) fn sessions(&mut self, command: &str) -> Vec<Session> {
        let answer = self.tell(command);
        let sessions = answer["sessions"].as_array().unwrap().iter();
        let read = |it: &Value| Session {
            protocol: it["protocol"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
            pids: pids(&it["pids"]),
        };
        sessions.map(read).collect()
    }
}

pub(crate) fn pids(list: &Value) -> Vec<u32> {
    let pid = |it: &Value| u32::try_from(it.as_u64().unwrap()).unwrap();
    list.as_array().unwrap().iter().map(pid).collect()
}
