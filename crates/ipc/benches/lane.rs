//! Descriptors from one end of a socket pair to the other, in one process: by the lane, and by the kernel's own calls.
//!
//! `cargo bench -p portcrew-ipc --bench lane`. Two processes and ratios: `--bench ipc` of the testkit.

#![forbid(unsafe_code)]

use std::fs::File;
use std::future::poll_fn;
use std::os::fd::AsFd;

use divan::Bencher;
use divan::counter::ItemsCount;
use portcrew_ipc::lane::{Answer, ConnRecord, LanePrimary, LaneWorker, Sent, Verdict};
use portcrew_ipc::socket::{pair_seqpacket, recv, send};
use tokio::runtime::{Builder, Runtime};

const BATCHES: [usize; 3] = [1, 8, 64];

fn main() {
    divan::main();
}

/// One message there; its descriptors are closed.
#[divan::bench(args = BATCHES)]
fn sendmsg(bencher: Bencher<'_, '_>, count: usize) {
    let (near, far) = pair_seqpacket().expect("a socket pair");
    let file = File::open("/dev/null").expect("it is always there");
    let fds = vec![file.as_fd(); count];
    let (bytes, mut room) = (vec![0; 4 + 12 * count], [0; 1024]);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        send(&near, &bytes, &fds).expect("there is room");
        recv(&far, &mut room).expect("it was sent").fds.len()
    });
}

/// The same by the lane.
#[divan::bench(args = BATCHES)]
fn lane(bencher: Bencher<'_, '_>, count: usize) {
    let mut ends = Ends::new(count);
    bencher.counter(ItemsCount::new(count)).bench_local(|| ends.there());
}

/// And with the answers back.
#[divan::bench(args = BATCHES)]
fn lane_answered(bencher: Bencher<'_, '_>, count: usize) {
    let mut ends = Ends::new(count);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        ends.there();
        ends.back()
    });
}

struct Ends {
    runtime: Runtime,
    primary: LanePrimary,
    worker: LaneWorker,
    file: File,
    records: Vec<ConnRecord>,
    answers: Vec<Answer>,
}

impl Ends {
    fn new(count: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (near, far) = pair_seqpacket().expect("a socket pair");
        let inside = runtime.enter();
        let primary = LanePrimary::from_fd(near).expect("a socket can be polled");
        let worker = LaneWorker::from_fd(far).expect("a socket can be polled");
        drop(inside);
        let file = File::open("/dev/null").expect("it is always there");
        let seqs = 0..count as u64;
        let records = seqs.clone().map(|seq| ConnRecord { seq, listener: 0 }).collect();
        let answers = seqs.map(|seq| Answer { seq, verdict: Verdict::Accepted }).collect();
        Self { runtime, primary, worker, file, records, answers }
    }

    fn there(&mut self) -> usize {
        let Self { runtime, primary, worker, file, records, .. } = self;
        let fds = vec![file.as_fd(); records.len()];
        assert_eq!(primary.try_offer(records, &fds).expect("the worker is there"), Sent::All);
        let mut conns = Vec::with_capacity(records.len());
        let taken = runtime.block_on(poll_fn(|cx| worker.poll_conns(cx, &mut conns)));
        taken.expect("it was sent");
        conns.len()
    }

    fn back(&mut self) -> usize {
        let Self { runtime, primary, worker, answers, .. } = self;
        worker.try_answer(answers).expect("the primary is there");
        let (mut heard, mut ended, mut beats) = (Vec::new(), Vec::new(), Vec::new());
        let taken = runtime
            .block_on(poll_fn(|cx| primary.poll_answers(cx, &mut heard, &mut ended, &mut beats)));
        taken.expect("it was sent");
        heard.len()
    }
}
