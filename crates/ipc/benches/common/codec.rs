//! What the codecs are given: records as full as they may be, and lines as a busy channel has them.

use portcrew_ipc::frame::{FRAME_BYTES, FrameDecoder};
use portcrew_ipc::lane::record::{RecordBuffer, buffer, decode, encode};
use portcrew_ipc::lane::{Answer, ConnRecord, LANE_BATCH, Verdict};
use portcrew_ipc::message::{Packet, UserMessage, parse};
use serde::{Deserialize, Serialize};

/// Lines that come in one read.
pub(crate) const LINES: usize = 256;

/// A message of user code.
pub(crate) const USER: &str = r#"{"cmd":"notifyRequest"}"#;

/// A Node worker's answer to a connection.
pub(crate) const CLUSTER: &str = r#"{"cmd":"NODE_CLUSTER","ack":2,"accepted":true,"seq":6}"#;

/// The same as a type that borrows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Notify<'a> {
    pub(crate) cmd: &'a str,
}

/// So many connections.
pub(crate) fn conns(count: usize) -> Vec<ConnRecord> {
    let seqs = 0..count as u64;
    seqs.map(|seq| ConnRecord { seq, listener: 3 }).collect()
}

/// So many answers.
pub(crate) fn answers(count: usize) -> Vec<Answer> {
    let seqs = 0..count as u64;
    seqs.map(|seq| Answer { seq, verdict: Verdict::Accepted }).collect()
}

/// Records as they are written and read, over and over.
#[derive(Debug)]
pub(crate) struct Records {
    room: RecordBuffer,
    conns: Vec<ConnRecord>,
    answers: Vec<Answer>,
    read: Vec<ConnRecord>,
    heard: Vec<Answer>,
}

impl Records {
    pub(crate) fn new() -> Self {
        let (conns, answers) = (conns(LANE_BATCH), answers(LANE_BATCH));
        Self { room: buffer(), conns, answers, read: Vec::new(), heard: Vec::new() }
    }

    /// A record of connections there, and one of answers back. How many were read.
    pub(crate) fn there_and_back(&mut self) -> usize {
        self.read.clear();
        self.heard.clear();
        let record = encode(&self.conns, &mut self.room);
        decode(record, &mut self.read).expect("it was written so");
        let record = encode(&self.answers, &mut self.room);
        decode(record, &mut self.heard).expect("it was written so");
        self.read.len() + self.heard.len()
    }
}

/// A stream of lines, all the same, in reads of [`LINES`].
#[derive(Debug)]
pub(crate) struct Stream {
    decoder: FrameDecoder<()>,
    bytes: Vec<u8>,
}

impl Stream {
    pub(crate) fn of(line: &str) -> Self {
        let bytes = format!("{line}\n").repeat(LINES).into_bytes();
        Self { decoder: FrameDecoder::new(FRAME_BYTES), bytes }
    }

    /// One read: what is to be done with each line is done.
    pub(crate) fn read(&mut self, mut each: impl FnMut(&[u8])) {
        self.decoder.push(&self.bytes, []);
        while let Some(frame) = self.decoder.next().expect("no line is too long") {
            each(frame.bytes);
        }
    }
}

/// The packet of a line.
pub(crate) fn packet(line: &[u8]) -> Packet {
    parse(line).expect("it is a message")
}

/// The message of a line of user code.
pub(crate) fn message(line: &[u8]) -> UserMessage {
    match packet(line) {
        Packet::User(message) => message,
        other => unreachable!("no message of user code: {other:?}"),
    }
}
