//! A Rust parent with a Node child: messages both ways, and an accepted connection given away.
//!
//! ```text
//! cargo run -p portcrew-ipc --example rust_parent crates/ipc/examples/node_child.js
//! ```

use std::io::{Error, ErrorKind, Read, Result, Write, stdout};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming, OutgoingHandle};
use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::message::{Inner, Packet, UserMessage};
use portcrew_ipc::spawn::{SpawnSpec, resolve_program, spawn};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let Some(script) = std::env::args_os().nth(1) else {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "usage: rust_parent PATH_OF_NODE_CHILD_JS",
        ));
    };
    let path = std::env::var_os("PATH");
    let node = resolve_program("node".as_ref(), path.as_deref(), Path::new("."))?;
    let spec = SpawnSpec::new(node).args([script]).env(std::env::vars_os());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(talk(&spec))
}

async fn talk(spec: &SpawnSpec) -> Result<()> {
    let mut child = spawn(spec)?;
    let fd = child.channel.take().ok_or(ErrorKind::NotConnected)?;
    let mut channel = Channel::from_fd(fd, ChannelSettings::default())?;
    channel.send(&Packet::from(UserMessage::new(&json!({"hello": "Node"}))?), None).await?;
    let answer = answer(&mut channel).await?;
    writeln!(stdout(), "parent: the child said {answer}")?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let client = tokio::task::spawn_blocking(move || ask(address));
    let (connection, _) = listener.accept()?;
    // Ours is closed as soon as the child has confirmed the arrival of its own.
    let handle = OutgoingHandle { fd: Arc::new(connection.into()), token: 1 };
    let inner = Inner::from(UserMessage::new(&json!({"serve": "this"}))?);
    let packet = Packet::Handle { kind: HandleKind::NetSocket { key: None }, inner };
    channel.send(&packet, Some(handle)).await?;
    answer_to_handle(&mut channel).await?;
    writeln!(stdout(), "parent: the client read {:?}", client.await??)?;

    // Closing the channel is the goodbye: the child gets `disconnect` and ends by itself.
    drop(channel);
    let status = child.process.wait().await?;
    writeln!(stdout(), "parent: the child ended with {:?}", status.code())
}

/// The next message of the child's own code.
async fn answer(channel: &mut Channel) -> Result<Value> {
    while let Some(incoming) = channel.recv().await {
        if let Incoming::User { message, .. } = incoming? {
            return Ok(message.json()?);
        }
    }
    Err(ErrorKind::UnexpectedEof.into())
}

/// Waits for two things in either order: the arrival of the connection, and the child's word that
/// it was served.
async fn answer_to_handle(channel: &mut Channel) -> Result<()> {
    let (mut arrived, mut served) = (false, false);
    while !(arrived && served) {
        match channel.recv().await.ok_or(ErrorKind::UnexpectedEof)?? {
            Incoming::HandleAnswered { received: true, .. } => arrived = true,
            Incoming::User { .. } => served = true,
            other => return Err(Error::other(format!("not expected: {other:?}"))),
        }
    }
    Ok(())
}

fn ask(address: SocketAddr) -> Result<String> {
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"ping")?;
    client.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}
