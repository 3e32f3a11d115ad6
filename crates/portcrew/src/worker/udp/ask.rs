//! Getting a UDP socket: from the primary, by binding here, or from one that is there already.

use std::io;
use std::net::UdpSocket as StdUdpSocket;
use std::os::fd::OwnedFd;

use portcrew_core::{Address, Query};
use socket2::{Protocol, SockRef, Type};

use super::{BindUdp, UdpSocket};
use crate::net::bind::Reuse;
use crate::net::refused::Call;
use crate::worker::open::{Asked, Kind, Opened};
use crate::worker::{Source, Worker};
use crate::{ListenError, Result};

impl Worker {
    /// Asks the primary for a UDP socket: `"0.0.0.0:5300"`, `":5300"`, `"localhost:5300"`, `5300`, or a
    /// [`BindUdp`] with options. The primary binds it, and all workers that ask the same receive from the one
    /// socket: each datagram reaches one of them, whichever the kernel chooses. No policy changes that.
    ///
    /// With port 0 all workers get the same port. A worker that asks twice has two sockets, which it shares
    /// with those that ask twice as well.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`](crate::Error::Listen) with the reason of the system, such as EADDRINUSE or EACCES;
    /// [`Error::Address`](crate::Error::Address) for what is no address;
    /// [`Error::Disconnected`](crate::Error::Disconnected) without a primary.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the socket, also one that is on its way.
    pub async fn bind_udp(&self, address: impl Into<BindUdp>) -> Result<UdpSocket> {
        UdpSocket::from_opened(self.open_udp(address.into()).await?)
    }

    /// Takes a UDP socket that this process has: received with a message, inherited or its own. The primary
    /// is not asked; the socket closes with the others when the worker leaves.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) outside a tokio runtime, or when the socket cannot be registered.
    pub fn udp_handle(&self, socket: StdUdpSocket) -> Result<UdpSocket> {
        self.start()?;
        UdpSocket::from_opened(self.open_local(socket.into()))
    }

    pub(crate) async fn open_udp(&self, bind: BindUdp) -> Result<Opened> {
        self.start()?;
        let query = bind.query().await?;
        let asked = Asked::new(bind.to_text(), Kind::Udp);
        if bind.is_own() {
            // With whom the port is shared is in the flags of the query.
            return Opened::bind(&self.user, &query, Reuse::Nobody, None, asked);
        }
        let address = query.address.clone();
        let opened = Opened::ask(&self.user, query, asked).await?;
        match opened.source {
            Source::Socket { .. } => Ok(opened),
            // The machine refuses such an answer.
            Source::Handover => {
                let refused = Call::Bind.refused(rustix::io::Errno::INVAL);
                Err(ListenError::new(bind.to_text(), &address, refused).into())
            }
        }
    }
}

/// Looks at a socket that came with a reply: bound, as its kind and port say. Its port, 0 for an unbound one
/// that was asked for by its descriptor.
pub(in crate::worker) fn set_up(socket: &OwnedFd, query: &Query) -> io::Result<u16> {
    let socket = SockRef::from(socket);
    let address = socket.local_addr()?.as_socket();
    let is_udp = socket.r#type()? == Type::DGRAM && socket.protocol()? == Some(Protocol::UDP);
    let Some(address) = address.filter(|_| is_udp) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let port = address.port();
    match &query.address {
        Address::Udp { port: asked, fd: None, .. }
            if port == 0 || (*asked != 0 && port != *asked) =>
        {
            Err(rustix::io::Errno::ADDRINUSE.into())
        }
        Address::Udp { .. } | Address::Tcp { .. } | Address::Unix { .. } | Address::Fd { .. } => {
            Ok(port)
        }
    }
}
