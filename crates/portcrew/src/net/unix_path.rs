//! Unix-domain sockets on a path: made out of sight, shown complete, and taken over only from the dead.
//!
//! A socket file that was merely bound refuses connections just as one whose owner has died: whoever meets it in
//! between takes it for abandoned. So the socket is made in a private directory beside its path; when it listens
//! and has its mode, its file gets its name in one step. The same directory is the lock under which an
//! abandoned file is replaced.
//!
//! The price is the name that the kernel remembers: `ss` and `getpeername` show the path in the private
//! directory, which ends in the same file name. HAProxy does the same, for the same reason. Listeners here say
//! the path that was asked for.

mod place;
mod staging;

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

pub(crate) use place::absolute;
use place::short;
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use staging::Staging;

use super::bind::listen;
use super::refused::Refused;

/// What every user may do with the socket file, beyond what the process's mask leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Everybody {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

/// A socket file that we made: it is removed only while it is still the same file.
///
/// To be dropped before its socket: while that is open nobody takes the path over, and the file's number is
/// not given to another.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

/// A file, whatever its name: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

/// Makes a socket that listens on `path`, and its file if it has one.
pub(crate) fn bind(
    path: &str,
    everybody: Everybody,
    backlog: u32,
) -> Result<(Socket, Option<SocketFile>), Refused> {
    if path.starts_with('\0') {
        // A name in the abstract namespace has no file, hence no mode and nothing to remove (unix(7)).
        let socket = unbound()?;
        socket.bind(&SockAddr::unix(path)?)?;
        listen(&socket, backlog)?;
        return Ok((socket, None));
    }
    let path = absolute(Path::new(path))?;
    let address = SockAddr::unix(short(&path)?)?;
    let staging = Staging::enter(&path)?;
    let socket = staging.make(everybody, backlog)?;
    let file = SocketFile { identity: staging.publish(&address)?, path };
    Ok((socket, Some(file)))
}

fn unbound() -> io::Result<Socket> {
    Socket::new(Domain::UNIX, Type::STREAM, None)
}

/// Whether nobody is behind a socket file. Never waits: an owner that lives and does not accept (EAGAIN, its queue
/// is full) must not hold us up.
fn refuses(address: &SockAddr) -> io::Result<bool> {
    let socket = unbound()?;
    socket.set_nonblocking(true)?;
    let connected = socket.connect(address);
    Ok(connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}

/// The socket file at `path`; `None` when there is nothing.
fn socket_at(path: &Path) -> io::Result<Option<Identity>> {
    match std::fs::symlink_metadata(path) {
        Ok(it) if it.file_type().is_socket() => Ok(Some(Identity(it.dev(), it.ino()))),
        // What is no socket is never ours to touch.
        Ok(_) => Err(Errno::ADDRINUSE.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if socket_at(&self.path).ok().flatten() == Some(self.identity) {
            // A directory that has become read-only keeps a file that refuses connections.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
