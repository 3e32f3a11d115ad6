//! Messages on a socket and nothing else: lines that are ready to be written, and a reader that only parses. What is
//! left when neither order, nor limits, nor other kinds of message are looked after.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use serde::Deserialize;
use serde_json::Value;

use super::crew::{DONE, Notify};
use super::{Player, worker};
use crate::Failure;
use crate::order::{Done, How, Order, READY};

/// Messages in one write.
const BURST: usize = 256;

/// Bytes asked for in one read, as in our channel.
const READ_BYTES: usize = 32 * 1024;

const LINE: &str = "{\"cmd\":\"notifyRequest\"}\n";

pub(super) fn receive() -> Result<(), Failure> {
    let (near, far) = UnixStream::pair()?;
    let _worker = worker::start(Player::BareWorker, far.into())?;
    super::say(READY)?;
    let mut lines = BufReader::with_capacity(READ_BYTES, near.try_clone()?);
    for order in Order::all() {
        let order = order?;
        let begun = Instant::now();
        writeln!(&near, "{order}")?;
        let count = match order.how {
            How::Typed => count(&mut lines, |line| {
                Ok(serde_json::from_slice::<Notify<'_>>(line)?.cmd == DONE)
            })?,
            _ => count(&mut lines, |line| {
                Ok(Value::deserialize(&mut serde_json::Deserializer::from_slice(line))?["cmd"]
                    == DONE)
            })?,
        };
        Done { count, elapsed: begun.elapsed() }.say()?;
    }
    Ok(())
}

fn count(
    lines: &mut BufReader<UnixStream>,
    is_last: impl Fn(&[u8]) -> Result<bool, Failure>,
) -> Result<u64, Failure> {
    let (mut count, mut line) = (0, Vec::new());
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err("the worker is gone".into());
        }
        if is_last(&line)? {
            return Ok(count);
        }
        count += 1;
    }
}

pub(super) fn send() -> Result<(), Failure> {
    let mut socket = UnixStream::from(worker::socket()?);
    let orders = BufReader::new(socket.try_clone()?);
    for order in orders.lines() {
        let order: Order = order?.parse()?;
        let each = if order.how == How::OneByOne { 1 } else { BURST };
        let lines = LINE.repeat(each);
        let begun = Instant::now();
        while begun.elapsed() < order.time {
            socket.write_all(lines.as_bytes())?;
        }
        writeln!(socket, "{{\"cmd\":\"{DONE}\"}}")?;
    }
    Ok(())
}
