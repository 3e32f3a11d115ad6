//! Making the sockets that workers ask for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use portcrew_core::{Address, Errno, Family, Query, SockName};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// Node's default for the kernel's queue of a listening socket, in connections.
pub(crate) const BACKLOG: u32 = 511;

/// The longest path of a Unix-domain socket in bytes, without the closing zero (unix(7)).
const SUN_PATH: usize = 107;

/// A socket that is bound and, unless it is UDP, listens.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) socket: OwnedFd,
    /// Where; none for Unix-domain sockets.
    pub(crate) sockname: Option<SockName>,
    /// The socket file to remove at the end.
    pub(crate) file: Option<SocketFile>,
}

/// A socket file that we made: it is removed only while it is still the same file.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Makes the socket. A Unix-domain path is taken over from an owner that has died.
pub(crate) fn bind(query: &Query) -> io::Result<Bound> {
    let backlog = query.backlog.unwrap_or(BACKLOG);
    match &query.address {
        Address::Tcp { host: None, port, ipv6_only, family } => {
            bind_everywhere(*port, *ipv6_only, *family, backlog)
        }
        Address::Tcp { host: Some(host), port, ipv6_only, .. } => {
            bind_tcp(parse(host, *port)?, *ipv6_only, backlog)
        }
        Address::Unix { path, readable_all, writable_all } => {
            bind_unix(path, *readable_all, *writable_all, backlog)
        }
        Address::Fd { fd } => {
            bound_already(portcrew_ipc::descriptor::duplicate(*fd)?, Some(backlog))
        }
        Address::Udp { fd: Some(fd), .. } => {
            bound_already(portcrew_ipc::descriptor::duplicate(*fd)?, None)
        }
        Address::Udp { host, port, family, flags, fd: None } => {
            bind_udp(host.as_deref(), *port, *family, *flags)
        }
    }
}

/// The number that the wire carries for an error. As libuv, a path whose directory is missing is EACCES.
pub(crate) fn errno_of(error: &io::Error, address: &Address) -> Errno {
    let errno = error.raw_os_error().unwrap_or(Errno::INVALID.0);
    if address.is_unix() && error.kind() == io::ErrorKind::NotFound {
        return Errno::ACCESS;
    }
    Errno(errno)
}

/// `::` for both families, and `0.0.0.0` on a machine without IPv6, as Node does.
fn bind_everywhere(port: u16, only6: bool, family: Family, backlog: u32) -> io::Result<Bound> {
    let any6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match bind_tcp(any6, only6, backlog) {
        Err(error) if is_no_ipv6(&error) && family == Family::V4 => {
            bind_tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), false, backlog)
        }
        outcome => outcome,
    }
}

fn is_no_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno as System;
    let errno = error.raw_os_error().map(System::from_raw_os_error);
    matches!(errno, Some(System::AFNOSUPPORT | System::ADDRNOTAVAIL | System::INVAL))
}

fn bind_tcp(address: SocketAddr, ipv6_only: bool, backlog: u32) -> io::Result<Bound> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // As std and Node do: else a restart fails for a minute on connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(ipv6_only)?;
    }
    socket.bind(&address.into())?;
    listen(&socket, backlog)?;
    finished(socket, None)
}

fn bind_unix(path: &str, readable: bool, writable: bool, backlog: u32) -> io::Result<Bound> {
    let path = short_path(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(&path)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(&path) => {
            std::fs::remove_file(&path)?;
            socket.bind(&address)?;
        }
        outcome => outcome?,
    }
    // A name in the abstract namespace has no file, hence no mode and nothing to remove (unix(7)).
    let file = if is_abstract(&path) { None } else { Some(SocketFile::of(path.clone())?) };
    if file.is_some() && (readable || writable) {
        let everybody = if readable { 0o444 } else { 0 } | if writable { 0o222 } else { 0 };
        let mode = std::fs::metadata(&path)?.permissions().mode() | everybody;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
    }
    listen(&socket, backlog)?;
    finished(socket, file)
}

