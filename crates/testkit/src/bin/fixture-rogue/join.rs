//! The first, well-behaved steps: online, query, listening.

use std::io;

use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
use portcrew_ipc::inherit::Inherited;
use portcrew_ipc::lane::LaneWorker;
use portcrew_ipc::message::{AddressType, ClusterBody, ClusterMessage, Packet, Query};

/// A worker that speaks the wire by hand.
pub(crate) struct Rogue {
    pub(crate) channel: Channel,
    pub(crate) lane: Option<LaneWorker>,
    seq: u64,
}

impl Rogue {
    /// Says `online`, with the lane where there is one.
    pub(crate) async fn new(inherited: Inherited) -> io::Result<Self> {
        let channel = Channel::from_fd(inherited.channel, ChannelSettings::default())?;
        let lane = inherited.lane.map(LaneWorker::from_fd).transpose()?;
        let mut rogue = Self { channel, lane, seq: 0 };
        let lane = rogue.lane.as_ref().map(|_| 1);
        rogue.say(ClusterBody::Online { lane }).await?;
        Ok(rogue)
    }

    /// Asks for its address and says that it listens there.
    pub(crate) async fn listen(&mut self) -> io::Result<()> {
        let query = query()?;
        self.say(ClusterBody::QueryServer(query.clone())).await?;
        loop {
            match self.channel.recv().await {
                Some(Ok(Incoming::Cluster { message, .. })) => {
                    if let ClusterBody::Reply(reply) = message.body {
                        let port = reply.sockname.map(|it| i32::from(it.port));
                        let port = port.or(query.port);
                        return self.say(ClusterBody::Listening(Query { port, ..query })).await;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
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

fn query() -> io::Result<Query> {
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    if let Some(path) = address.strip_prefix("unix:") {
        return Ok(Query {
            address: Some(path.to_owned()),
            port: Some(-1),
            address_type: AddressType::Pipe,
            ..Query::default()
        });
    }
    let address: std::net::SocketAddr = address.parse().map_err(io::Error::other)?;
    Ok(Query {
        address: Some(address.ip().to_string()),
        port: Some(i32::from(address.port())),
        address_type: AddressType::Tcp4,
        ..Query::default()
    })
}
