//! Why there is no listener: what was asked for, which call refused it and with what, and what to do next.

use std::{error, fmt, io};

use portcrew_core::Address;
use rustix::io::Errno;

use crate::net::refused::{Call, Refused};

/// Why a worker, or the primary itself, got no listener, with everything that Node's `error` event has.
///
/// [`Display`](fmt::Display) says it in a sentence that ends with what can be done.
#[derive(Debug)]
pub struct ListenError {
    /// As the user wrote it.
    asked: String,
    place: Place,
    call: Call,
    source: io::Error,
    by: By,
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Worker,
    /// For [`Settings::listen`](crate::Settings::listen).
    Primary,
}

#[derive(Debug)]
enum Place {
    Port { host: Option<String>, port: u16, of: Protocol },
    Path(String),
    Descriptor,
}

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Tcp,
    Udp,
}

impl ListenError {
    pub(crate) fn new(asked: String, address: &Address, refused: Refused) -> Self {
        let place = match address {
            Address::Tcp { host, port, .. } => {
                Place::Port { host: host.clone(), port: *port, of: Protocol::Tcp }
            }
            Address::Udp { host, port, fd: None, .. } => {
                Place::Port { host: host.clone(), port: *port, of: Protocol::Udp }
            }
            Address::Unix { path, .. } => Place::Path(path.clone()),
            Address::Fd { .. } | Address::Udp { fd: Some(_), .. } => Place::Descriptor,
        };
        Self { asked, place, call: refused.call, source: refused.source, by: By::Worker }
    }

    /// The primary has asked by itself.
    pub(crate) fn of_primary(self) -> Self {
        Self { by: By::Primary, ..self }
    }

    /// A name that has no address.
    pub(crate) fn unresolved(asked: &str, host: &str, port: u16, source: io::Error) -> Self {
        let place = Place::Port { host: Some(host.to_owned()), port, of: Protocol::Tcp };
        Self { asked: asked.to_owned(), place, call: Call::Resolve, source, by: By::Worker }
    }

    /// The error's name, as Node's `code`: `"EADDRINUSE"`. `"ENOTFOUND"` for a name without an address, `"UNKNOWN"`
    /// for an error that has no name here.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match (self.errno().and_then(name), self.call) {
            (Some(name), _) => name,
            (None, Call::Resolve) => "ENOTFOUND",
            (None, Call::Bind | Call::Listen) => "UNKNOWN",
        }
    }

    /// The system's number, positive as in `errno.h` (Node's `errno` is its negative). `None` for a name without an
    /// address.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    /// What refused, as Node's `syscall`: `"bind"` (also for all that the primary refused), `"listen"` or
    /// `"getaddrinfo"`.
    #[must_use]
    pub fn syscall(&self) -> &'static str {
        self.call.name()
    }

    /// The IP address, the name that was to be resolved, or the path. `None` for every address, and for a
    /// descriptor.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match &self.place {
            Place::Port { host, .. } => host.as_deref(),
            Place::Path(path) => Some(path),
            Place::Descriptor => None,
        }
    }

    /// The port that was asked for. `None` for a path, and for a descriptor.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match &self.place {
            Place::Port { port, .. } => Some(*port),
            Place::Path(_) | Place::Descriptor => None,
        }
    }

    /// What can be done about it, where there is something to say.
    fn advice(&self) -> Option<String> {
        let text = match (Errno::from_io_error(&self.source)?, &self.place) {
            (Errno::ADDRINUSE, Place::Port { port, of, .. }) => {
                let of = match of {
                    Protocol::Tcp => 't',
                    Protocol::Udp => 'u',
                };
                let more = match self.by {
                    By::Worker => ", if not this worker itself",
                    By::Primary => "; stop that one, or choose another port",
                };
                return Some(format!("`ss -l{of}np 'sport = :{port}'` shows who has it{more}"));
            }
            (Errno::ADDRINUSE, Place::Path(_)) => {
                "`ss -lxp` shows who has it, unless it is no socket: then remove it, or choose another path"
            }
            (Errno::ADDRINUSE, Place::Descriptor) => "this worker listens on it already",
            (Errno::ACCESS, Place::Port { .. }) if self.by == By::Primary => {
                "a low port needs CAP_NET_BIND_SERVICE (in a systemd unit: AmbientCapabilities=), or a lower \
                 net.ipv4.ip_unprivileged_port_start; or choose another"
            }
            (Errno::ACCESS | Errno::PERM | Errno::NOENT, Place::Path(_))
                if self.by == By::Primary =>
            {
                "its directory must exist, and be writable for the user of this process"
            }
            (Errno::ACCESS, Place::Port { .. }) => {
                "a low port needs CAP_NET_BIND_SERVICE, or a lower net.ipv4.ip_unprivileged_port_start; a worker of \
                 another user needs its primary's leave (Settings::allow, `portcrew run --allow PORT`)"
            }
            (Errno::ACCESS | Errno::PERM, Place::Path(_)) => {
                "its directory must exist, and be writable for the user that binds it; a worker of another user \
                 needs its primary's leave (Settings::allow, `portcrew run --allow PATH`)"
            }
            (Errno::ACCESS, Place::Descriptor) => {
                "a worker of another user needs its primary's leave (Settings::allow, `portcrew run --allow fd:N`)"
            }
            (Errno::ADDRNOTAVAIL, _) => "`ip address` shows the addresses that this machine has",
            (Errno::INVAL, Place::Descriptor) => {
                "the number must be that of a socket of this kind that the primary has open"
            }
            (Errno::INVAL, Place::Port { host: Some(host), .. }) if host.contains('%') => {
                "`ip link` shows the zones that this machine has"
            }
            (Errno::NAMETOOLONG, _) => {
                "a socket's path has 107 bytes at most, from the root or from the primary's directory"
            }
            (Errno::MFILE | Errno::NFILE, _) => {
                "close listeners that are not needed, or raise the limit on open descriptors"
            }
            (Errno::NOTCONN, _) => "the worker is leaving",
            (Errno::CANCELED, _) => "it was closed while it was being bound",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.source.to_string();
        // The number says less than the name.
        let reason = reason.split(" (os error").next().unwrap_or(&reason);
        write!(f, "failed to listen on {}: {reason}", self.asked)?;
        // What is no error of the system's has been said in words.
        if self.errno().is_some() || self.call == Call::Resolve {
            write!(f, " ({})", self.code())?;
        }
        match (self.advice(), self.call) {
            (Some(advice), _) => write!(f, "; {advice}"),
            (None, Call::Resolve) => write!(f, "; correct the name, or write an IP address"),
            (None, Call::Bind | Call::Listen) => Ok(()),
        }
    }
}

