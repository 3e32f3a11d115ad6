//! Any order of queueing, writing and answering: against the rules, and against Node's own with a window of one.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::in_a_row::{conn_with_key, outbox_with};
use super::*;

/// What a message is, with how long it is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain(usize),
    Conn(usize),
    Other,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Queue(Kind),
    /// We owe the peer an answer.
    Owe,
    /// The peer answers, the descriptor having arrived or not.
    Answer(bool),
    Write(usize),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        2 => (0..40usize).prop_map(Kind::Plain),
        1 => (0..20_000usize).prop_map(Kind::Plain),
        6 => (0..40usize).prop_map(Kind::Conn),
        2 => (1000..2200usize).prop_map(Kind::Conn),
        1 => Just(Kind::Other),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => kind().prop_map(Step::Queue),
        1 => Just(Step::Owe),
        3 => any::<bool>().prop_map(Step::Answer),
        4 => (1..90usize).prop_map(Step::Write),
        2 => Just(Step::Write(usize::MAX)),
    ];
    prop::collection::vec(step, 0..200)
}

fn message(kind: Kind, number: u64) -> (Packet, Option<OutgoingHandle<u64>>) {
    match kind {
        Kind::Plain(length) => {
            let text = format!("{number}{}", "x".repeat(length));
            (Packet::User(UserMessage::new(&text).unwrap()), None)
        }
        Kind::Conn(length) => conn_with_key(number, length),
        Kind::Other => with_handle(number),
    }
}

fn line(packet: &Packet) -> String {
    let mut line = Vec::new();
    packet.encode(&mut line);
    String::from_utf8(line).unwrap()
}

/// The other end: what it gets, and the rules by which it may get it.
#[derive(Default)]
struct Peer {
    window: usize,
    /// All that was queued: the line, and whether it may go in a row if it has a descriptor.
    queued: Vec<(String, Option<bool>)>,
    /// How many of these have begun.
    begun: usize,
    /// What is to come of the line that has begun.
    rest: String,
    /// All answers that it got.
    answers: String,
    fds: Vec<u64>,
    /// The handle messages that have begun and are not answered.
    unanswered: VecDeque<Unanswered>,
    /// Bytes of the lines that have begun, and of those up to the last that was answered.
    bytes: usize,
    answered_to: usize,
}

struct Unanswered {
    fd: u64,
    in_a_row: bool,
    end: usize,
}

impl Peer {
    fn queue(&mut self, outbox: &mut Outbox<u64>, kind: Kind, number: u64) {
        let (packet, handle) = message(kind, number);
        let line = line(&packet);
        let in_a_row = match kind {
            Kind::Plain(_) => None,
            Kind::Conn(_) => Some(self.window > 1 && line.len() <= 2048),
            Kind::Other => Some(false),
        };
        self.queued.push((line, in_a_row));
        outbox.queue(&packet, handle).unwrap();
    }

    fn read(&mut self, outbox: &mut Outbox<u64>, room: usize) {
        let is_answer = outbox.answers_are_next();
        let Some((bytes, fd)) = write(outbox, room) else {
            return;
        };
        if is_answer {
            assert!(self.rest.is_empty(), "an answer in the middle of a line");
            self.answers.push_str(&bytes);
            return;
        }
        assert!(self.answers.is_empty() || self.answers.ends_with('\n'));
        if fd.is_some() {
            assert!(self.rest.is_empty(), "a descriptor in the middle of a line");
            assert!(bytes.find('\n').is_none_or(|end| end + 1 == bytes.len()), "{bytes}");
        }
        let mut bytes = &bytes[..];
        while !bytes.is_empty() {
            if self.rest.is_empty() {
                self.begin(fd);
            }
            let now = bytes.len().min(self.rest.len());
            assert_eq!(bytes[..now], self.rest[..now]);
            self.rest.drain(..now);
            bytes = &bytes[now..];
        }
    }

    /// The next line begins: whether it may.
    fn begin(&mut self, fd: Option<u64>) {
        let (line, in_a_row) = self.queued[self.begun].clone();
        self.begun += 1;
        self.bytes += line.len();
        assert_eq!(fd.is_some(), in_a_row.is_some(), "{line}");
        if let Some(last) = self.unanswered.back() {
            assert!(last.in_a_row, "something follows one that goes alone");
            assert!(in_a_row != Some(false), "one that goes alone follows");
            assert!(in_a_row.is_none() || self.unanswered.len() < self.window);
            assert!(self.bytes - self.answered_to <= 32 * 1024);
        }
        if let (Some(fd), Some(in_a_row)) = (fd, in_a_row) {
            self.fds.push(fd);
            self.unanswered.push_back(Unanswered { fd, in_a_row, end: self.bytes });
        }
        self.rest = line;
    }

