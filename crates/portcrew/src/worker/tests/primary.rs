//! The hand-played primary.

use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use portcrew_core::{Family, Query};
use portcrew_core::{FromWorker, Key, ListenerId, Reply, Seq, SockName, ToWorker, WorkerId};
use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming, OutgoingHandle};
use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::lane::{Answer, ConnRecord, Ended, LaneEvent, LanePrimary, Sent};
use portcrew_ipc::message::{ClusterMessage, Inner, Packet, UserMessage};
use portcrew_ipc::socket::{pair_seqpacket, pair_stream};

use super::soon;
use crate::Worker;
use crate::wire::{decode_from_worker, encode_newconn, encode_to_worker};
use crate::worker::shared::Ends;

/// The primary's ends of both sockets.
pub(super) struct Primary {
    pub(super) channel: Channel,
    pub(super) lane: Option<LanePrimary>,
    seq: u64,
}

/// The lane's number for the listener of these tests.
pub(super) const LISTENER: u32 = 7;

impl Primary {
    /// A primary with a lane, as ours is.
    pub(super) async fn new() -> (Self, Worker) {
        Self::started(Self::with_worker(true)).await
    }

    /// A primary with a channel alone, as Node's is.
    pub(super) async fn without_lane() -> (Self, Worker) {
        Self::started(Self::with_worker(false)).await
    }

    async fn started((mut primary, worker): (Self, Worker)) -> (Self, Worker) {
        worker.start().unwrap();
        primary.online().await;
        (primary, worker)
    }

    /// The worker has said nothing yet.
    pub(super) fn with_worker(lane: bool) -> (Self, Worker) {
        let (ours, channel) = pair_stream().unwrap();
        let lanes = lane.then(|| pair_seqpacket().unwrap());
        let (our_lane, lane) = lanes.map_or((None, None), |(a, b)| (Some(a), Some(b)));
        let worker = Worker::from_ends(WorkerId(3), Ends { channel, lane, grace: None });
        let primary = Self {
            channel: Channel::from_fd(ours, ChannelSettings::default()).unwrap(),
            lane: our_lane.map(|fd| LanePrimary::from_fd(fd).unwrap()),
            seq: 0,
        };
        (primary, worker)
    }

    /// Hears the worker's first word.
    pub(super) async fn online(&mut self) {
        let lane = self.lane.is_some();
        assert_eq!(self.heard().await, FromWorker::Online { lane });
    }

    /// The next thing on the channel.
    pub(super) async fn incoming(&mut self) -> Option<Incoming> {
        soon(self.channel.recv()).await.map(Result::unwrap)
    }

    /// The next message of the cluster.
    pub(super) async fn heard(&mut self) -> FromWorker {
        loop {
            match self.incoming().await.expect("the worker has closed the channel") {
                Incoming::Cluster { message, .. } => {
                    return decode_from_worker(message).expect("a worker's message");
                }
                Incoming::HandleAnswered { received: true, .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// The next message of the user.
    pub(super) async fn user_message(
        &mut self,
    ) -> (UserMessage, Option<portcrew_ipc::handle::Handle>) {
        loop {
            match self.incoming().await.expect("the worker has closed the channel") {
                Incoming::User { message, handle } => return (message, handle),
                Incoming::Cluster { .. } | Incoming::HandleAnswered { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    pub(super) async fn query(&mut self) -> (Seq, Query) {
        match self.heard().await {
            FromWorker::Query { seq, query } => (seq, query),
            other => panic!("unexpected {other:?}"),
        }
    }

    pub(super) async fn say(&mut self, message: &ToWorker, socket: Option<OwnedFd>, crew: u32) {
        let message = encode_to_worker(self.next_seq(), message, crew);
        self.post(message, socket).await;
    }

    pub(super) async fn post(&mut self, message: ClusterMessage, socket: Option<OwnedFd>) {
        let (packet, handle) = match socket {
            None => (Packet::Cluster(message), None),
            Some(fd) => {
                let inner = Inner::Cluster(message);
                let is_udp = socket2::SockRef::from(&fd).r#type().unwrap() == socket2::Type::DGRAM;
                let kind = if is_udp { HandleKind::DgramNative } else { HandleKind::NetNative };
                let handle = OutgoingHandle { fd: Arc::new(fd), token: 1 };
                (Packet::Handle { kind, inner }, Some(handle))
            }
        };
        soon(self.channel.send(&packet, handle)).await.unwrap();
    }

    pub(super) async fn tell(&mut self, text: &str) {
        let message = Packet::User(UserMessage::from_text(text).unwrap());
        soon(self.channel.send(&message, None)).await.unwrap();
    }

    /// Answers the next query by round robin, and hears that the worker listens.
    pub(super) async fn grant(&mut self, at: SocketAddr) -> Key {
        let (ack, query) = self.query().await;
        let sockname =
            SockName { address: at.ip().to_string(), family: Family::V4, port: at.port() };
        let key = query.key();
        let sockname = (!query.address.is_unix()).then_some(sockname);
        self.say(&reply(ack, key.clone(), Reply::Handover { sockname }), None, 2).await;
        assert!(matches!(self.heard().await, FromWorker::Listening { .. }));
        key
    }

    /// Offers connections by the lane, numbered from `first`.
    pub(super) fn offer(&mut self, first: u64, sockets: &[impl AsFd]) {
        let record = |(seq, _)| ConnRecord { seq, listener: LISTENER };
        let records: Vec<_> = (first..).zip(sockets).map(record).collect();
        let fds: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
        let lane = self.lane.as_mut().unwrap();
        assert_eq!(lane.try_offer(&records, &fds).unwrap(), Sent::All);
    }

    /// Offers a connection by the channel.
    pub(super) async fn newconn(&mut self, key: &Key, socket: impl AsFd) -> u64 {
        let seq = self.next_seq();
        let message = encode_newconn(seq, key);
        let socket = socket.as_fd().try_clone_to_owned().unwrap();
        self.post(message, Some(socket)).await;
        seq.0
    }

    /// The next answers on the lane, as they came in one or more packets.
    pub(super) async fn answers(&self) -> Vec<Answer> {
        let (answers, ended) = self.said().await;
        assert_eq!(ended, []);
        answers
    }

    /// The next answers and ends likewise.
    pub(super) async fn said(&self) -> (Vec<Answer>, Vec<Ended>) {
        let (mut answers, mut ended) = (Vec::new(), Vec::new());
        let lane = self.lane.as_ref().unwrap();
        let event =
            soon(poll_fn(|cx| lane.poll_answers(cx, &mut answers, &mut ended, &mut Vec::new())))
                .await;
        assert_eq!(event.unwrap(), LaneEvent::Received);
        (answers, ended)
    }

    /// What is on the lane now.
    pub(super) fn answers_now(&self) -> Vec<Answer> {
        let (answers, ended) = self.said_now();
        assert_eq!(ended, []);
        answers
    }

    pub(super) fn said_now(&self) -> (Vec<Answer>, Vec<Ended>) {
        let (mut answers, mut ended) = (Vec::new(), Vec::new());
        self.lane.as_ref().unwrap().try_answers(&mut answers, &mut ended, &mut Vec::new()).unwrap();
        (answers, ended)
    }

    fn next_seq(&mut self) -> Seq {
        self.seq += 1;
        Seq(self.seq - 1)
    }
}

pub(super) fn reply(ack: Seq, key: Key, reply: Reply) -> ToWorker {
    ToWorker::Reply { ack, key, listener: ListenerId(LISTENER), data: None, reply }
}

/// A client, and the socket that a primary accepted from it.
pub(super) fn connected(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    (client, accepted)
}

pub(super) fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}
