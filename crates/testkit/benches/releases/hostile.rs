//! Workers that do not want to leave.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::Failure;
use crate::place::Place;
use crate::world::World;

/// One way not to leave. Each says `UP` when it is what it is.
#[derive(Debug)]
pub(crate) struct Hostile {
    pub(crate) said: &'static str,
    what: What,
}

#[derive(Debug)]
enum What {
    Shell(&'static str),
    Node(&'static str),
    /// A part of the fixture that breaks every rule.
    Rogue(&'static str),
}

pub(crate) const ALL: [Hostile; 6] = [
    Hostile {
        said: "ignores SIGTERM",
        what: What::Shell("trap '' TERM INT HUP\necho UP\nwhile :; do sleep 1000; done\n"),
    },
    Hostile {
        said: "stops itself by SIGSTOP",
        what: What::Shell("sleep 1000 &\necho UP\nkill -STOP $$\nwait\n"),
    },
    Hostile {
        said: "leaves children that ignore SIGTERM",
        what: What::Shell(
            "for n in 1 2 3; do (trap '' TERM; exec sleep 1000) & done\necho UP\nwait\n",
        ),
    },
    Hostile {
        said: "answers SIGTERM with more children",
        what: What::Shell(
            "trap 'sleep 1000 & sleep 1000 &' TERM\necho UP\nwhile :; do sleep 1000 & wait; done\n",
        ),
    },
    Hostile {
        said: "Node: ignores the disconnect message and SIGTERM",
        what: What::Node(
            "process.on('SIGTERM', () => {}); process.on('disconnect', () => {});\n\
            setInterval(() => {}, 1 << 30);\n\
            require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('UP'));\n",
        ),
    },
    Hostile { said: "floods its channel", what: What::Rogue("flood") },
];

impl Hostile {
    /// The words that run it.
    pub(crate) fn words(&self, world: &World, place: &Place) -> Result<Vec<OsString>, Failure> {
        match self.what {
            What::Shell(text) => {
                let script = place.path().join("worker");
                fs::write(&script, format!("#!/bin/sh\n{text}"))?;
                fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
                Ok(vec![script.into()])
            }
            What::Node(text) => {
                let script = place.path().join("worker.js");
                fs::write(&script, text)?;
                Ok(vec![world.node()?.path().into(), script.into()])
            }
            What::Rogue(part) => Ok(vec![env!("CARGO_BIN_EXE_fixture-rogue").into(), part.into()]),
        }
    }

    /// The line by which a worker says that it is up.
    pub(crate) fn is_up(&self, line: &str) -> bool {
        let word = match self.what {
            What::Shell(_) | What::Node(_) => "UP",
            What::Rogue(_) => "READY",
        };
        line.ends_with(word)
    }
}
