//! Where a worker wants to listen, and how.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use portcrew_core::{Address, Family, Query};
use serde::Serialize;

use super::connection::Local;
use super::data::Data;
use super::resolve;
use crate::net::bind::Reuse;
use crate::net::unix_path::absolute;
use crate::net::{host_port, zone};
use crate::{Error, Result};

/// A TCP address with options. Everything that [`Worker::listen`](crate::Worker::listen) takes converts into
/// it.
///
/// ```no_run
/// # async fn example(worker: portcrew::Worker) -> portcrew::Result<()> {
/// use portcrew::Listen;
///
/// let one = worker.listen("127.0.0.1:3000").await?;
/// let every_address = worker.listen(3001).await?;
/// let with_options = worker.listen(Listen::from("[::]:3002").ipv6_only().backlog(128)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Listen {
    target: Target,
    backlog: Option<u32>,
    ipv6_only: bool,
    own: Option<Reuse>,
    pub(super) data: Option<Data>,
}

#[derive(Debug, Clone)]
enum Target {
    /// To be parsed, and its name resolved, when it is used.
    Text(String),
    Port(u16),
    Socket(SocketAddr),
    Fd(i32),
}

/// A path for a Unix-domain socket, with options.
///
/// A relative path counts from this worker's directory. One that is longer than the 107 bytes which the system
/// allows works where the way to it from the primary's directory is short enough.
#[derive(Debug, Clone)]
pub struct ListenUnix {
    target: UnixTarget,
    readable_all: bool,
    writable_all: bool,
    backlog: Option<u32>,
    exclusive: bool,
    pub(super) data: Option<Data>,
}

#[derive(Debug, Clone)]
enum UnixTarget {
    Path(PathBuf),
    Fd(i32),
}

impl Listen {
    /// A TCP socket that the primary holds under this number; see [`ListenUnix::fd`] for the other kind.
    #[must_use]
    pub fn fd(fd: i32) -> Self {
        Target::Fd(fd).into()
    }

    /// The length of the kernel's queue, in connections. Default 511; 0 means the default.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections).filter(|it| *it > 0);
        self
    }

    /// Leaves the IPv4 port free where the address is IPv6, or none is given.
    #[must_use]
    pub fn ipv6_only(mut self) -> Self {
        self.ipv6_only = true;
        self
    }

    /// Binds in this worker and tells the primary nothing: the port is this worker's alone.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.own = self.own.or(Some(Reuse::Nobody));
        self
    }

    /// Binds in this worker with `SO_REUSEPORT` and tells the primary nothing: every worker that does so has a
    /// socket of its own on the same port, and the kernel spreads connections over them. Node's `reusePort`
    /// (from 22.12 on).
    ///
    /// The primary then has no part in it: what waits in the queue of a worker that dies is lost, and of a worker
    /// that hangs waits with it.
    #[must_use]
    pub fn reuse_port(mut self) -> Self {
        self.own = Some(Reuse::Port);
        self
    }

    /// Data that the workers of this listener are to have in common, such as the keys of TLS tickets: the first
    /// that any worker brings is kept by the primary, and is what every worker gets, this one included. Ask
    /// [`Listener::data`](crate::Listener::data) for it, and use that. It lives as long as the listener: later
    /// workers, and those of a reload, get it too.
    ///
    /// ```no_run
    /// # async fn example(worker: portcrew::Worker, own: Vec<u8>) -> portcrew::Result<()> {
    /// use portcrew::Listen;
    ///
    /// let listener = worker.listen(Listen::from("0.0.0.0:443").data(&own)?).await?;
    /// let keys: Vec<u8> = listener.data()?.unwrap_or(own);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Node's TLS servers bring `{"ticketKeys":"…"}`: 48 bytes in hexadecimal, name, HMAC key and AES key of 16 each.
    /// In a crew with them bring the same form; another one ends them with a TypeError.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] when the value has no JSON form. More than 16 KiB of it is refused when the worker listens:
    /// EMSGSIZE.
    pub fn data<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self> {
        self.data = Some(Data::new(value)?);
        Ok(self)
    }

    /// Whether the worker binds it, and how.
    pub(super) const fn own(&self) -> Option<Reuse> {
        self.own
    }

    /// The address in text, for errors.
    pub(super) fn to_text(&self) -> String {
        match &self.target {
            Target::Text(text) => text.clone(),
            Target::Port(port) => format!(":{port}"),
            Target::Socket(address) => address.to_string(),
            Target::Fd(fd) => descriptor_text(*fd),
        }
    }

    /// What the primary is asked. Resolves a name.
    pub(super) async fn query(&self) -> Result<Query> {
        let address = match &self.target {
            Target::Fd(_) if self.own.is_some() => {
                let reason = "a descriptor of the primary cannot be exclusive";
                return Err(Error::Address { given: self.to_text(), reason });
            }
            Target::Fd(fd) => descriptor(*fd, || self.to_text())?,
            Target::Port(port) => self.everywhere(*port),
            Target::Socket(address) => self.at(*address),
            Target::Text(text) => {
                let (host, port) = host_port::split(text)?;
                match host {
                    None => self.everywhere(port),
                    // As it stands, so that all workers name it alike.
                    Some(host) if zone::has_zone(host) => {
                        self.at_host(host.to_owned(), port, Family::V6)
                    }
                    Some(host) => self.at(resolve::resolve(text, host, port).await?),
                }
            }
        };
        let data = self.data.as_ref().and_then(Data::text);
        Ok(Query { address, index: 0, backlog: self.backlog, data })
    }

    fn everywhere(&self, port: u16) -> Address {
        // Without a host Node says family 4, and means both. Only IPv6 has to be said by an address.
        let (host, family) = match self.ipv6_only {
            false => (None, Family::V4),
            true => (Some("::".to_owned()), Family::V6),
        };
        Address::Tcp { host, port, family, ipv6_only: self.ipv6_only }
    }

    fn at(&self, address: SocketAddr) -> Address {
        let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
        self.at_host(zone::host_text(&address), address.port(), family)
    }

    fn at_host(&self, host: String, port: u16, family: Family) -> Address {
        let ipv6_only = self.ipv6_only && family == Family::V6;
        Address::Tcp { host: Some(host), port, family, ipv6_only }
    }
}

