//! Messages of a worker to its primary by the library as users have it: `Worker::send`, `Cluster::next_event`.

use std::time::{Duration, Instant};

use portcrew::{Cluster, Error, Event, Message, Primary, Received, Role, Settings, Worker};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::yield_now;

use crate::Failure;
use crate::order::{Done, How, Order, READY};

/// The command of a slice's last message.
pub(super) const DONE: &str = "done";

/// Messages between two looks at the clock.
const BURST: u64 = 256;

/// How long a worker whose queue is full waits for the primary.
const PAUSE: Duration = Duration::from_millis(1);

/// A trip may take so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the typed messages are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Notify<'a> {
    pub(super) cmd: &'a str,
}

pub(super) fn run() -> Result<(), Failure> {
    let runtime = || Builder::new_current_thread().enable_all().build();
    match portcrew::role()? {
        Role::Primary(primary) => runtime()?.block_on(lead(primary)),
        Role::Worker(worker) => runtime()?.block_on(follow(&worker)),
    }
}

async fn lead(primary: Primary) -> Result<(), Failure> {
    let mut cluster = primary.cluster(Settings::default())?;
    let worker = cluster.fork().await?;
    while !matches!(cluster.next_event().await, Some(Event::Online { .. }) | None) {}
    super::say(READY)?;
    let mut orders = orders();
    while let Some(order) = orders.recv().await {
        let order = order?;
        let begun = Instant::now();
        worker.send(&order.to_string())?;
        let count = match order.how {
            How::Typed => count(&mut cluster, |it| Ok(it.json::<Notify<'_>>()?.cmd == DONE)).await,
            _ => count(&mut cluster, |it| Ok(it.json::<Value>()?["cmd"] == DONE)).await,
        }?;
        Done { count, elapsed: begun.elapsed() }.say()?;
    }
    Ok(())
}

/// Standard input blocks, so it has a thread.
fn orders() -> mpsc::UnboundedReceiver<Result<Order, Failure>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || Order::all().try_for_each(|order| sender.send(order)));
    receiver
}

async fn count(
    cluster: &mut Cluster,
    is_last: impl Fn(&Message) -> Result<bool, Failure>,
) -> Result<u64, Failure> {
    let mut count = 0;
    loop {
        match cluster.next_event().await {
            Some(Event::Message { message, .. }) => {
                if is_last(&message)? {
                    return Ok(count);
                }
            }
            Some(Event::Request { request, .. }) => request.reply(&json!({ "cmd": "answer" }))?,
            other => return Err(format!("the primary is told {other:?}").into()),
        }
        count += 1;
    }
}

async fn follow(worker: &Worker) -> Result<(), Failure> {
    while let Some(Received::Message { message, .. }) = worker.recv().await {
        let order: Order = message.json::<String>()?.parse()?;
        let until = Instant::now() + order.time;
        match order.how {
            How::Values => send(worker, until, BURST, value).await?,
            How::Typed => send(worker, until, BURST, || Notify { cmd: "notifyRequest" }).await?,
            How::OneByOne => send(worker, until, 1, value).await?,
            How::Trips => trips(worker, until).await?,
            How::Descriptors(_) => return Err("no channel sends so many descriptors".into()),
        }
        worker.send(&Notify { cmd: DONE })?;
    }
    Ok(())
}

fn value() -> Value {
    json!({ "cmd": "notifyRequest" })
}

/// So many `together` in a turn of the runtime: what was sent is written while its sender waits.
async fn send<T: Serialize>(
    worker: &Worker,
    until: Instant,
    together: u64,
    message: impl Fn() -> T,
) -> Result<(), Failure> {
    while Instant::now() < until {
        for sent in 1..=BURST {
            while let Err(error) = worker.send(&message()) {
                match error {
                    Error::QueueFull => tokio::time::sleep(PAUSE).await,
                    other => return Err(other.into()),
                }
            }
            if sent % together == 0 {
                yield_now().await;
            }
        }
    }
    Ok(())
}

async fn trips(worker: &Worker, until: Instant) -> Result<(), Failure> {
    while Instant::now() < until {
        worker.request::<_, Value>(&json!({ "cmd": "ask" }), PATIENCE).await?;
    }
    Ok(())
}
