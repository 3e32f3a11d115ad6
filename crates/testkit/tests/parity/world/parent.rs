//! Node as the parent of plain children.

use super::root::exe;
use super::{NodeProcess, World};

/// Put before every parent's script.
///
/// `start(OPTIONS, ...ARGS)` forks this program's part without a cluster, `told(CHILD)` tells any child's events as
/// lines. `blocked()` says so and does nothing until a line of standard input comes, which `lines` must not read then.
/// Besides, the script has what primaries have, but for `cluster`.
const FOR_PARENTS: &str = "\
'use strict';
const assert = require('node:assert');
const child_process = require('node:child_process');
const directory = process.env.PARITY_DIRECTORY;
const exe = process.env.PARITY_EXE;
const part = process.env.PARITY_PART;
const tell = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\\n`);
const lines = (f) => require('node:readline').createInterface({ input: process.stdin }).on('line', f);
const told = (child) => child
  .on('message', (message, handle) => tell('message', { message, handle: handle?.constructor.name ?? null }))
  .on('disconnect', () => tell('disconnect', { connected: child.connected }))
  .on('exit', (code, signal) => tell('exit', { code, signal }))
  .on('close', (code, signal) => tell('close', { code, signal }));
const blocked = () => {
  tell('blocked');
  assert.strictEqual(require('node:fs').readSync(0, Buffer.alloc(1)), 1);
};
const start = (options = {}, ...args) => told(child_process.fork('--part', [part, ...args], {
  execPath: exe, execArgv: [], stdio: ['ignore', 2, 2, 'ipc'], ...options,
}));
";

impl World {
    /// A Node process with this script that starts children without a cluster; they play `part`. What the script has
    /// besides is said at `FOR_PARENTS`.
    pub(crate) fn node_parent(&self, part: &str, script: &str) -> NodeProcess {
        let path = self.write("parent.js", &format!("{FOR_PARENTS}{script}"));
        let part = self.part(part);
        let program = self.node().script(path).name(format!("node parent of {part}"));
        NodeProcess::start(
            program
                .env("PARITY_EXE", exe())
                .env("PARITY_PART", part)
                .env("PARITY_DIRECTORY", self.directory())
                .stdin_pipe(),
        )
    }
}

impl NodeProcess {
    /// The `port` in the next event of that kind.
    ///
    /// # Panics
    /// When none comes, or without a port.
    pub(crate) fn port_in(&self, kind: &str) -> u16 {
        let event = self.next(kind);
        let port = event["port"].as_u64().and_then(|it| u16::try_from(it).ok());
        port.unwrap_or_else(|| self.process.fail(&format!("no port in {event}")))
    }

    /// The next `exit` of a child, which must be one with this code, and then the end of the program itself.
    ///
    /// # Panics
    /// When either is another.
    pub(crate) fn child_ends_with(self, code: i32) {
        let exit = self.next("exit");
        if exit["code"] != code {
            self.process.fail(&format!("its child ended with {exit}, not with {code}"));
        }
        self.ends_with(0);
    }
}
