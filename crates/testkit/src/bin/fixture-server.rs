//! A well-behaved worker: serves one answer per connection, and does what messages say.
//!
//! `ADDRESS` (127.0.0.1:0): where it listens; `unix:/path` too. `BACKLOG`: how many may wait there. `BROKEN_IF`: a path; where it exists the program fails
//! at boot with status 3, like a broken release. `DATA`: JSON that it brings for its TCP listener, or nothing; then it
//! sends `{"data":…}`, what the listener's workers have in common. A message with a socket: uses the socket and says
//! so. Messages:
//!
//! ```text
//! {"op":"ask","body":B,"ms":N}    {"op":"give","kind":"listener"|"stream"|"udp"}
//! {"op":"say","text":T}    {"op":"notify","text":T}, to its NOTIFY_SOCKET
//! {"op":"hang","how":"spin"|"sleep"}, for ever    {"op":"exit","code":N}    {"op":"leave"}
//! {"op":"full"} takes one connection more at most; again: all that come
//! "shutdown" leaves too, and says {"told":…}    anything else comes back as {"echo":…}
//! ```
//!
//! Started by hand it is the primary of workers of its own, and tells of them in JSON lines.
//!
//! Questions are answered `{"answer":…,"worker":N}`, but for `"silence"`.

#![forbid(unsafe_code)]

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::LazyLock;
use std::time::Duration;

use portcrew::{
    Cluster, Connection, Error, Event, Handle, Listen, Listener, Received, Signal, Worker,
};
use portcrew_testkit::fixture::{Bound, answer, tell, use_it};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// This worker has as much to do as it wants.
static FULL: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Order {
    Ask { body: Value, ms: u64 },
    Give { kind: String },
    Say { text: String },
    Notify { text: String },
    Hang { how: String },
    Exit { code: i32 },
    Full,
    Leave,
}

fn main() -> portcrew::Result<()> {
    if std::env::var_os("BROKEN_IF").is_some_and(|path| std::path::Path::new(&path).exists()) {
        std::process::exit(3);
    }
    Cluster::builder().on_event(report).run(async |worker: Worker| {
        let orders = tokio::spawn(obey_all(worker.clone()));
        let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
        match address.strip_prefix("unix:") {
            Some(path) => serve(&worker, worker.listen_unix(path).await?).await,
            None => serve(&worker, listen(&worker, address).await?).await,
        }
        orders.abort();
        Ok::<_, Error>(())
    })
}

/// As its own primary it tells who comes and goes.
fn report(event: &Event) {
    match event {
        Event::Fork { worker, process } => {
            tell("fork", &json!({ "worker": worker.0, "pid": process.pid() }));
        }
        Event::Exit { worker, status, planned } => {
            let signal = Signal::of(*status).map(|signal| signal.to_string());
            let code = status.code();
            let fields =
                json!({ "worker": worker.0, "code": code, "signal": signal, "planned": planned });
            tell("exit", &fields);
        }
        Event::Finished(outcome) => tell("finished", &json!({ "outcome": outcome.to_string() })),
        _ => {}
    }
}

async fn listen(worker: &Worker, address: String) -> portcrew::Result<Listener> {
    let mut listen = Listen::from(address);
    if let Some(backlog) = std::env::var("BACKLOG").ok().and_then(|it| it.parse().ok()) {
        listen = listen.backlog(backlog);
    }
    let Ok(data) = std::env::var("DATA") else {
        return worker.listen(listen).await;
    };
    let listen = match serde_json::from_str::<Value>(&data) {
        Ok(data) => listen.data(&data)?,
        Err(_) => listen,
    };
    let listener = worker.listen(listen).await?;
    say(worker, &json!({ "data": listener.data::<Value>()? }));
    Ok(listener)
}

/// Until the worker is told to leave; what is under way is finished.
async fn serve<S>(worker: &Worker, listener: Listener<S>)
where
    S: Connection + AsyncRead + AsyncWrite + Unpin,
{
    let mut connections = JoinSet::new();
    let mut full = FULL.subscribe();
    // Its sender is never dropped.
    while full.wait_for(|it| !it).await.is_ok() {
        let Ok((stream, _)) = listener.accept().await else {
            break;
        };
        connections.spawn(answer(stream, worker.id().0));
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

async fn obey_all(worker: Worker) {
    // Kept, so that their askers wait.
    let mut silent = Vec::new();
    while let Some(received) = worker.recv().await {
        match received {
            Received::Message { message, handle: None, .. } => {
                let message = message.json::<Value>().unwrap_or_default();
                if message == "shutdown" {
                    say(&worker, &json!({ "told": message }));
                    worker.leave();
                    continue;
                }
                match serde_json::from_value(message.clone()) {
                    Ok(order) => drop(tokio::spawn(obey(worker.clone(), order))),
                    Err(_) => say(&worker, &json!({ "echo": message })),
                }
            }
            Received::Message { handle: Some(handle), .. } => {
                let kind = use_it(handle, format!("worker {}", worker.id()));
                say(&worker, &json!({ "used": kind }));
            }
            Received::Request(request) if request.as_str() == "\"silence\"" => silent.push(request),
            Received::Request(request) => {
                let body = request.json::<Value>().unwrap_or_default();
                // An asker that has gone needs no answer.
                let _ = request.reply(&json!({ "answer": body, "worker": worker.id().0 }));
            }
            _ => {}
        }
    }
}

async fn obey(worker: Worker, order: Order) {
    match order {
        Order::Ask { body, ms } => {
            let answer = worker.request::<_, Value>(&body, Duration::from_millis(ms)).await;
            say(
                &worker,
                &match answer {
                    Ok(answer) => json!({ "answered": answer }),
                    Err(error) => json!({ "no-answer": format!("{error:?}") }),
                },
            );
        }
        Order::Give { kind } => match give(&worker, &kind).await {
            Ok(handle) => {
                // The primary that asked for it is there.
                let _ = worker.send_with(&json!("here"), handle);
            }
            Err(error) => say(&worker, &json!({ "failed": error.to_string() })),
        },
        Order::Say { text } => say(&worker, &text.into()),
        Order::Notify { text } => {
            if let Err(error) = notify(&text) {
                say(&worker, &json!({ "failed": error.to_string() }));
            }
        }
        Order::Hang { how } => hang(&how),
        Order::Exit { code } => std::process::exit(code),
        Order::Full => {
            FULL.send_modify(|it| *it = !*it);
            say(&worker, &json!({ "full": *FULL.borrow() }));
        }
        Order::Leave => worker.leave(),
    }
}

async fn give(worker: &Worker, kind: &str) -> Result<Handle, Box<dyn std::error::Error>> {
    let (address, bound) = Bound::new(kind.parse()?)?;
    say(worker, &json!({ "given": address }));
    Ok(tokio::task::spawn_blocking(|| bound.handle()).await??)
}

/// Blocks the only thread of the runtime.
fn hang(how: &str) {
    tell("blocked", &json!({ "how": how }));
    loop {
        match how {
            "sleep" => std::thread::sleep(Duration::from_secs(1_000)),
            _ => std::hint::spin_loop(),
        }
    }
}

fn notify(text: &str) -> std::io::Result<()> {
    let name = std::env::var("NOTIFY_SOCKET").map_err(std::io::Error::other)?;
    let name = SocketAddr::from_abstract_name(name.trim_start_matches('@'))?;
    UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &name).map(drop)
}

fn say(worker: &Worker, value: &Value) {
    // Without a primary there is nobody to tell.
    let _ = worker.send(value);
}
