//! Where a worker wants a UDP socket, and how.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use portcrew_core::{Address, Family, Query};

use crate::net::{host_port, zone};
use crate::worker::resolve;
use crate::{Error, Result};

/// A UDP address with options. Everything that [`Worker::bind_udp`](crate::Worker::bind_udp) takes converts
/// into it.
///
/// ```no_run
/// # async fn example(worker: portcrew::Worker) -> portcrew::Result<()> {
/// use portcrew::BindUdp;
///
/// let one = worker.bind_udp("127.0.0.1:5300").await?;
/// let every_ipv4_address = worker.bind_udp(5301).await?;
/// let with_options = worker.bind_udp(BindUdp::from("[::]:5302").ipv6_only()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BindUdp {
    target: Target,
    ipv6: bool,
    ipv6_only: bool,
    reuse_address: bool,
    reuse_port: bool,
    exclusive: bool,
}

#[derive(Debug, Clone)]
enum Target {
    /// To be parsed, and its name resolved, when it is used.
    Text(String),
    Port(u16),
    Socket(SocketAddr),
    Fd(i32),
}

impl BindUdp {
    /// A UDP socket that the primary holds under this number. It is bound already: the options that say how
    /// to bind mean nothing for it.
    #[must_use]
    pub fn fd(fd: i32) -> Self {
        Target::Fd(fd).into()
    }

    /// IPv6 where the address does not say it: with a port alone (`::` in place of `0.0.0.0`), and for the
    /// word by which a descriptor is announced. Node's `udp6`.
    #[must_use]
    pub fn ipv6(mut self) -> Self {
        self.ipv6 = true;
        self
    }

    /// Leaves the IPv4 port free where the address is IPv6; without an address it means `::`.
    #[must_use]
    pub fn ipv6_only(mut self) -> Self {
        self.ipv6_only = true;
        self
    }

    /// Binds although another socket that also says this has the port: Node's `reuseAddr`. Of several
    /// sockets on one unicast address the kernel gives datagrams to one; multicast reaches all.
    #[must_use]
    pub fn reuse_address(mut self) -> Self {
        self.reuse_address = true;
        self
    }

    /// Binds in this worker, beside others that say the same, and tells the primary nothing: Node's
    /// `reusePort`. The kernel spreads the datagrams by their sender.
    #[must_use]
    pub fn reuse_port(mut self) -> Self {
        self.reuse_port = true;
        self
    }

    /// Binds in this worker and tells the primary nothing: the port is this worker's alone.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Whether it is bound here.
    pub(super) const fn is_own(&self) -> bool {
        self.exclusive || self.reuse_port
    }

    /// The address in text, for errors.
    pub(super) fn to_text(&self) -> String {
        match &self.target {
            Target::Text(text) => format!("UDP {text}"),
            Target::Port(port) => format!("UDP :{port}"),
            Target::Socket(address) => format!("UDP {address}"),
            Target::Fd(fd) => format!("descriptor {fd} of the primary"),
        }
    }

    /// What the primary is asked. Resolves a name.
    pub(super) async fn query(&self) -> Result<Query> {
        let address = match &self.target {
            Target::Fd(fd) => self.descriptor(*fd)?,
            Target::Port(port) => self.at(self.everywhere(*port)),
            Target::Socket(address) => self.at(*address),
            Target::Text(text) => {
                let (host, port) = host_port::split(text)?;
                self.at(match host {
                    None => self.everywhere(port),
                    Some(host) => resolve::resolve(text, host, port).await?,
                })
            }
        };
        Ok(Query { address, index: 0, backlog: None, data: None })
    }

    fn descriptor(&self, fd: i32) -> Result<Address> {
        let error = |reason| Err(Error::Address { given: self.to_text(), reason });
        if self.is_own() {
            return error("a descriptor of the primary cannot be bound here");
        }
        if fd < 0 {
            return error("a descriptor is not negative");
        }
        let family = if self.ipv6 { Family::V6 } else { Family::V4 };
        Ok(Address::Udp { host: None, port: 0, family, flags: 0, fd: Some(fd) })
    }

    fn everywhere(&self, port: u16) -> SocketAddr {
        let any: IpAddr = match self.ipv6 || self.ipv6_only {
            false => Ipv4Addr::UNSPECIFIED.into(),
            true => Ipv6Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(any, port)
    }

    fn at(&self, address: SocketAddr) -> Address {
        let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
        let flags = [
            (self.ipv6_only && address.is_ipv6(), Address::UDP_IPV6_ONLY),
            (self.reuse_address, Address::UDP_REUSE_ADDRESS),
            (self.reuse_port, Address::UDP_REUSE_PORT),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).fold(0, |flags, (_, bit)| flags | bit);
        let host = Some(zone::host_text(&address));
        Address::Udp { host, port: address.port(), family, flags, fd: None }
    }
}

impl From<Target> for BindUdp {
    fn from(target: Target) -> Self {
        Self {
            target,
            ipv6: false,
            ipv6_only: false,
            reuse_address: false,
            reuse_port: false,
            exclusive: false,
        }
    }
}

impl From<&str> for BindUdp {
    fn from(address: &str) -> Self {
        Target::Text(address.to_owned()).into()
    }
}

impl From<String> for BindUdp {
    fn from(address: String) -> Self {
        Target::Text(address).into()
    }
}

impl From<&String> for BindUdp {
    fn from(address: &String) -> Self {
        Target::Text(address.clone()).into()
    }
}

impl From<SocketAddr> for BindUdp {
    fn from(address: SocketAddr) -> Self {
        Target::Socket(address).into()
    }
}

impl<I: Into<IpAddr>> From<(I, u16)> for BindUdp {
    fn from((address, port): (I, u16)) -> Self {
        Target::Socket(SocketAddr::new(address.into(), port)).into()
    }
}

impl From<u16> for BindUdp {
    /// Every IPv4 address, as in Node; see [`ipv6`](Self::ipv6).
    fn from(port: u16) -> Self {
        Target::Port(port).into()
    }
}
