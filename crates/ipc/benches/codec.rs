//! Bytes into values and back, without a socket: the lane's records and the channel's lines.
//!
//! `cargo bench -p portcrew-ipc --bench codec`

#![forbid(unsafe_code)]

#[path = "common/codec.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod codec;

use std::hint::black_box;

use codec::{CLUSTER, LINES, Notify, Stream, USER};
use divan::Bencher;
use divan::counter::ItemsCount;
use portcrew_ipc::lane::record::{buffer, decode, encode};
use portcrew_ipc::message::UserLines;
use serde_json::{Value, json};

const BATCHES: [usize; 3] = [1, 8, 64];

fn main() {
    divan::main();
}

#[divan::bench(args = BATCHES)]
fn record_encode(bencher: Bencher<'_, '_>, count: usize) {
    let (conns, mut room) = (codec::conns(count), buffer());
    bencher.counter(ItemsCount::new(count)).bench_local(|| encode(&conns, &mut room).len());
}

#[divan::bench(args = BATCHES)]
fn record_decode(bencher: Bencher<'_, '_>, count: usize) {
    let (mut room, mut answers) = (buffer(), Vec::new());
    let record = encode(&codec::answers(count), &mut room);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        answers.clear();
        decode::<portcrew_ipc::lane::Answer>(record, &mut answers)
    });
}

#[divan::bench]
fn lines_split(bencher: Bencher<'_, '_>) {
    read(bencher, USER, |line| {
        black_box(line);
    });
}

#[divan::bench]
fn lines_of_user_code(bencher: Bencher<'_, '_>) {
    read(bencher, USER, |line| {
        black_box(codec::message(line));
    });
}

#[divan::bench]
fn lines_of_user_code_typed(bencher: Bencher<'_, '_>) {
    read(bencher, USER, |line| {
        let message = codec::message(line);
        black_box(message.json::<Notify<'_>>().expect("it is one").cmd.len());
    });
}

#[divan::bench]
fn lines_of_user_code_as_values(bencher: Bencher<'_, '_>) {
    read(bencher, USER, |line| {
        black_box(codec::message(line).json::<Value>().expect("it is JSON"));
    });
}

#[divan::bench]
fn lines_of_the_cluster(bencher: Bencher<'_, '_>) {
    read(bencher, CLUSTER, |line| {
        black_box(codec::packet(line));
    });
}

#[divan::bench]
fn lines_written_typed(bencher: Bencher<'_, '_>) {
    write(bencher, |lines| lines.push_value(&Notify { cmd: "notifyRequest" }));
}

#[divan::bench]
fn lines_written_of_values(bencher: Bencher<'_, '_>) {
    write(bencher, |lines| lines.push_value(&json!({ "cmd": "notifyRequest" })));
}

fn read(bencher: Bencher<'_, '_>, line: &str, each: impl Fn(&[u8])) {
    let mut stream = Stream::of(line);
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| stream.read(&each));
}

fn write<E: std::fmt::Debug>(
    bencher: Bencher<'_, '_>,
    push: impl Fn(&mut UserLines) -> Result<(), E>,
) {
    let mut lines = UserLines::default();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        lines.clear();
        (0..LINES).for_each(|_| push(&mut lines).expect("it can be sent"));
        lines.as_bytes().len()
    });
}
