//! A Rust child of a Node parent: it answers messages, and serves the connections that come with
//! them.
//!
//! ```text
//! cargo build --examples -p portcrew-ipc
//! node crates/ipc/examples/node_parent.js target/debug/examples/rust_child
//! ```

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
use portcrew_ipc::handle::HandleSocket;
use portcrew_ipc::inherit::claim;
use portcrew_ipc::message::{Packet, UserMessage};
use serde_json::{Value, json};

fn main() -> Result<()> {
    // At the top of main, while no other thread runs: the claim clears the environment.
    let Some(inherited) = claim()? else {
        let reason = "no channel: this program is started by a parent, see node_parent.js";
        return Err(Error::new(ErrorKind::NotConnected, reason));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut channel = Channel::from_fd(inherited.channel, ChannelSettings::default())?;
        // `None` is the parent's `disconnect()`.
        while let Some(incoming) = channel.recv().await {
            match incoming? {
                Incoming::User { message, handle: None } => {
                    let got: Value = message.json()?;
                    let answer = json!({"hello": "parent", "from": std::process::id(), "got": got});
                    say(&mut channel, &answer).await?;
                }
                Incoming::User { handle: Some(handle), .. } => {
                    if let HandleSocket::TcpStream(connection) = handle.into_socket()? {
                        serve(connection)?;
                        say(&mut channel, &json!({"served": true})).await?;
                    }
                }
                // Internal messages are the business of clusters and of Node itself.
                _ => (),
            }
        }
        Ok(())
    })
}

async fn say(channel: &mut Channel, value: &Value) -> Result<()> {
    channel.send(&Packet::from(UserMessage::new(value)?), None).await
}

/// One question, one answer. The mode came with the socket from Node, where nothing blocks.
fn serve(mut connection: TcpStream) -> Result<()> {
    connection.set_nonblocking(false)?;
    let mut question = [0; 4];
    connection.read_exact(&mut question)?;
    let question = String::from_utf8_lossy(&question);
    write!(connection, "{question} pong from Rust child {}", std::process::id())
}
