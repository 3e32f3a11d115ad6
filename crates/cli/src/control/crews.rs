//! The crews of this user, found by their sockets.

use std::fs;
use std::io;

use super::claim::{Lock, holder};
use super::client::{ANSWER_WITHIN, Client};
use super::connect::connect_within;
use super::directory::Directory;
use super::silence::has_timed_out;

/// Crews that are looked for at most. Beyond it the directory is not ours any more in any sense.
const MOST_CREWS: usize = 4096;

/// Names with sockets, in order.
#[derive(Debug)]
pub(crate) struct Crews {
    directory: Directory,
    pub(crate) names: Vec<String>,
}

/// What is behind a name.
#[derive(Debug)]
pub(crate) enum Found {
    /// A crew that can be asked.
    Crew(Client),
    /// Somebody holds the name and has no socket to connect to: it starts, or ends.
    Silent(Option<u32>),
    /// Somebody holds the name, and there was no room among those who wait at the socket: stopped, or overloaded.
    Full(Option<u32>),
    /// Nobody: what a dead primary left was removed.
    Nobody,
}

impl Crews {
    /// Looks into the directory. What is not a socket of ours by its name is not looked at.
    ///
    /// # Errors
    /// When the directory is not as it must be: the reason and the next step, in words.
    pub(crate) fn of_this_user() -> Result<Self, String> {
        let directory = Directory::of_this_user();
        let mut names = Vec::new();
        if directory.check()? {
            let entries = fs::read_dir(directory.path()).into_iter().flatten().flatten();
            for entry in entries.take(MOST_CREWS) {
                let file = entry.file_name();
                names.extend(
                    file.to_str().and_then(|it| it.strip_suffix(".sock")).map(str::to_owned),
                );
            }
        }
        names.sort();
        Ok(Self { directory, names })
    }

    /// Finds out what is behind a name, and cleans up behind a dead primary.
    pub(crate) fn find(&self, name: &str) -> Found {
        let socket = self.directory.socket(name);
        match connect_within(&socket, ANSWER_WITHIN) {
            Ok(_) => Found::Crew(Client::new(&socket)),
            Err(error) => match leftover(&self.directory, name) {
                Found::Silent(pid) if has_timed_out(&error) => Found::Full(pid),
                found => found,
            },
        }
    }

    /// These targets, with the crew's name in place of the pid of its primary. A crew that is called so goes first: one
    /// that runs, and one that does not of which it `is_known`.
    pub(crate) fn by_pid(
        &self,
        targets: &[String],
        is_known: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let named = |target: &String| {
            let is_name = self.names.contains(target) || is_known(target);
            let pid: u32 = target.parse().ok().filter(|_| !is_name)?;
            self.names.iter().find(|name| self.holder(name) == Some(pid))
        };
        targets.iter().map(|target| named(target).unwrap_or(target).clone()).collect()
    }

    /// The process that holds a name, whether or not it answers.
    pub(crate) fn holder(&self, name: &str) -> Option<u32> {
        holder(&self.directory.lock(name))
    }
}

/// A socket that nobody answers: its primary starts, or is dead. The lock tells which; if it can be had, what lies
/// there is removed.
fn leftover(directory: &Directory, name: &str) -> Found {
    let lock = directory.lock(name);
    match Lock::take(&lock) {
        Ok(Some(_lock)) => {
            // Under the lock: a successor's socket cannot be there.
            let removed = fs::remove_file(directory.socket(name));
            debug_assert!(
                removed.is_ok() || removed.is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
            );
            Found::Nobody
        }
        Ok(None) => Found::Silent(holder(&lock)),
        Err(_) => Found::Silent(None),
    }
}