fn bind_udp(host: Option<&str>, port: u16, family: Family, flags: u32) -> io::Result<Bound> {
    let address = match (host, family) {
        (Some(host), _) => parse(host, port)?,
        (None, Family::V4) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        (None, Family::V6) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
    };
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(flags & Address::UDP_REUSE_ADDRESS != 0)?;
    socket.set_reuse_port(flags & Address::UDP_REUSE_PORT != 0)?;
    if address.is_ipv6() {
        socket.set_only_v6(flags & Address::UDP_IPV6_ONLY != 0)?;
    }
    socket.bind(&address.into())?;
    finished(socket, None)
}

/// A descriptor that the primary holds: a stream socket, which is made to listen, or without a backlog a UDP
/// socket.
fn bound_already(socket: OwnedFd, backlog: Option<u32>) -> io::Result<Bound> {
    let socket = Socket::from(socket);
    let fits = match backlog {
        Some(_) => socket.r#type()? == Type::STREAM,
        None => socket.r#type()? == Type::DGRAM && socket.protocol()? == Some(Protocol::UDP),
    };
    if !fits {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if let Some(backlog) = backlog {
        listen(&socket, backlog)?;
    }
    finished(socket, None)
}

fn listen(socket: &Socket, backlog: u32) -> io::Result<()> {
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))
}

fn finished(socket: Socket, file: Option<SocketFile>) -> io::Result<Bound> {
    socket.set_nonblocking(true)?;
    let sockname = socket.local_addr()?.as_socket().map(sockname);
    Ok(Bound { socket: socket.into(), sockname, file })
}

fn sockname(address: SocketAddr) -> SockName {
    let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
    SockName { address: address.ip().to_string(), family, port: address.port() }
}

fn parse(host: &str, port: u16) -> io::Result<SocketAddr> {
    // Workers resolve names; what arrives is an address, perhaps with a zone (`fe80::1%eth0`).
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    format!("[{host}]:{port}").parse().map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// The shorter of the path as given and relative to the working directory: socket paths are short.
fn short_path(path: &str) -> io::Result<PathBuf> {
    let given = PathBuf::from(path);
    if path.len() <= SUN_PATH {
        return Ok(given);
    }
    let relative = std::env::current_dir()
        .ok()
        .and_then(|here| given.strip_prefix(here).ok().map(Path::to_path_buf));
    match relative {
        Some(relative) if relative.as_os_str().len() <= SUN_PATH => Ok(relative),
        Some(_) | None => Err(rustix::io::Errno::NAMETOOLONG.into()),
    }
}

/// Whether a socket file's owner has died: it refuses connections. A file that is no socket is never ours.
fn is_abandoned(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    is_socket && refuses(path).unwrap_or(false)
}

/// Without waiting: an owner that lives and does not accept (EAGAIN, its queue is full) must not hold us up.
fn refuses(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let connected = socket.connect(&SockAddr::unix(path)?);
    Ok(connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}

fn is_abstract(path: &Path) -> bool {
    path.as_os_str().as_bytes().first() == Some(&0)
}

impl SocketFile {
    fn of(path: PathBuf) -> io::Result<Self> {
        let it = std::fs::symlink_metadata(&path)?;
        Ok(Self { path, device: it.dev(), inode: it.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let same = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|it| (it.dev(), it.ino()) == (self.device, self.inode));
        if same {
            // A directory that has become read-only keeps a file that refuses connections.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(path: &str) -> Query {
        let address =
            Address::Unix { path: path.to_owned(), readable_all: true, writable_all: true };
        Query { address, index: 0, backlog: None, data: None }
    }

    #[test]
    fn a_name_in_the_abstract_namespace_has_no_file() {
        let query = unix(&format!("\0portcrew-bind-{}", std::process::id()));
        let bound = bind(&query).unwrap();
        assert!(bound.file.is_none());
        assert_eq!(bind(&query).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(bound);
        bind(&query).unwrap();
    }

    #[test]
    fn a_path_is_taken_over_from_a_dead_owner_and_never_from_one_that_is_busy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("busy");
        let address = SockAddr::unix(&path).unwrap();
        let owner = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        owner.bind(&address).unwrap();
        owner.listen(0).unwrap();
        let mut clients = Vec::new();
        loop {
            let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            match client.connect(&address) {
                Ok(()) => clients.push(client),
                Err(error) => break assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        let query = unix(path.to_str().unwrap());
        assert_eq!(bind(&query).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(owner);
        bind(&query).unwrap();
    }
}
