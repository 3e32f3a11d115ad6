//! A thread that lives as long as this process, for children that are to end with it.
//!
//! The kernel takes the end of the *thread* that started a child for the end of its parent (prctl(2),
//! `PR_SET_PDEATHSIG`), and the threads of a runtime end while the process goes on: idle ones of a pool, those that an
//! embedder shuts down. Its children would be killed with them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::Builder;

use super::error::SpawnError;
use super::spec::SpawnSpec;
use super::start::{Spawned, start};

/// Orders that wait for the thread. Whoever gives one waits for its end, so there are as many as callers.
type Orders = mpsc::Sender<Order>;

/// One child, and who waits for it.
struct Order {
    spec: SpawnSpec,
    answer: SyncSender<Result<Spawned, SpawnError>>,
}

/// The way to the thread, once there is one.
static THREAD: Mutex<Option<Orders>> = Mutex::new(None);

/// Starts the child from the thread that lasts, and waits for the outcome.
pub(super) fn start_lasting(spec: &SpawnSpec) -> Result<Spawned, SpawnError> {
    let (answer, outcome) = sync_channel(1);
    let failed = |error| SpawnError::system(&spec.program, "no thread to start it from", error);
    let orders = orders().map_err(failed)?;
    let gone = || failed(io::Error::other("the thread has ended"));
    orders.send(Order { spec: spec.clone(), answer }).map_err(|_| gone())?;
    outcome.recv().map_err(|_| gone())?
}

fn orders() -> io::Result<Orders> {
    // Nothing panics while it holds this lock.
    let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(orders) = &*thread {
        return Ok(orders.clone());
    }
    let (orders, receiver) = channel();
    Builder::new().name("portcrew-spawn".to_owned()).spawn(move || obey(&receiver))?;
    Ok(thread.insert(orders).clone())
}

/// Until the process ends: the sender is kept in a static.
fn obey(orders: &Receiver<Order>) {
    for Order { spec, answer } in orders {
        // The end of this thread would be that of every child that it has started.
        let started = catch_unwind(AssertUnwindSafe(|| start(&spec))).unwrap_or_else(|_| {
            let error = io::Error::other("the start has panicked");
            Err(SpawnError::system(&spec.program, "it could not be started", error))
        });
        // Whoever gave the order waits for it.
        let _ = answer.send(started);
    }
}