impl ListenUnix {
    /// A Unix-domain socket that the primary holds under this number.
    #[must_use]
    pub fn fd(fd: i32) -> Self {
        Self::of(UnixTarget::Fd(fd))
    }

    /// Lets every user connect for reading: Node's `readableAll`.
    #[must_use]
    pub fn readable_all(mut self) -> Self {
        self.readable_all = true;
        self
    }

    /// Lets every user connect for writing: Node's `writableAll`. Connecting needs this one.
    #[must_use]
    pub fn writable_all(mut self) -> Self {
        self.writable_all = true;
        self
    }

    /// The length of the kernel's queue, in connections. Default 511; 0 means the default.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections).filter(|it| *it > 0);
        self
    }

    /// Binds in this worker and tells the primary nothing.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Data that the workers of this listener are to have in common; see [`Listen::data`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn data<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self> {
        self.data = Some(Data::new(value)?);
        Ok(self)
    }

    const fn of(target: UnixTarget) -> Self {
        Self {
            target,
            readable_all: false,
            writable_all: false,
            backlog: None,
            exclusive: false,
            data: None,
        }
    }

    pub(super) const fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    pub(super) fn to_text(&self) -> String {
        match &self.target {
            UnixTarget::Path(path) => path.display().to_string(),
            UnixTarget::Fd(fd) => descriptor_text(*fd),
        }
    }

    /// What the primary is asked, and the listener's own address as far as it is known.
    pub(super) fn query(&self) -> Result<(Query, Local)> {
        let error = |reason| Error::Address { given: self.to_text(), reason };
        let (address, local) = match &self.target {
            UnixTarget::Fd(_) if self.exclusive => {
                return Err(error("a descriptor of the primary cannot be exclusive"));
            }
            UnixTarget::Fd(fd) => (descriptor(*fd, || self.to_text())?, Local::Unknown),
            UnixTarget::Path(path) => {
                // Absolute, because the primary's working directory may be another.
                let path = absolute(path).map_err(|_| error("it is no usable path"))?;
                let text =
                    path.to_str().ok_or_else(|| error("the protocol carries UTF-8 paths only"))?;
                let address = Address::Unix {
                    path: text.to_owned(),
                    readable_all: self.readable_all,
                    writable_all: self.writable_all,
                };
                (address, Local::Path(path))
            }
        };
        let data = self.data.as_ref().and_then(Data::text);
        Ok((Query { address, index: 0, backlog: self.backlog, data }, local))
    }
}

fn descriptor(fd: i32, given: impl FnOnce() -> String) -> Result<Address> {
    if fd < 0 {
        return Err(Error::Address { given: given(), reason: "a descriptor is not negative" });
    }
    Ok(Address::Fd { fd })
}

fn descriptor_text(fd: i32) -> String {
    format!("descriptor {fd} of the primary")
}

impl From<Target> for Listen {
    fn from(target: Target) -> Self {
        Self { target, backlog: None, ipv6_only: false, own: None, data: None }
    }
}

impl From<&str> for Listen {
    fn from(address: &str) -> Self {
        Target::Text(address.to_owned()).into()
    }
}

impl From<String> for Listen {
    fn from(address: String) -> Self {
        Target::Text(address).into()
    }
}

impl From<&String> for Listen {
    fn from(address: &String) -> Self {
        Target::Text(address.clone()).into()
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Target::Socket(address).into()
    }
}

impl<I: Into<IpAddr>> From<(I, u16)> for Listen {
    fn from((address, port): (I, u16)) -> Self {
        Target::Socket(SocketAddr::new(address.into(), port)).into()
    }
}

impl From<u16> for Listen {
    /// Every address, IPv6 and IPv4.
    fn from(port: u16) -> Self {
        Target::Port(port).into()
    }
}

impl<P: AsRef<Path>> From<P> for ListenUnix {
    fn from(path: P) -> Self {
        Self::of(UnixTarget::Path(path.as_ref().to_owned()))
    }
}
