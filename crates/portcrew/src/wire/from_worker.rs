//! Worker to primary.

use portcrew_core::{FromWorker, Key, Seq};
use portcrew_ipc::message::{ClusterBody, ClusterMessage, RawJson, Reply};

use super::{BEAT_VERSION, LANE_VERSION, query};
use crate::ListenAddress;

/// What a worker said; `None` for what a primary has no use for, which Node ignores too.
pub(crate) fn decode_from_worker(message: ClusterMessage) -> Option<FromWorker> {
    let seq = message.seq.map(Seq);
    match message.body {
        ClusterBody::Online { lane, beat: _ } => {
            Some(FromWorker::Online { lane: lane == Some(LANE_VERSION) })
        }
        ClusterBody::QueryServer(query) => {
            Some(FromWorker::Query { seq: seq?, query: query::decode(query)? })
        }
        ClusterBody::Listening(query) => {
            let port = query.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
            Some(FromWorker::Listening { query: query::decode(query)?, port })
        }
        ClusterBody::Close { key } => Some(FromWorker::Close { key: Key(key.as_str().to_owned()) }),
        ClusterBody::ExitedAfterDisconnect => Some(FromWorker::ExitedAfterDisconnect { seq: seq? }),
        ClusterBody::Reply(Reply { accepted: Some(accepted), .. }) => {
            Some(FromWorker::Answer { ack: Seq(message.ack?), accepted })
        }
        ClusterBody::Reply(_)
        | ClusterBody::NewConn { .. }
        | ClusterBody::Disconnect
        | ClusterBody::Other { .. } => None,
    }
}

/// Whether a worker says that it answers when it is asked on the lane whether its runtime turns.
pub(crate) fn knows_beats(message: &ClusterMessage) -> bool {
    matches!(message.body, ClusterBody::Online { beat: Some(BEAT_VERSION), .. })
}

/// A question for a listener, whether or not it can be understood: its asker waits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    /// Its number.
    pub(crate) seq: Seq,
    /// To be sent back with any answer: Node's TLS servers read it also when they get no listener.
    pub(crate) data: Option<RawJson>,
    /// What can be read of it.
    pub(crate) address: ListenAddress,
}

/// The question that a message is; `None` for any other message.
pub(crate) fn question(message: &ClusterMessage) -> Option<Question> {
    match &message.body {
        ClusterBody::QueryServer(asked) => Some(Question {
            seq: Seq(message.seq?),
            data: asked.data.clone(),
            address: query::address_of(asked),
        }),
        ClusterBody::Online { .. }
        | ClusterBody::Listening(_)
        | ClusterBody::Close { .. }
        | ClusterBody::ExitedAfterDisconnect
        | ClusterBody::Reply(_)
        | ClusterBody::NewConn { .. }
        | ClusterBody::Disconnect
        | ClusterBody::Other { .. } => None,
    }
}

pub(crate) fn encode_from_worker(seq: Seq, message: &FromWorker) -> ClusterMessage {
    let body = match message {
        // Whoever speaks the lane is asked on it whether it still turns.
        FromWorker::Online { lane } => ClusterBody::Online {
            lane: lane.then_some(LANE_VERSION),
            beat: lane.then_some(BEAT_VERSION),
        },
        FromWorker::Query { query, .. } => ClusterBody::QueryServer(query::encode(query, None)),
        FromWorker::Listening { query, port } => {
            ClusterBody::Listening(query::encode(query, Some(*port)))
        }
        FromWorker::Close { key } => ClusterBody::Close { key: key.0.as_str().into() },
        FromWorker::ExitedAfterDisconnect { .. } => ClusterBody::ExitedAfterDisconnect,
        FromWorker::Answer { ack, accepted } => {
            return ClusterMessage::reply(seq.0, ack.0, Reply::accepted(*accepted));
        }
    };
    ClusterMessage::new(seq.0, body)
}
