//! The private directory in which a socket is made, and which is the lock on its path.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use socket2::{SockAddr, Socket};

use super::place::short;
use super::{Everybody, Identity, refuses, socket_at, unbound};
use crate::net::bind::listen;
use crate::net::refused::Refused;

/// How often it is tried anew when somebody else changes what was just looked at. Beyond it the path counts as
/// taken.
const TRIES: u32 = 16;

/// The name of an abandoned socket file while it is looked at for the last time.
const OLD: &str = "old";

/// The socket's file name in here, where its own does not fit.
const SHORT: &str = "s";

/// A directory that only this user can enter, held by this process alone. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Staging {
    /// Where the socket belongs.
    path: PathBuf,
    directory: PathBuf,
    /// The socket's file in here. Named as there where that fits, for those who read its name.
    file: PathBuf,
    /// The open directory. The lock on it ends with it.
    lock: OwnedFd,
}

impl Staging {
    /// Enters the directory that belongs to `path`. Whoever is in it is just taking the path: EADDRINUSE.
    pub(super) fn enter(path: &Path) -> io::Result<Self> {
        // The root has no name; it is there, so it is taken.
        let name = path.file_name().ok_or(Errno::ADDRINUSE)?.to_owned();
        let mut hidden = OsString::from(".");
        hidden.push(&name);
        hidden.push(".portcrew");
        let directory = path.with_file_name(hidden);
        for _ in 0..TRIES {
            match open(&directory) {
                Ok(Some(lock)) => {
                    let named = Some(directory.join(&name)).filter(|it| short(it).is_ok());
                    let file =
                        named.filter(|_| name != OLD).unwrap_or_else(|| directory.join(SHORT));
                    let staging = Self { path: path.to_owned(), directory, file, lock };
                    staging.clear()?;
                    return Ok(staging);
                }
                // Its last owner removed it in between.
                Ok(None) => {}
                // As `bind` would say it: first of all that there is something.
                Err(_) if path.symlink_metadata().is_ok() => return Err(Errno::ADDRINUSE.into()),
                Err(error) => return Err(error),
            }
        }
        Err(Errno::ADDRINUSE.into())
    }

    /// Makes the socket, with its mode, so that it listens.
    pub(super) fn make(&self, everybody: Everybody, backlog: u32) -> Result<Socket, Refused> {
        let file = &self.file;
        let socket = unbound()?;
        socket.bind(&self.address(file)?)?;
        let wider =
            if everybody.reads { 0o444 } else { 0 } | if everybody.writes { 0o222 } else { 0 };
        if wider != 0 {
            let mode = std::fs::symlink_metadata(file)?.permissions().mode() | wider;
            std::fs::set_permissions(file, Permissions::from_mode(mode))?;
        }
        listen(&socket, backlog)?;
        Ok(socket)
    }

    /// Gives the socket its place, `address` to those who connect; an abandoned file there gives way.
    pub(super) fn publish(&self, address: &SockAddr) -> io::Result<Identity> {
        let identity = socket_at(&self.file)?.ok_or(Errno::NOENT)?;
        for _ in 0..TRIES {
            // A second name is given only where there is none, in one step; the first goes with the directory.
            match std::fs::hard_link(&self.file, &self.path) {
                Ok(()) => return Ok(identity),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return self.publish_by_rename(error).map(|()| identity),
            }
            // Gone again: try once more.
            let Some(found) = socket_at(&self.path)? else { continue };
            if !refuses(address)? {
                return Err(Errno::ADDRINUSE.into());
            }
            self.take_away(found)?;
        }
        Err(Errno::ADDRINUSE.into())
    }

    /// For file systems without second names. Between the look and the step only somebody without our lock can come.
    fn publish_by_rename(&self, error: io::Error) -> io::Result<()> {
        if self.path.symlink_metadata().is_ok() {
            return Err(error);
        }
        std::fs::rename(&self.file, &self.path)
    }

    /// Removes an abandoned file. Others may not know our lock: what is removed is first made ours, and what proves
    /// to be another file, or alive, goes back.
    pub(super) fn take_away(&self, found: Identity) -> io::Result<()> {
        let old = self.directory.join(OLD);
        match std::fs::rename(&self.path, &old) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Another user's, in a directory where only owners remove.
            Err(_) => return Err(Errno::ADDRINUSE.into()),
        }
        if socket_at(&old)? == Some(found) && refuses(&self.address(&old)?)? {
            return std::fs::remove_file(&old);
        }
        self.put_back(&old)?;
        Err(Errno::ADDRINUSE.into())
    }

    fn put_back(&self, old: &Path) -> io::Result<()> {
        match std::fs::hard_link(old, &self.path) {
            Ok(()) => std::fs::remove_file(old),
            // Somebody else has the place by now; nobody can reach this one any more.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => std::fs::remove_file(old),
            Err(_) => std::fs::rename(old, &self.path),
        }
    }

    /// Settles what a process left that was killed in here.
    fn clear(&self) -> io::Result<()> {
        let old = self.directory.join(OLD);
        match socket_at(&old)? {
            Some(_) if refuses(&self.address(&old)?)? => std::fs::remove_file(&old)?,
            Some(_) => self.put_back(&old)?,
            None => {}
        }
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A file in here, as the system is asked for it. Its path is longer than the one that is wanted: where
    /// only that one fits, this one is named by the open directory.
    fn address(&self, file: &Path) -> io::Result<SockAddr> {
        if let Ok(name) = short(file) {
            return SockAddr::unix(name);
        }
        let directory = PathBuf::from(format!("/proc/self/fd/{}", self.lock.as_raw_fd()));
        SockAddr::unix(directory.join(file.file_name().ok_or(Errno::INVAL)?))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed is settled by the next who enters.
        let _ = std::fs::remove_file(&self.file);
        let _ = std::fs::remove_dir(&self.directory);
    }
}

/// Makes the directory, or finds the one that a killed process left, and locks it. `None` when it was removed
/// meanwhile.
fn open(directory: &Path) -> io::Result<Option<OwnedFd>> {
    match std::fs::DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let lock = match rustix::fs::open(directory, flags, Mode::empty()) {
        Ok(lock) => lock,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let it = rustix::fs::fstat(&lock)?;
    // One that others can enter, or that is another's, is no private place.
    if it.st_uid != rustix::process::geteuid().as_raw() || it.st_mode & 0o077 != 0 {
        return Err(Errno::ACCESS.into());
    }
    let locked = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive);
    // A file system without locks leaves the looks before each step.
    if locked == Err(Errno::WOULDBLOCK) {
        return Err(Errno::ADDRINUSE.into());
    }
    match std::fs::symlink_metadata(directory) {
        Ok(now) if (now.dev(), now.ino()) == (it.st_dev, it.st_ino) => Ok(Some(lock)),
        _ => Ok(None),
    }
}
