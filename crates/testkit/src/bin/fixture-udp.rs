//! A worker with UDP sockets: it binds and closes them as messages say, and each answers every datagram.
//!
//! `ADDRESS`: where the socket `first` is bound at the start. An answer is `worker N NAME`. Messages:
//!
//! ```text
//! {"op":"bind","name":N,"address":A,"fd":F,"options":[O…],"quota":Q}    {"bound":N,"address":A} or {"refused":N,"errno":E}
//! {"op":"abandon","address":A}                                         asks, and gives up at once; {"abandoned":A}
//! {"op":"close","name":N}                                              {"ended":N}, as at every end of a socket
//! ```
//!
//! `fd` stands in place of `address`. Options: `reuse_address`, `ipv6_only`, `reuse_port`, `exclusive`. After `quota`
//! answers the socket is closed.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use portcrew::{BindUdp, Cluster, Error, Received, UdpSocket, Worker};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Order {
    Bind(Bind),
    Abandon { address: String },
    Close { name: String },
}

#[derive(Deserialize)]
struct Bind {
    name: String,
    #[serde(default)]
    address: String,
    fd: Option<i32>,
    #[serde(default)]
    options: Vec<String>,
    quota: Option<u64>,
}

/// The worker and what it has bound.
struct Fixture {
    worker: Worker,
    sockets: BTreeMap<String, Arc<UdpSocket>>,
    answering: JoinSet<()>,
}

fn main() -> portcrew::Result<()> {
    Cluster::builder().run(async |worker: Worker| {
        let mut fixture = Fixture { worker, sockets: BTreeMap::new(), answering: JoinSet::new() };
        if let Ok(address) = std::env::var("ADDRESS") {
            let name = "first".to_owned();
            fixture.bind(Bind { name, address, fd: None, options: vec![], quota: None }).await;
        }
        let draining = fixture.worker.draining();
        loop {
            tokio::select! {
                received = fixture.worker.recv() => match received {
                    Some(received) => fixture.obey(received).await,
                    None => break,
                },
                () = draining.clone() => break,
            }
        }
        while fixture.answering.join_next().await.is_some() {}
        Ok::<_, Error>(())
    })
}

impl Fixture {
    async fn obey(&mut self, received: Received) {
        let Received::Message { message, .. } = received else { return };
        match message.json::<Order>() {
            Ok(Order::Bind(bind)) => self.bind(bind).await,
            Ok(Order::Abandon { address }) => {
                {
                    let mut asking = pin!(self.worker.bind_udp(&address));
                    // Once, so that the question is asked.
                    poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx).is_pending())).await;
                }
                say(&self.worker, &json!({ "abandoned": address }));
            }
            Ok(Order::Close { name }) => drop(self.sockets.remove(&name).map(|it| it.close())),
            Err(error) => say(&self.worker, &json!({ "misunderstood": error.to_string() })),
        }
    }

    async fn bind(&mut self, bind: Bind) {
        let mut asked = match bind.fd {
            Some(fd) => BindUdp::fd(fd),
            None => BindUdp::from(&bind.address),
        };
        for option in &bind.options {
            asked = match option.as_str() {
                "reuse_address" => asked.reuse_address(),
                "ipv6_only" => asked.ipv6_only(),
                "reuse_port" => asked.reuse_port(),
                _ => asked.exclusive(),
            };
        }
        let (name, worker) = (bind.name, self.worker.clone());
        let socket = match worker.bind_udp(asked).await {
            Ok(socket) => Arc::new(socket),
            Err(Error::Listen(error)) => {
                return say(&worker, &json!({ "refused": name, "errno": error.errno() }));
            }
            Err(error) => {
                return say(&worker, &json!({ "refused": name, "error": error.to_string() }));
            }
        };
        // The address is known: the primary was told it too.
        let address = socket.local_addr().ok();
        say(&worker, &json!({ "bound": name, "address": address }));
        self.sockets.insert(name.clone(), Arc::clone(&socket));
        self.answering.spawn(async move {
            answer(&worker, &name, &socket, bind.quota).await;
            socket.close();
            drop(socket);
            say(&worker, &json!({ "ended": name }));
        });
    }
}

async fn answer(worker: &Worker, name: &str, socket: &UdpSocket, quota: Option<u64>) {
    let mut datagram = [0; 64];
    let mut answered = 0;
    while Some(answered) != quota {
        let Ok((_, client)) = socket.recv_from(&mut datagram).await else { return };
        answered += 1;
        let answer = format!("worker {} {name}", worker.id());
        // A client that has gone sees nothing, and its test fails by that.
        let _ = socket.send_to(answer.as_bytes(), client).await;
    }
}

fn say(worker: &Worker, value: &Value) {
    // Without a primary there is nobody to tell.
    let _ = worker.send(value);
}
