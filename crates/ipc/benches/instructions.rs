//! Reads and writes so many times, for `scripts/instructions`, which counts the instructions.
//!
//! `instructions` lists the kinds; `instructions KIND TIMES` does it.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "its list is for a script")]

#[path = "common/codec.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod codec;

use std::hint::black_box;

use codec::{CLUSTER, LINES, Notify, Records, Stream, USER};
use portcrew_ipc::message::UserLines;

/// What one time is.
type Once = Box<dyn FnMut()>;

/// A name, and what makes it ready.
type Kind = (&'static str, fn() -> Once);

const KINDS: [Kind; 4] = [
    ("records-64-there-and-back", records),
    ("lines-256-of-user-code-typed", of_user_code),
    ("lines-256-of-the-cluster", of_the_cluster),
    ("lines-256-written-typed", written),
];

fn main() -> Result<(), String> {
    // Cargo says to a benchmark that it is one.
    let words: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [kind, times] = words.as_slice() else {
        KINDS.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    };
    let known = KINDS.iter().find(|(name, _)| name == kind);
    let (_, make) = known.ok_or_else(|| format!("no kind {kind:?} here"))?;
    let times: u32 = times.parse().map_err(|error| format!("{times:?}: {error}"))?;
    let mut once = make();
    (0..times).for_each(|_| once());
    Ok(())
}

fn records() -> Once {
    let mut records = Records::new();
    Box::new(move || {
        black_box(records.there_and_back());
    })
}

fn of_user_code() -> Once {
    let mut stream = Stream::of(USER);
    Box::new(move || {
        stream.read(|line| {
            let message = codec::message(line);
            black_box(message.json::<Notify<'_>>().expect("it is one").cmd.len());
        });
    })
}

fn of_the_cluster() -> Once {
    let mut stream = Stream::of(CLUSTER);
    Box::new(move || {
        stream.read(|line| {
            black_box(codec::packet(line));
        });
    })
}

fn written() -> Once {
    let mut lines = UserLines::default();
    Box::new(move || {
        lines.clear();
        for _ in 0..LINES {
            lines.push_value(&Notify { cmd: "notifyRequest" }).expect("it can be sent");
        }
        black_box(lines.as_bytes());
    })
}
