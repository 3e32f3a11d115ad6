//! The part that says of sockets that they did not arrive.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use portcrew_ipc::channel::Incoming;
use portcrew_ipc::handle::{Handle, HandleSocket};
use portcrew_ipc::message::{Packet, UserMessage};
use portcrew_ipc::socket;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::{Value, json};

use crate::join::Rogue;

const NACK: &[u8] = b"{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

/// Refuses the next `count` sockets; the rest it takes, writes to, and tells of, for ever.
pub(crate) async fn refuse(rogue: &mut Rogue, count: usize) -> io::Result<()> {
    let mut types = Vec::new();
    while types.len() < count {
        // By hand: the channel itself acknowledges what it reads.
        let line = read_line(rogue)?;
        let message: Value = serde_json::from_slice(&line)?;
        if message["cmd"] == "NODE_HANDLE" {
            types.push(message["type"].clone());
            let sent = socket::send(rogue.channel.as_fd(), NACK, &[])?;
            assert_eq!(sent, NACK.len(), "an empty channel takes a line");
        }
    }
    while let Some(incoming) = rogue.channel.recv().await {
        if let Incoming::User { message, handle: Some(handle) } = incoming? {
            write_to(handle)?;
            let took: Value = message.json().map_err(io::Error::other)?;
            let told = UserMessage::new(&json!({ "took": took, "refused": types }));
            let told = Packet::User(told.map_err(io::Error::other)?);
            rogue.channel.send(&told, None).await?;
        }
    }
    Ok(())
}

/// The next line, whose sender waits for an answer and has sent nothing behind it. What came with it is closed.
fn read_line(rogue: &Rogue) -> io::Result<Vec<u8>> {
    let channel = rogue.channel.as_fd();
    let (mut line, mut buffer) = (Vec::new(), [0; 4096]);
    while !line.ends_with(b"\n") {
        poll(&mut [PollFd::new(&channel, PollFlags::IN)], None)?;
        let received = socket::recv(channel, &mut buffer)?;
        if received.n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.extend_from_slice(&buffer[..received.n]);
    }
    Ok(line)
}

fn write_to(handle: Handle) -> io::Result<()> {
    match handle.into_socket()? {
        HandleSocket::TcpStream(mut stream) => stream.write_all(b"rogue"),
        other => Err(io::Error::other(format!("no connection: {other:?}"))),
    }
}
