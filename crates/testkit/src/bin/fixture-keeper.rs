//! Keeps what it is sent, as a worker or as the child of a plain fork: `keeper.js` in Rust.
//!
//! Messages, and what it says to them:
//!
//! ```text
//! {"op":"keep"} with a socket       keeps it: {"kept":N}
//! {"op":"release"}                  closes the oldest: {"left":N}
//! {"op":"write","text":T}           writes to the oldest: {"wrote":T}
//! {"op":"echo",…} with a socket     sends both back, the op as "echoed"
//! {"op":"lend","key":K}             listens: {"port":P}, and sends each connection under that key with {"op":"keep"}
//! {"op":"count","key":K}            {"count":N}: connections of that key with its parent
//! {"op":"close","key":K}            {"closed":true} when the parent holds none of that key
//! {"op":"crowd","count":N,"bytes":B}   sends N sockets, each with B bytes of text: {"op":"item","n":I,"pad":…}
//! {"op":"item",…} with a socket     closes it; {"items":N,"ordered":true} after the last of them
//! anything else                     {"heard":M,"handle":true or false}
//! ```

#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use portcrew::{Counted, Error, Handle, Message, Parent, Received, Result, Role, Worker};
use portcrew_testkit::fixture::runtime;
use serde::Deserialize;
use serde_json::{Value, json};

/// Only detects a hang.
const HANG: Duration = Duration::from_secs(30);

/// The channel, whichever it is.
#[derive(Clone)]
enum End {
    Worker(Worker),
    Parent(Parent),
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Order {
    Keep,
    Release,
    Write { text: String },
    Echo { text: String },
    Lend { key: String },
    Count { key: String },
    Close { key: String },
    Crowd { count: usize, bytes: usize },
    Item { n: usize, of: usize },
}

#[derive(Default)]
struct Keeper {
    kept: VecDeque<(Handle, Option<Counted>)>,
    items: usize,
    out_of_order: bool,
}

fn main() -> Result<()> {
    let end = match portcrew::role()? {
        Role::Worker(worker) => End::Worker(worker),
        Role::Primary(mut primary) => match primary.take_parent() {
            Some(parent) => End::Parent(parent),
            None => return Err(std::io::Error::other("this fixture has a parent").into()),
        },
    };
    runtime()?.block_on(async {
        let mut keeper = Keeper::default();
        while let Some(received) = end.recv().await {
            match received {
                Received::Message { message, handle, counted, .. } => {
                    keeper.hear(&end, &message, handle, counted)?;
                }
                Received::Error(error) => end.say(&json!({ "error": error.to_string() }))?,
                _ => {}
            }
        }
        Ok(())
    })
}

impl Keeper {
    fn hear(
        &mut self,
        end: &End,
        message: &Message,
        handle: Option<Handle>,
        counted: Option<Counted>,
    ) -> Result<()> {
        match (message.json(), handle) {
            (Ok(Order::Keep), Some(handle)) => {
                self.kept.push_back((handle, counted));
                end.say(&json!({ "kept": self.kept.len() }))
            }
            (Ok(Order::Release), _) => {
                drop(self.kept.pop_front());
                end.say(&json!({ "left": self.kept.len() }))
            }
            (Ok(Order::Write { text }), _) => {
                if let Some((Handle::TcpStream(stream), _)) = self.kept.front_mut() {
                    stream.write_all(text.as_bytes())?;
                }
                end.say(&json!({ "wrote": text }))
            }
            (Ok(Order::Echo { text }), Some(handle)) => {
                end.give(&json!({ "op": "echoed", "text": text }), handle)
            }
            (Ok(Order::Lend { key }), _) => lend(end, key),
            (Ok(Order::Count { key }), _) => {
                end.ask(key);
                Ok(())
            }
            (Ok(Order::Close { key }), _) => {
                end.wait_closed(key);
                Ok(())
            }
            (Ok(Order::Crowd { count, bytes }), _) => crowd(end, count, bytes),
            (Ok(Order::Item { n, of }), handle) => self.item(end, n, of, handle.is_some()),
            (_, handle) => {
                let heard = serde_json::from_str::<Value>(message.as_str()).unwrap_or_default();
                end.say(&json!({ "heard": heard, "handle": handle.is_some() }))
            }
        }
    }

    fn item(&mut self, end: &End, n: usize, of: usize, has_socket: bool) -> Result<()> {
        self.out_of_order |= n != self.items || !has_socket;
        self.items += 1;
        if self.items < of {
            return Ok(());
        }
        end.say(&json!({ "items": of, "ordered": !self.out_of_order }))
    }
}

/// Sends away what it accepts, until it ends.
fn lend(end: &End, key: String) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    end.say(&json!({ "port": listener.local_addr()?.port() }))?;
    let end = end.clone();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            if end.lend(&json!({ "op": "keep" }), stream, &key).is_err() {
                break;
            }
        }
    });
    Ok(())
}

fn crowd(end: &End, count: usize, bytes: usize) -> Result<()> {
    let pad = "p".repeat(bytes);
    for n in 0..count {
        let (ours, theirs) = UnixStream::pair()?;
        end.give(&json!({ "op": "item", "n": n, "of": count, "pad": pad }), theirs.into())?;
        drop(ours);
    }
    Ok(())
}

impl End {
    async fn recv(&self) -> Option<Received> {
        match self {
            Self::Worker(worker) => tokio::select! {
                received = worker.recv() => received,
                // Told to leave: it has nothing to finish.
                () = worker.draining() => None,
            },
            Self::Parent(parent) => parent.recv().await,
        }
    }

    fn say(&self, value: &Value) -> Result<()> {
        match self {
            Self::Worker(worker) => worker.send(value),
            Self::Parent(parent) => parent.send(value),
        }
    }

    fn give(&self, value: &Value, handle: Handle) -> Result<()> {
        match self {
            Self::Worker(worker) => worker.send_with(value, handle),
            Self::Parent(parent) => parent.send_with(value, handle),
        }
    }

    fn lend(&self, value: &Value, stream: std::net::TcpStream, key: &str) -> Result<()> {
        match self {
            Self::Worker(worker) => worker.send_counted(value, stream, key),
            Self::Parent(parent) => parent.send_counted(value, stream, key),
        }
    }

    /// Says how many there are when it knows; meanwhile it hears on.
    fn ask(&self, key: String) {
        let end = self.clone();
        tokio::spawn(async move {
            let count = match &end {
                Self::Worker(worker) => worker.connections(&key, HANG).await,
                Self::Parent(parent) => parent.connections(&key, HANG).await,
            };
            end.say(&match count {
                Ok(count) => json!({ "count": count }),
                Err(error) => json!({ "error": error.to_string() }),
            })
        });
    }

    fn wait_closed(&self, key: String) {
        let end = self.clone();
        tokio::spawn(async move {
            match &end {
                Self::Worker(worker) => worker.all_closed(&key).await?,
                Self::Parent(parent) => parent.all_closed(&key).await?,
            }
            end.say(&json!({ "closed": true }))?;
            Ok::<_, Error>(())
        });
    }
}
