//! What a primary is to listen on by itself, for programs that know nothing of it.

use std::fmt;
use std::net::{ToSocketAddrs as _, UdpSocket};
use std::str::FromStr;

use portcrew_core::{Address, Family, Query};
use portcrew_ipc::descriptor;
use rustix::net::SocketType;
use rustix::net::sockopt::socket_type;

use crate::net::{activation, host_port, zone};
use crate::{Error, ListenError, Result};

/// Sockets that one crew's programs may be started with. More are refused.
pub(crate) const MOST: usize = 64;

/// An address that a primary listens on by itself, for [`Settings::listen`](crate::Settings::listen). It is read from
/// text:
///
/// | text | what it is |
/// |---|---|
/// | `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080` | a TCP port on one address; the first one of a name |
/// | `8080`, `:8080`, `*:8080` | a TCP port on every address, of IPv6 and IPv4 |
/// | `[::]:8080` | the same, on a machine that has IPv6 |
/// | `unix:/run/app.sock`, `unix:@app` | a Unix-domain stream socket on a path, or with an abstract name |
/// | `udp:127.0.0.1:53`, `udp:53` | a UDP port on one address, or on every one |
/// | `fd:7` | a descriptor that this process was started with: a stream socket, or one of UDP |
/// | `sd:web` | those that systemd has passed to this process under this name (`FileDescriptorName=`) |
///
/// Before each `NAME=` may stand, as in `admin=127.0.0.1:9000`; what systemd passes has its name already. Port 0 is one
/// that the kernel chooses.
///
/// ```
/// use portcrew::ListenOn;
///
/// let web: ListenOn = "web=[::]:8080".parse()?;
/// assert_eq!((web.name(), web.to_string().as_str()), (Some("web"), "web=[::]:8080"));
/// # Ok::<(), portcrew::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenOn {
    text: String,
    name: Option<String>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Tcp { host: Option<String>, port: u16 },
    Udp { host: Option<String>, port: u16 },
    Unix { path: String },
    Descriptor { fd: i32 },
    Systemd { name: String },
}

impl ListenOn {
    /// The name that it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.place {
            Place::Systemd { name } => Some(name),
            Place::Tcp { .. }
            | Place::Udp { .. }
            | Place::Unix { .. }
            | Place::Descriptor { .. } => self.name.as_deref(),
        }
    }

    /// Whether it is a socket that this process was started with (`fd:`, `sd:`), which another process could not open
    /// anew.
    #[must_use]
    pub const fn is_passed(&self) -> bool {
        matches!(self.place, Place::Descriptor { .. } | Place::Systemd { .. })
    }

    /// Whether it can be one socket alone, from which all workers accept: a path, or a socket that is there already. Of a
    /// TCP or UDP port [`Policy::Kernel`](crate::Policy::Kernel) has one for each worker.
    #[must_use]
    pub const fn is_one_socket(&self) -> bool {
        match self.place {
            Place::Tcp { .. } | Place::Udp { .. } => false,
            Place::Unix { .. } | Place::Descriptor { .. } | Place::Systemd { .. } => true,
        }
    }

    /// The TCP port that it names, where it names one.
    #[must_use]
    pub const fn tcp_port(&self) -> Option<u16> {
        match self.place {
            Place::Tcp { port, .. } => Some(port),
            Place::Udp { .. }
            | Place::Unix { .. }
            | Place::Descriptor { .. }
            | Place::Systemd { .. } => None,
        }
    }

    /// Looks whether a socket that this process was to be started with is there. A number that is free now may be that
    /// of something else later: look before anything is opened.
    ///
    /// # Errors
    ///
    /// [`Error::NotPassed`] with the reason.
    pub fn look(&self) -> Result<()> {
        match &self.place {
            Place::Descriptor { fd } => self.kind(*fd).map(drop),
            Place::Systemd { name } => {
                self.passed(name)?.into_iter().try_for_each(|fd| self.kind(fd).map(drop))
            }
            // Nobody passes these.
            Place::Tcp { .. } | Place::Udp { .. } | Place::Unix { .. } => Ok(()),
        }
    }

    /// What is to be bound for it: one socket, or each that systemd has passed. A name is resolved here.
    pub(crate) fn queries(&self) -> Result<Vec<Query>> {
        let addresses = match &self.place {
            Place::Tcp { host, port } => vec![self.tcp(host.as_deref(), *port)?],
            Place::Udp { host, port } => vec![self.udp(host.as_deref(), *port)?],
            Place::Unix { path } => {
                let (readable_all, writable_all) = (false, false);
                vec![Address::Unix { path: path.clone(), readable_all, writable_all }]
            }
            Place::Descriptor { fd } => vec![self.descriptor(*fd)?],
            Place::Systemd { name } => self
                .passed(name)?
                .into_iter()
                .map(|fd| self.descriptor(fd))
                .collect::<Result<_>>()?,
        };
        let query = |address| Query { address, index: 0, backlog: None, data: None };
        Ok(addresses.into_iter().map(query).collect())
    }

    fn tcp(&self, host: Option<&str>, port: u16) -> Result<Address> {
        // Of no host both families, or IPv4 alone where there is no IPv6: so is Node's question.
        let (host, family) = match host {
            None => (None, Family::V4),
            Some(host) => self.resolve(host, port).map(|(host, family)| (Some(host), family))?,
        };
        Ok(Address::Tcp { host, port, family, ipv6_only: false })
    }

    fn udp(&self, host: Option<&str>, port: u16) -> Result<Address> {
        let (host, family) = match host {
            None if UdpSocket::bind("[::]:0").is_ok() => (None, Family::V6),
            None => (None, Family::V4),
            Some(host) => self.resolve(host, port).map(|(host, family)| (Some(host), family))?,
        };
        Ok(Address::Udp { host, port, family, flags: 0, fd: None })
    }

    /// The first address of a host, as Node takes it.
    fn resolve(&self, host: &str, port: u16) -> Result<(String, Family)> {
        if zone::has_zone(host) {
            return Ok((host.to_owned(), Family::V6));
        }
        let failed = |source| Error::from(ListenError::unresolved(&self.text, host, port, source));
        let mut found = (host, port).to_socket_addrs().map_err(failed)?;
        let address = found.next().ok_or_else(|| self.wrong("the name has no address"))?;
        let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
        Ok((zone::host_text(&address), family))
    }

    fn passed(&self, name: &str) -> Result<Vec<i32>> {
        activation::passed(name).map_err(|reason| self.not_passed(reason))
    }

    fn descriptor(&self, fd: i32) -> Result<Address> {
        Ok(match self.kind(fd)? {
            SocketType::DGRAM => {
                Address::Udp { host: None, port: 0, family: Family::V4, flags: 0, fd: Some(fd) }
            }
            _ => Address::Fd { fd },
        })
    }

    fn kind(&self, fd: i32) -> Result<SocketType> {
        let given = descriptor::duplicate(fd).map_err(|error| {
            self.not_passed(format!("descriptor {fd} is not open in this process ({error})"))
        })?;
        let kind = socket_type(&given);
        kind.map_err(|_| self.not_passed(format!("descriptor {fd} is open and is no socket")))
    }

    fn not_passed(&self, reason: String) -> Error {
        Error::NotPassed { given: self.text.clone(), reason }
    }

    fn wrong(&self, reason: &'static str) -> Error {
        Error::Address { given: self.text.clone(), reason }
    }
}