impl error::Error for ListenError {}

impl From<ListenError> for io::Error {
    /// The system's own error.
    fn from(error: ListenError) -> Self {
        error.source
    }
}

/// The names of what `socket`, `bind` and `listen` can answer, and of what a primary does.
fn name(errno: i32) -> Option<&'static str> {
    Some(match Errno::from_raw_os_error(errno) {
        Errno::ACCESS => "EACCES",
        Errno::ADDRINUSE => "EADDRINUSE",
        Errno::ADDRNOTAVAIL => "EADDRNOTAVAIL",
        Errno::AFNOSUPPORT => "EAFNOSUPPORT",
        Errno::BADF => "EBADF",
        Errno::CANCELED => "ECANCELED",
        Errno::EXIST => "EEXIST",
        Errno::INVAL => "EINVAL",
        Errno::IO => "EIO",
        Errno::LOOP => "ELOOP",
        Errno::MFILE => "EMFILE",
        Errno::MSGSIZE => "EMSGSIZE",
        Errno::NAMETOOLONG => "ENAMETOOLONG",
        Errno::NFILE => "ENFILE",
        Errno::NOBUFS => "ENOBUFS",
        Errno::NOENT => "ENOENT",
        Errno::NOMEM => "ENOMEM",
        Errno::NOSPC => "ENOSPC",
        Errno::NOTCONN => "ENOTCONN",
        Errno::NOTDIR => "ENOTDIR",
        Errno::NOTSOCK => "ENOTSOCK",
        Errno::OPNOTSUPP => "ENOTSUP",
        Errno::PERM => "EPERM",
        Errno::PROTONOSUPPORT => "EPROTONOSUPPORT",
        Errno::ROFS => "EROFS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &Address, errno: Errno) -> ListenError {
        ListenError::new("what was asked".into(), address, Call::Bind.refused(errno))
    }

    fn tcp(port: u16) -> Address {
        let family = portcrew_core::Family::V4;
        Address::Tcp { host: Some("127.0.0.1".into()), port, family, ipv6_only: false }
    }

    #[test]
    fn everything_that_node_says_can_be_read_from_it() {
        let error = refused(&tcp(80), Errno::ADDRINUSE);
        assert_eq!(
            (error.code(), error.errno(), error.syscall()),
            ("EADDRINUSE", Some(98), "bind")
        );
        assert_eq!((error.address(), error.port()), (Some("127.0.0.1"), Some(80)));
        let path = Address::Unix { path: "/s".into(), readable_all: false, writable_all: false };
        let error = refused(&path, Errno::ACCESS);
        assert_eq!((error.address(), error.port()), (Some("/s"), None));
        let error = refused(&Address::Fd { fd: 3 }, Errno::INVAL);
        assert_eq!((error.address(), error.port()), (None, None));
        let error = refused(&tcp(80), Errno::XFULL);
        assert_eq!(error.code(), "UNKNOWN");
    }

    #[test]
    fn its_sentence_names_the_thing_the_reason_and_the_next_step() {
        assert_eq!(
            refused(&tcp(80), Errno::ADDRINUSE).to_string(),
            "failed to listen on what was asked: Address already in use (EADDRINUSE); \
             `ss -ltnp 'sport = :80'` shows who has it, if not this worker itself"
        );
        let unresolved = ListenError::unresolved("a:1", "a", 1, io::Error::other("no such name"));
        assert_eq!(unresolved.code(), "ENOTFOUND");
        assert_eq!(
            unresolved.to_string(),
            "failed to listen on a:1: no such name (ENOTFOUND); correct the name, or write an IP address"
        );
    }
}
