//! The commands.

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use portcrew::{Signal, WorkerHandle, WorkerId};
use portcrew_testkit::fixture::{Bound, tell};
use serde_json::{Value, json};

use crate::{Fixture, report, settings};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

impl Fixture {
    pub(crate) async fn obey(&mut self, line: &str) -> Outcome {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = rest.splitn(3, ' ').filter(|word| !word.is_empty());
        let mut word = || words.next().ok_or("a word is missing");
        match command {
            "fork" => self.fork(rest).await?,
            "program" => {
                let mut words = rest.split(' ').map(Into::into);
                self.cluster.setup(settings(words.next().unwrap_or_default(), words))?;
            }
            "disconnect" if rest.is_empty() => {
                self.cluster.disconnect().await;
                tell("disconnected", &json!({}));
            }
            "disconnect" => self.worker(rest)?.disconnect(),
            "kill" => self.worker(word()?)?.kill(signal(word()?)?),
            "start" => self.cluster.start(rest.parse()?)?,
            "scale" => self.cluster.scale(rest.parse()?)?,
            "reload" => self.cluster.reload()?,
            "stop" => self.cluster.stop()?,
            "stop-now" => self.cluster.stop_now()?,
            "send" => {
                let (id, json) = rest.split_once(' ').ok_or("send ID JSON")?;
                self.worker(id)?.send(&serde_json::from_str::<Value>(json)?)?;
            }
            "broadcast" => {
                let sent = self.cluster.broadcast(&serde_json::from_str::<Value>(rest)?)?;
                tell("broadcast", &json!({ "sent": sent }));
            }
            "give" => give(self.worker(word()?)?, word()?)?,
            "crowd" => crowd(&self.worker(word()?)?, word()?.parse()?, word()?.parse()?)?,
            "ask" => {
                let (worker, limit) = (self.worker(word()?)?, word()?.parse()?);
                let question = serde_json::from_str(word()?)?;
                // Not awaited here: events go on meanwhile.
                tokio::spawn(ask(worker, Duration::from_millis(limit), question));
            }
            "hold" => self.hold(rest)?,
            "drop-held" => {
                self.held.clear();
                tell("dropped", &json!({}));
            }
            "state" => tell("state", &report::states(&self.known)),
            "snapshot" => tell("snapshot", &report::counts(&self.cluster.snapshot().await?)),
            _ => return Err("no such command".into()),
        }
        Ok(())
    }

    async fn fork(&mut self, words: &str) -> Outcome {
        let mut words = words.split(' ').filter(|word| !word.is_empty()).peekable();
        let count = match words.peek().and_then(|word| word.parse().ok()) {
            Some(count) => {
                words.next();
                count
            }
            None => 1,
        };
        let env: Vec<_> = words.filter_map(|word| word.split_once('=')).collect();
        for _ in 0..count {
            self.cluster.fork_with(env.clone()).await?;
        }
        Ok(())
    }

    fn hold(&mut self, what: &str) -> Outcome {
        let fd: OwnedFd = match what {
            "tcp" => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.into(),
            "udp" => UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.into(),
            "file" => std::fs::File::open("/dev/null")?.into(),
            path => {
                let path = path.strip_prefix("unix:").ok_or("hold what?")?;
                std::os::unix::net::UnixListener::bind(path)?.into()
            }
        };
        tell("held", &json!({ "fd": fd.as_raw_fd() }));
        self.held.push(fd);
        Ok(())
    }

    /// Also one that has gone: its handle outlives it.
    fn worker(&self, id: &str) -> Outcome<WorkerHandle> {
        let known = self.known.get(&WorkerId(id.parse()?));
        Ok(known.ok_or("no such worker")?.clone())
    }
}

/// Sends a socket to a worker. A stream goes when its client has come.
fn give(worker: WorkerHandle, kind: &str) -> Outcome {
    let (address, bound) = Bound::new(kind.parse()?)?;
    tell("given", &json!({ "worker": worker.id().0, "kind": kind, "address": address }));
    std::thread::spawn(move || {
        let sent = bound
            .handle()
            .map_err(Into::into)
            .and_then(|handle| worker.send_with(&json!("given"), handle));
        if let Err(error) = sent {
            tell("failed", &json!({ "command": "give", "error": report::chain(&error) }));
        }
    });
    Ok(())
}

/// Sends a worker so many sockets at once, each with so many bytes of text.
fn crowd(worker: &WorkerHandle, count: usize, bytes: usize) -> Outcome {
    let text = "x".repeat(bytes);
    for _ in 0..count {
        let (_, sent) = UnixStream::pair()?;
        worker.send_with(&text, sent)?;
    }
    tell("crowd", &json!({ "sent": count }));
    Ok(())
}

async fn ask(worker: WorkerHandle, limit: Duration, question: Value) {
    let id = worker.id().0;
    match worker.request::<_, Value>(&question, limit).await {
        Ok(body) => tell("answer", &json!({ "worker": id, "body": body })),
        Err(error) => tell("no-answer", &json!({ "worker": id, "error": format!("{error:?}") })),
    }
}

fn signal(name: &str) -> Outcome<Signal> {
    Ok(match name {
        "SIGKILL" => Signal::Kill,
        "SIGTERM" => Signal::Terminate,
        "SIGINT" => Signal::Interrupt,
        "SIGHUP" => Signal::Hangup,
        "SIGUSR1" => Signal::User1,
        "SIGUSR2" => Signal::User2,
        number => Signal::Other(number.parse()?),
    })
}
