//! A UDP server as a crew: the workers receive from one socket, which the primary has bound.
//!
//! `cargo run -p portcrew --example udp_echo`, then `echo hello | nc -u -w1 127.0.0.1 5300`. `PORT` changes the
//! port.

use portcrew::{Cluster, Error, Worker};

fn main() -> portcrew::Result<()> {
    Cluster::builder().run(async |worker: Worker| {
        let port = std::env::var("PORT").unwrap_or_else(|_| "5300".into());
        let socket = worker.bind_udp(format!("127.0.0.1:{port}")).await?;
        let mut datagram = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut datagram).await {
            let mut answer = format!("worker {}: ", worker.id()).into_bytes();
            answer.extend_from_slice(&datagram[..length]);
            // A client that cannot be reached is its own business.
            let _ = socket.send_to(&answer, client).await;
        }
        Ok::<_, Error>(()) // The worker was told to leave.
    })
}
