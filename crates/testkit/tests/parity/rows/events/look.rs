//! Workers that say what they were started with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use portcrew::{Received, Role, Settings, Worker};
use serde_json::{Value, json};

use crate::part;
use crate::row::Part;
use crate::world::World;

/// A Rust worker of that kind.
pub(super) const PART: Part = Part::new("worker", worker);

/// A Node worker says so at its start, and again whenever it is sent something.
const NODE_WORKER: &str = "
const look = () => say({ args: process.argv.slice(2), cwd: process.cwd() });
process.on('message', look);
look();
";

/// Settings for Node workers.
pub(super) fn node_workers(world: &World) -> Settings {
    with_helper(world.node_workers(NODE_WORKER))
}

/// Settings for workers that play [`PART`].
pub(super) fn rust_workers(world: &World) -> Settings {
    with_helper(world.rust_workers(PART.name))
}

/// What such a worker says.
pub(super) fn said(args: &[&str], cwd: &Path) -> Value {
    json!({ "args": args, "cwd": cwd })
}

/// Where this process is.
pub(super) fn here() -> PathBuf {
    std::env::current_dir().expect("it is there")
}

/// What changes in a child before its program is executed needs a program for that.
fn with_helper(mut settings: Settings) -> Settings {
    settings.helper = Some(env!("CARGO_BIN_EXE_fixture-role").into());
    settings
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        loop {
            look(&worker);
            let told = tokio::select! {
                told = worker.recv() => told,
                () = worker.draining() => return,
            };
            assert!(matches!(told, Some(Received::Message { .. })), "{told:?}");
        }
    });
}

fn look(worker: &Worker) {
    // Behind this program, the word that a part follows, and its name.
    let args = std::env::args_os().skip(3).map(OsString::into_string);
    let args = args.collect::<Result<Vec<_>, _>>().expect("rows use text");
    worker.send(&json!({ "args": args, "cwd": here() })).expect("connected");
}
