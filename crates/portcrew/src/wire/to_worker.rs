//! Primary to worker.

use portcrew_core::{Errno, Family, Key, ListenerId, Reply, Seq, SockName, ToWorker};
use portcrew_ipc::message::{self as wire, ClusterBody, ClusterMessage, RawJson, ReplyErrno};

use super::Question;

/// `crew` is how many workers there are to be: a Rust worker of a shared listener waits differently in a
/// crowd.
pub(crate) fn encode_to_worker(seq: Seq, message: &ToWorker, crew: u32) -> ClusterMessage {
    match message {
        ToWorker::Reply { ack, key, listener, data, reply } => {
            let errno = match reply {
                Reply::Handover { .. } => ReplyErrno::Null,
                Reply::Shared => ReplyErrno::Code(0),
                Reply::Failed(errno) => ReplyErrno::from_os_error(errno.0),
            };
            let sockname = match reply {
                Reply::Handover { sockname } => sockname.clone(),
                Reply::Shared | Reply::Failed(_) => None,
            };
            let data = data.as_ref().and_then(|it| RawJson::from_text(it.clone()).ok());
            let sockname = sockname.map(|it| wire::SockName { address: it.address, port: it.port });
            let key = key.0.as_str().into();
            let mut reply = wire::Reply::server(errno, key, data, sockname);
            reply.listener = Some(listener.0);
            reply.crew = Some(crew);
            ClusterMessage::reply(seq.0, ack.0, reply)
        }
        ToWorker::Disconnect => ClusterMessage::new(seq.0, ClusterBody::Disconnect),
        ToWorker::FarewellHeard { ack } => {
            ClusterMessage::reply(seq.0, ack.0, wire::Reply::default())
        }
    }
}

/// The answer to a question that could not be understood, so it names no listener.
pub(crate) fn encode_refusal(question: &Question, errno: Errno) -> ClusterMessage {
    let (errno, data) = (ReplyErrno::from_os_error(errno.0), question.data.clone());
    let reply = wire::Reply::server(errno, "".into(), data, None);
    // Nobody answers a reply, so its own number is looked at by nobody.
    ClusterMessage::reply(0, question.seq.0, reply)
}

/// A connection by the channel; its descriptor goes with the message.
pub(crate) fn encode_newconn(seq: Seq, key: &Key) -> ClusterMessage {
    ClusterMessage::new(seq.0, ClusterBody::NewConn { key: key.0.as_str().into() })
}

/// What the primary said, other than `newconn`; `None` for what a worker has no use for.
pub(crate) fn decode_to_worker(message: ClusterMessage, with_socket: bool) -> Option<ToWorker> {
    match message.body {
        ClusterBody::Disconnect => Some(ToWorker::Disconnect),
        ClusterBody::Reply(reply) => {
            let ack = Seq(message.ack?);
            let Some(key) = reply.key else {
                return Some(ToWorker::FarewellHeard { ack });
            };
            Some(ToWorker::Reply {
                ack,
                key: Key(key.as_str().to_owned()),
                // Only our own primary numbers its listeners, and only the lane asks for the number.
                listener: ListenerId(reply.listener.unwrap_or(u32::MAX)),
                data: reply.data.map(|it| it.as_str().to_owned()),
                reply: match reply.errno.error() {
                    Some(errno) => Reply::Failed(Errno(errno)),
                    None if with_socket => Reply::Shared,
                    None => Reply::Handover { sockname: reply.sockname.map(sockname) },
                },
            })
        }
        ClusterBody::NewConn { .. }
        | ClusterBody::Online { .. }
        | ClusterBody::QueryServer(_)
        | ClusterBody::Listening(_)
        | ClusterBody::Close { .. }
        | ClusterBody::ExitedAfterDisconnect
        | ClusterBody::Other { .. } => None,
    }
}

fn sockname(name: wire::SockName) -> SockName {
    let family = if name.address.contains(':') { Family::V6 } else { Family::V4 };
    SockName { address: name.address, family, port: name.port }
}

#[cfg(test)]
mod tests {
    use portcrew_ipc::message::Query;

    use super::super::{decode_from_worker, question};
    use super::*;

    #[test]
    fn a_question_that_cannot_be_understood_is_answered_with_a_refusal_and_its_own_data() {
        let data = Some(RawJson::from_text("{\"ticketKeys\":\"00\"}").unwrap());
        let query = Query { data: data.clone(), port: Some(70_000), ..Query::default() };
        let asked = ClusterMessage::new(7, ClusterBody::QueryServer(query));
        let question = question(&asked).unwrap();
        assert_eq!((question.seq, question.address.port), (Seq(7), None));
        assert_eq!(decode_from_worker(asked), None);
        let refusal = encode_refusal(&question, Errno::INVALID);
        let Some(ToWorker::Reply { ack, reply, data: echo, .. }) = decode_to_worker(refusal, false)
        else {
            panic!("a reply");
        };
        assert_eq!((ack, reply), (Seq(7), Reply::Failed(Errno::INVALID)));
        assert_eq!(echo.as_deref(), data.as_ref().map(RawJson::as_str));
    }
}
