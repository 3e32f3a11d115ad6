//! A crew's name, claimed: a lock that only one process can hold, and the socket that lies beside it.
//!
//! The lock is `flock(2)` on NAME.lock. The kernel gives it up when the process ends, however it ends, so a name is
//! never taken by the dead, and whoever holds it may remove a socket that was left over. The file goes with its owner;
//! who has locked a file that is gone from the directory has locked nothing, and tries again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::connect::connect_within;
use super::directory::Directory;
use super::silence::has_timed_out;
use crate::output::words::control as words;

/// How often a lock file may vanish under us before we take it for somebody's mischief.
const TRIES: usize = 100;

/// How long a name may be held by somebody who has no socket, until it counts as taken.
const CLEANED_WITHIN: Duration = Duration::from_millis(200);

/// Looks within that time.
const CLEANERS: u32 = 40;

/// A name that is ours, with its socket. Dropping it gives up both.
#[derive(Debug)]
pub(crate) struct Claim {
    socket: PathBuf,
    /// Taken once, by the server.
    listener: Option<UnixListener>,
    lock: Lock,
}

/// What came of wanting a name.
#[derive(Debug)]
pub(crate) enum Claimed {
    Ours(Claim),
    /// Another process has it; its pid, when that can be read.
    Taken(Option<u32>),
}

/// The lock alone. Dropping it removes the file and gives it up.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    /// Open, and thereby locked. Workers do not inherit it: it is close-on-exec.
    file: File,
}

impl Claim {
    /// Takes the name if nobody has it, and makes its socket, which listens and is ours alone when this returns.
    ///
    /// # Errors
    /// What the system refuses, in words with the next step.
    pub(crate) fn take(directory: &Directory, name: &str) -> Result<Claimed, String> {
        directory.prepare()?;
        let (path, socket) = (directory.lock(name), directory.socket(name));
        let lock = take_from_the_living(&path, &socket);
        let Some(lock) = lock.map_err(|error| words::no_lock(&path, &error))? else {
            return Ok(Claimed::Taken(holder(&path)));
        };
        let listener = listen(&socket).map_err(|error| words::no_socket(&socket, &error))?;
        Ok(Claimed::Ours(Self { socket, listener: Some(listener), lock }))
    }

    /// The socket, which listens. Given once.
    pub(crate) fn take_listener(&mut self) -> Option<UnixListener> {
        self.listener.take()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // While the lock is ours, so that it is not a successor's. If it is gone already, so much the better.
        let _ = fs::remove_file(&self.socket);
        let _ = &self.lock;
    }
}

impl Lock {
    /// `None` when somebody has it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        for _ in 0..TRIES {
            let mut file = open(path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            // Its last owner may have removed it between our open and our lock.
            if is_still_there(&file, path)? {
                // Only where a dead primary's is in it: ext4 writes out at its close what was emptied, and so the end
                // of this process would wait for a disk.
                if file.metadata()?.len() > 0 {
                    file.set_len(0)?;
                }
                writeln!(file, "{}", std::process::id())?;
                return Ok(Some(Self { path: path.to_owned(), file }));
            }
        }
        Err(io::Error::other("the file vanishes again and again"))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // First the name, then (with the file) the lock: who locks it after us sees that it is gone.
        let _ = fs::remove_file(&self.path);
        let _ = &self.file;
    }
}

/// `None` when a crew has it. Whoever cleans up behind a dead primary has it for an instant, and no socket that
/// answers: that one is waited for, since nobody tells when it lets go.
fn take_from_the_living(path: &Path, socket: &Path) -> io::Result<Option<Lock>> {
    for _ in 0..CLEANERS {
        if let Some(lock) = Lock::take(path)? {
            return Ok(Some(lock));
        }
        if is_served(socket) {
            return Ok(None);
        }
        thread::sleep(CLEANED_WITHIN / CLEANERS);
    }
    Ok(None)
}

/// One that is not served in time has no room for one more client: somebody is behind it.
fn is_served(socket: &Path) -> bool {
    match connect_within(socket, CLEANED_WITHIN) {
        Ok(_) => true,
        Err(error) => has_timed_out(&error),
    }
}

/// The process that wrote the lock file last.
pub(super) fn holder(lock: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(lock).ok()?.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn open(path: &Path) -> io::Result<File> {
    // No link of that name can lead elsewhere: nobody but us can make one in this directory.
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn is_still_there(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whoever made a socket here before is dead, for we have the lock. In between nobody else can reach it: the directory
/// is closed to all others.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, PermissionsExt::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn of_many_who_want_a_lock_at_once_one_has_it_however_often_it_is_given_up() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lock");
        let (inside, rounds) = (std::sync::atomic::AtomicUsize::new(0), 300);
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    let mut had = 0;
                    while had < rounds {
                        let Some(lock) = Lock::take(&path).unwrap() else {
                            thread::yield_now();
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                        had += 1;
                    }
                });
            }
        });
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_the_dead_left_behind_is_no_hindrance() {
        let place = tempfile::tempdir().unwrap();
        let (lock, socket) = (place.path().join("x.lock"), place.path().join("x.sock"));
        fs::write(&lock, "1\n").unwrap();
        drop(UnixListener::bind(&socket).unwrap());
        assert!(UnixStream::connect(&socket).is_err());
        let _lock = Lock::take(&lock).unwrap().unwrap();
        let _listener = listen(&socket).unwrap();
        assert!(UnixStream::connect(&socket).is_ok());
        assert_eq!(holder(&lock), Some(std::process::id()));
        assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);
    }
}
