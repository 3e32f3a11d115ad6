//! Running the binary and looking at what it said.

use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `portcrew` in a directory whose surroundings cannot change the answer.
pub(crate) fn portcrew(directory: &Path, args: &[&str]) -> Answer {
    let output = Command::new(env!("CARGO_BIN_EXE_portcrew"))
        .args(args)
        .current_dir(directory)
        .env_remove("NODE_CLUSTER_SCHED_POLICY")
        .env("COLUMNS", "100")
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built for this test");
    Answer {
        status: output.status.code().expect("it ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}
