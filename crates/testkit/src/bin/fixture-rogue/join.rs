//! The first, well-behaved steps: online, query, listening.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
use portcrew_ipc::inherit::Inherited;
use portcrew_ipc::lane::LaneWorker;
use portcrew_ipc::message::{
    AddressType, ClusterBody, ClusterMessage, Packet, Query, Reply, ReplyErrno,
};
use portcrew_ipc::socket;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::getsockname;
use serde_json::Value;

/// A worker that speaks the wire by hand.
pub(crate) struct Rogue {
    pub(crate) channel: Channel,
    pub(crate) lane: Option<LaneWorker>,
    pub(crate) id: u32,
    /// The listening socket, where the workers share it.
    pub(crate) listener: Option<OwnedFd>,
    seq: u64,
}

impl Rogue {
    /// Says `online`, with the lane where there is one.
    pub(crate) async fn new(inherited: Inherited) -> io::Result<Self> {
        let channel = Channel::from_fd(inherited.channel, ChannelSettings::default())?;
        let lane = inherited.lane.map(LaneWorker::from_fd).transpose()?;
        let mut rogue =
            Self { channel, lane, id: inherited.worker_id.unwrap_or(0), listener: None, seq: 0 };
        let lane = rogue.lane.as_ref().map(|_| 1);
        rogue.say(ClusterBody::Online { lane, beat: None }).await?;
        Ok(rogue)
    }

    /// Asks for its address and says that it listens there.
    pub(crate) async fn listen(&mut self) -> io::Result<()> {
        let query = query(&address())?;
        let reply = self.ask(query.clone()).await?;
        let shared = self.listener.as_ref().map(port_of).transpose()?;
        let port = reply.sockname.map(|it| i32::from(it.port)).or(shared).or(query.port);
        self.say(ClusterBody::Listening(Query { port, ..query })).await
    }

    /// Asks for all of its addresses, says what it was told of each, and stays.
    pub(crate) async fn ask_for_all(&mut self) -> io::Result<()> {
        for address in address().split(',') {
            let reply = self.ask(query(address)?).await?;
            match reply.errno {
                ReplyErrno::Absent | ReplyErrno::Null | ReplyErrno::Code(0) => {
                    println!("GIVEN {address}");
                }
                ReplyErrno::Code(errno) => println!("REFUSED {address} {errno}"),
            }
        }
        std::future::pending().await
    }

    async fn ask(&mut self, query: Query) -> io::Result<Reply> {
        self.say(ClusterBody::QueryServer(query)).await?;
        loop {
            match self.channel.recv().await {
                Some(Ok(Incoming::Cluster { message, handle })) => {
                    if let ClusterBody::Reply(reply) = message.body {
                        self.listener = handle.map(|handle| handle.fd);
                        return Ok(reply);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    /// As [`listen`](Self::listen), and leaves in the channel what is behind the answer: a connection perhaps.
    pub(crate) async fn listen_and_read_no_further(&mut self) -> io::Result<()> {
        let query = query(&address())?;
        self.say(ClusterBody::QueryServer(query.clone())).await?;
        let line = read_line(self.channel.as_fd())?;
        let reply: Value = serde_json::from_slice(&line)?;
        let port = reply["sockname"]["port"].as_i64().and_then(|port| i32::try_from(port).ok());
        let port = port.or(query.port);
        self.say(ClusterBody::Listening(Query { port, ..query })).await
    }

    pub(crate) async fn say(&mut self, body: ClusterBody) -> io::Result<()> {
        let message = ClusterMessage::new(self.seq, body);
        self.seq += 1;
        self.channel.send(&Packet::Cluster(message), None).await
    }

    /// Reads until the primary has closed the channel.
    pub(crate) async fn wait_closed(&mut self) -> io::Result<()> {
        println!("DONE");
        while let Some(Ok(_)) = self.channel.recv().await {}
        println!("CLOSED");
        Ok(())
    }
}

fn port_of(listener: &OwnedFd) -> io::Result<i32> {
    let address = SocketAddr::try_from(getsockname(listener)?)?;
    Ok(address.port().into())
}

/// Byte by byte, so that nothing behind the line is read.
fn read_line(channel: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        poll(&mut [PollFd::new(&channel, PollFlags::IN)], None)?;
        let mut byte = [0];
        if socket::recv(channel, &mut byte)?.n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.extend(byte);
    }
    Ok(line)
}

fn address() -> String {
    std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:0".to_owned())
}

fn query(address: &str) -> io::Result<Query> {
    if let Some(path) = address.strip_prefix("unix:") {
        return Ok(Query {
            address: Some(path.to_owned()),
            port: Some(-1),
            address_type: AddressType::Pipe,
            // As widely open as it can be asked for.
            readable_all: Some(true),
            writable_all: Some(true),
            ..Query::default()
        });
    }
    if let Some(fd) = address.strip_prefix("fd:") {
        let fd = Some(fd.parse().map_err(io::Error::other)?);
        return Ok(Query { fd, ..Query::default() });
    }
    let (address, address_type) = match address.strip_prefix("udp:") {
        Some(address) => (address, AddressType::Udp4),
        None => (address, AddressType::Tcp4),
    };
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    Ok(Query {
        address: Some(address.ip().to_string()),
        port: Some(i32::from(address.port())),
        address_type,
        ..Query::default()
    })
}
