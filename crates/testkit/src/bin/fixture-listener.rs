//! A worker that listens as messages say, on any number of addresses, and serves one answer per connection.
//!
//! ```text
//! {"op":"listen","name":N,"on":A,…}     A as `Worker::listen` takes it, or unix:/path; fd:7 and unix-fd:7 are the
//!                                       primary's; and the options of `Options`
//! {"op":"again","name":N,"on":A,…}      gives a first listener up before its answer can have come, then the same
//! {"op":"reopen","name":N,"on":A,…}     closes N while it is being accepted from, and listens again at once
//! {"op":"close","name":N}    {"op":"chdir","to":PATH}
//! ```
//!
//! The answers are `{"listening":N,…}` with the address, `{"refused":N,…}` with the error, `{"closed":N}` and
//! `{"now-in":PATH}`.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use portcrew::{
    Cluster, Connection, Error, Listen, ListenUnix, Listener, Received, Result, UnixListener,
    Worker,
};
use portcrew_testkit::fixture::answer;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Order {
    Listen(Options),
    Again(Options),
    Reopen(Options),
    Close { name: String },
    Chdir { to: String },
}

#[derive(Deserialize)]
struct Options {
    name: String,
    on: String,
    #[serde(default)]
    backlog: u32,
    #[serde(default)]
    ipv6_only: bool,
    #[serde(default)]
    exclusive: bool,
    #[serde(default)]
    reuse_port: bool,
    #[serde(default)]
    everybody: bool,
}

/// What is asked for.
enum Asked {
    Tcp(Listen),
    Unix(ListenUnix),
}

/// What was got.
enum Got {
    Tcp(Listener),
    Unix(UnixListener),
}

/// A listener that is served.
struct Open {
    close: Box<dyn Fn() + Send>,
    served: JoinHandle<()>,
}

fn main() -> Result<()> {
    Cluster::builder().run(async |worker: Worker| {
        let mut open = BTreeMap::new();
        loop {
            let received = tokio::select! {
                received = worker.recv() => received,
                () = worker.draining() => None,
            };
            let Some(Received::Message { message, .. }) = received else { break };
            let said = obey(&worker, message.json()?, &mut open).await;
            worker.send(&said)?;
        }
        Ok::<_, Error>(())
    })
}

async fn obey(worker: &Worker, order: Order, open: &mut BTreeMap<String, Open>) -> Value {
    match order {
        Order::Listen(options) => listen(worker, options, open).await,
        Order::Again(options) => {
            // Polled once, so that the question is on its way, and dropped.
            tokio::select! {
                biased;
                _ = ask(worker, options.asked()) => {
                    return json!({ "failed": "the answer was there before the question" });
                }
                () = std::future::ready(()) => {}
            }
            listen(worker, options, open).await
        }
        Order::Reopen(options) => {
            let Some(Open { close, served }) = open.remove(&options.name) else {
                return json!({ "failed": "it is not open" });
            };
            close();
            let said = listen(worker, options, open).await;
            // It ends by the close; a panic in it would be a failed test anyway.
            let _ = served.await;
            said
        }
        Order::Close { name } => {
            if let Some(Open { close, served }) = open.remove(&name) {
                close();
                let _ = served.await;
            }
            json!({ "closed": name })
        }
        Order::Chdir { to } => match std::env::set_current_dir(&to) {
            Ok(()) => json!({ "now-in": to }),
            Err(error) => json!({ "failed": error.to_string() }),
        },
    }
}

async fn listen(worker: &Worker, options: Options, open: &mut BTreeMap<String, Open>) -> Value {
    let name = options.name.clone();
    match ask(worker, options.asked()).await {
        Ok(Got::Tcp(listener)) => {
            let at = listener.local_addr().ok();
            open.insert(name.clone(), serve(worker, listener));
            let (ip, port) = (at.map(|at| at.ip().to_string()), at.map(|at| at.port()));
            let text = at.map(|at| at.to_string());
            json!({ "listening": name, "address": ip, "port": port, "text": text })
        }
        Ok(Got::Unix(listener)) => {
            let at = listener.local_addr().ok();
            open.insert(name.clone(), serve(worker, listener));
            let path = at.as_ref().and_then(|at| at.as_pathname());
            json!({ "listening": name, "path": path })
        }
        Err(Error::Listen(error)) => json!({
            "refused": name, "code": error.code(), "errno": error.errno(), "syscall": error.syscall(),
            "address": error.address(), "port": error.port(), "text": error.to_string(),
        }),
        Err(error) => json!({ "failed": error.to_string() }),
    }
}

async fn ask(worker: &Worker, asked: Asked) -> Result<Got> {
    Ok(match asked {
        Asked::Tcp(listen) => Got::Tcp(worker.listen(listen).await?),
        Asked::Unix(listen) => Got::Unix(worker.listen_unix(listen).await?),
    })
}

fn serve<S>(worker: &Worker, listener: Listener<S>) -> Open
where
    S: Connection + AsyncRead + AsyncWrite + Unpin,
{
    let (id, listener) = (worker.id().0, Arc::new(listener));
    let closing = Arc::clone(&listener);
    let served = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, id));
        }
    });
    Open { close: Box::new(move || closing.close()), served }
}

impl Options {
    fn asked(&self) -> Asked {
        let number = |text: &str| text.parse().unwrap_or(-1);
        if let Some(fd) = self.on.strip_prefix("fd:") {
            return Asked::Tcp(self.tcp(Listen::fd(number(fd))));
        }
        if let Some(fd) = self.on.strip_prefix("unix-fd:") {
            return Asked::Unix(ListenUnix::fd(number(fd)).backlog(self.backlog));
        }
        match self.on.strip_prefix("unix:") {
            None => Asked::Tcp(self.tcp(Listen::from(&self.on))),
            Some(path) => {
                let mut listen = ListenUnix::from(path).backlog(self.backlog);
                if self.everybody {
                    listen = listen.readable_all().writable_all();
                }
                Asked::Unix(if self.exclusive { listen.exclusive() } else { listen })
            }
        }
    }

    fn tcp(&self, mut listen: Listen) -> Listen {
        listen = listen.backlog(self.backlog);
        if self.ipv6_only {
            listen = listen.ipv6_only();
        }
        if self.exclusive {
            listen = listen.exclusive();
        }
        if self.reuse_port { listen.reuse_port() } else { listen }
    }
}