    /// Only an answer to a complete line counts.
    fn answer(&mut self, outbox: &mut Outbox<u64>, received: bool) {
        let complete = self.bytes - self.rest.len();
        let is_due = self.unanswered.front().is_some_and(|oldest| oldest.end <= complete);
        let due = if is_due { self.unanswered.pop_front() } else { None };
        let told = due.map_or(Answered::Nothing, |it| {
            self.answered_to = it.end;
            Answered::Handle { token: it.fd }
        });
        assert_eq!(outbox.answered(received), told);
    }

    /// Those that it has not begun to get are given back.
    fn leave(&mut self, outbox: &mut Outbox<u64>) -> Vec<u64> {
        outbox.close();
        let sent = self.unanswered.drain(..).map(|it| it.fd).collect::<Vec<_>>();
        assert_eq!(outbox.in_flight(), sent.first().copied());
        outbox.take_unsent()
    }
}

/// Node's rule, as short as it can be said: what is written next.
#[derive(Default)]
struct OneAtATime {
    /// What may be written, without and then with a descriptor.
    plain: String,
    handle: Option<(u64, String)>,
    is_sent: bool,
    behind: VecDeque<(String, Option<u64>)>,
}

impl OneAtATime {
    fn queue(&mut self, line: String, fd: Option<u64>) {
        self.behind.push_back((line, fd));
        self.go_on();
    }

    fn go_on(&mut self) {
        while self.handle.is_none() {
            match self.behind.pop_front() {
                Some((line, None)) => self.plain.push_str(&line),
                Some((line, Some(fd))) => self.handle = Some((fd, line)),
                None => return,
            }
        }
    }

    fn write(&mut self, room: usize) -> Option<(String, Option<u64>)> {
        let cut = |from: &mut String| from.drain(..from.len().min(room)).collect::<String>();
        if !self.plain.is_empty() {
            return Some((cut(&mut self.plain), None));
        }
        let (fd, line) = self.handle.as_mut().filter(|(_, line)| !line.is_empty())?;
        let fd = (!std::mem::replace(&mut self.is_sent, true)).then_some(*fd);
        Some((cut(line), fd))
    }

    fn answered(&mut self) -> Answered {
        match self.handle.take_if(|(_, line)| line.is_empty()) {
            Some((token, _)) => {
                self.is_sent = false;
                self.go_on();
                Answered::Handle { token }
            }
            None => Answered::Nothing,
        }
    }
}

proptest! {
    #[test]
    fn the_peer_gets_each_line_once_in_order_and_never_more_descriptors_than_the_window(
        window in 1..20usize,
        steps in steps(),
        leaves in any::<bool>(),
    ) {
        let mut outbox = outbox_with(window);
        let mut peer = Peer { window, ..Peer::default() };
        let mut owed = 0;
        for (number, step) in (0..).zip(steps) {
            match step {
                Step::Queue(kind) => peer.queue(&mut outbox, kind, number),
                Step::Owe => {
                    outbox.answer(true);
                    owed += 1;
                }
                Step::Answer(received) => peer.answer(&mut outbox, received),
                Step::Write(room) => peer.read(&mut outbox, room),
            }
        }
        let in_order = |numbers: &[u64]| numbers.windows(2).all(|it| it[0] < it[1]);
        if leaves {
            let unsent = peer.leave(&mut outbox);
            let handles = peer.queued.iter().filter(|(_, row)| row.is_some()).count();
            prop_assert_eq!(peer.fds.len() + unsent.len(), handles);
            prop_assert!(in_order(&[peer.fds, unsent].concat()));
            return Ok(());
        }
        while !outbox.is_idle() {
            peer.read(&mut outbox, usize::MAX);
            peer.answer(&mut outbox, true);
        }
        prop_assert_eq!(peer.begun, peer.queued.len());
        prop_assert!(peer.rest.is_empty());
        prop_assert!(in_order(&peer.fds));
        prop_assert_eq!(peer.answers, ACK.repeat(owed));
    }

    #[test]
    fn with_a_window_of_one_every_write_is_that_of_nodes_rule(steps in steps()) {
        let (mut outbox, mut node) = (outbox_with(1), OneAtATime::default());
        for (number, step) in (0..).zip(steps) {
            match step {
                Step::Queue(kind) => {
                    let message = message(kind, number);
                    node.queue(line(&message.0), message.1.as_ref().map(|it| it.fd));
                    queue(&mut outbox, message);
                }
                // What passes all else is another test's.
                Step::Owe => {}
                Step::Answer(received) => {
                    prop_assert_eq!(outbox.answered(received), node.answered());
                }
                Step::Write(room) => prop_assert_eq!(write(&mut outbox, room), node.write(room)),
            }
        }
    }
}