impl FromStr for ListenOn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason| Error::Address { given: text.to_owned(), reason };
        let (name, address) = match text.split_once('=') {
            Some((name, address)) if is_name(name) => (Some(name.to_owned()), address),
            Some(_) | None => (None, text),
        };
        let place = match address.split_once(':') {
            Some(("unix", path)) => Place::Unix { path: path_of(path).map_err(wrong)? },
            Some(("udp", rest)) => {
                let (host, port) = cut(text, rest)?;
                Place::Udp { host, port }
            }
            Some(("fd", number)) => {
                let fd = number.parse().ok().filter(|fd| *fd >= 0);
                let reason = "what follows `fd:` is the number of a descriptor, as in fd:3";
                Place::Descriptor { fd: fd.ok_or_else(|| wrong(reason))? }
            }
            Some(("sd", _)) if name.is_some() => {
                return Err(wrong("what systemd passes has its name from there: write sd:NAME"));
            }
            Some(("sd", "")) => {
                return Err(wrong("say by which name systemd passes it, as in sd:web"));
            }
            Some(("sd", name)) => Place::Systemd { name: name.to_owned() },
            _ if address.starts_with(['/', '.']) => {
                return Err(wrong(
                    "a path is written with `unix:` before it, as in unix:/run/app.sock",
                ));
            }
            _ if address.contains("://") => {
                return Err(wrong("it is no URL: write host:port"));
            }
            _ => {
                let (host, port) = cut(text, address.strip_prefix("tcp:").unwrap_or(address))?;
                Place::Tcp { host, port }
            }
        };
        Ok(Self { text: text.to_owned(), name, place })
    }
}

/// As it was written.
impl fmt::Display for ListenOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Of letters, digits, `.`, `_` and `-`, beginning with a letter: so neither a port nor a path is taken for one.
fn is_name(text: &str) -> bool {
    let is_of_one = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.len() <= 255
        && text.bytes().all(is_of_one)
}

/// A path as the machine has it: that of an abstract name begins with NUL.
fn path_of(written: &str) -> std::result::Result<String, &'static str> {
    match written.strip_prefix('@') {
        _ if written.is_empty() => Err("say on which path, as in unix:/run/app.sock"),
        _ if written.contains('\0') => Err("a path has no NUL in it"),
        Some(name) => Ok(format!("\0{name}")),
        None => Ok(written.to_owned()),
    }
}

/// The reason of an error is that of the part; the text is the whole.
fn cut(text: &str, part: &str) -> Result<(Option<String>, u16)> {
    match host_port::split(part) {
        Ok((host, port)) => Ok((host.map(str::to_owned), port)),
        Err(Error::Address { reason, .. }) => {
            Err(Error::Address { given: text.to_owned(), reason })
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
#[path = "listen/tests.rs"]
mod tests;
