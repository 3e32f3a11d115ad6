//! Messages from one end of a channel to the other, in one process: one by one, many in a write, and there and back.
//!
//! `cargo bench -p portcrew-ipc --bench channel`. By the library, with two processes, and against Node: `--bench ipc` of
//! the testkit.

#![forbid(unsafe_code)]

use divan::Bencher;
use divan::counter::ItemsCount;
use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
use portcrew_ipc::message::{UserLines, UserMessage};
use portcrew_ipc::socket::pair_stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// Messages in one write.
const TOGETHER: [usize; 3] = [1, 16, 256];

fn main() {
    divan::main();
}

#[derive(Debug, Serialize, Deserialize)]
struct Notify<'a> {
    cmd: &'a str,
}

#[divan::bench(args = TOGETHER)]
fn values(bencher: Bencher<'_, '_>, count: usize) {
    let value = || json!({ "cmd": "notifyRequest" });
    there(bencher, count, value, |message| message.json::<Value>().is_ok());
}

#[divan::bench(args = TOGETHER)]
fn typed(bencher: Bencher<'_, '_>, count: usize) {
    let value = || Notify { cmd: "notifyRequest" };
    there(bencher, count, value, |message| message.json::<Notify<'_>>().is_ok());
}

#[divan::bench]
fn round_trip(bencher: Bencher<'_, '_>) {
    let mut ends = Ends::new();
    bencher.bench_local(|| {
        ends.runtime.block_on(async {
            let value = Notify { cmd: "notifyRequest" };
            let question = UserMessage::new(&value).expect("it can be sent").into();
            ends.near.send(&question, None).await.expect("the other end is there");
            let answer = message(&mut ends.far).await.into();
            ends.far.send(&answer, None).await.expect("the other end is there");
            message(&mut ends.near).await
        })
    });
}

fn there<T: Serialize>(
    bencher: Bencher<'_, '_>,
    count: usize,
    value: impl Fn() -> T,
    read: impl Fn(&UserMessage) -> bool,
) {
    let (mut ends, mut lines, mut messages) = (Ends::new(), UserLines::default(), Vec::new());
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        lines.clear();
        (0..count).for_each(|_| lines.push_value(&value()).expect("it can be sent"));
        ends.near.queue_lines(&lines).expect("there is room");
        assert!(ends.near.try_flush().expect("the other end is there"));
        ends.runtime.block_on(async {
            // The first waits for the read, and the others are there then.
            assert!(read(&message(&mut ends.far).await));
            ends.far.take_messages(&mut messages, count);
        });
        assert_eq!(messages.len(), count - 1);
        assert!(messages.drain(..).all(|message| read(&message)));
    });
}

async fn message(channel: &mut Channel) -> UserMessage {
    match channel.recv().await {
        Some(Ok(Incoming::User { message, .. })) => message,
        other => unreachable!("no message: {other:?}"),
    }
}

struct Ends {
    runtime: Runtime,
    near: Channel,
    far: Channel,
}

impl Ends {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (near, far) = pair_stream().expect("a socket pair");
        let inside = runtime.enter();
        let end = |fd| Channel::from_fd(fd, ChannelSettings::default()).expect("it can be polled");
        let (near, far) = (end(near), end(far));
        drop(inside);
        Self { runtime, near, far }
    }
}
