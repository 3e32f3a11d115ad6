//! The word to the command that started this crew detached: it waits for it and then goes.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// The line for a crew whose workers all listen.
pub(crate) const READY: &str = "ready";

/// What begins the line for a crew of which a worker does not listen, in milliseconds.
pub(crate) const SILENT: &str = "silent ";

/// A pipe to the one who waits. Dropping it without a word says that there will be none.
#[derive(Debug)]
pub(crate) struct Announce(File);

impl Announce {
    /// Takes the pipe that stands where the standard input would be, and puts `/dev/null` there.
    ///
    /// # Errors
    /// When a descriptor is refused.
    pub(crate) fn from_stdin() -> std::io::Result<Self> {
        let pipe: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned()?;
        let null = OpenOptions::new().read(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
        Ok(Self(pipe.into()))
    }

    pub(super) fn ready(self) {
        self.say(&format!("{READY}\n"));
    }

    pub(super) fn silent(self, after: Duration) {
        self.say(&format!("{SILENT}{}\n", after.as_millis()));
    }

    /// A few bytes, for which an empty pipe always has room. Whoever waited may have gone: the crew goes on.
    fn say(mut self, line: &str) {
        let _ = self.0.write_all(line.as_bytes());
    }
}
