//! Node's IPC channel and descriptor passing for tokio programs, usable alone.
//!
//! This crate carries: it turns bytes and descriptors into messages and back, and decides nothing about
//! them. From pure to real:
//!
//! - [`frame`], [`message`], [`handle`]: the wire format, without a socket.
//! - [`socket`], [`reactor`]: the system calls and the wait for readiness.
//! - [`channel`]: Node's channel between a parent and a child. [`lane`]: the fast path for connections
//!   between two ends that are both ours.
//! - [`mod@spawn`], [`process`], [`exec_helper`]: starting a child with a channel and watching it.
//! - [`strangers`]: children that this process was given, and did not start.
//! - [`inherit`]: the child's side of that. [`contract`]: the variables between the two.
//! - [`probe`]: what the kernel knows about a connection that somebody else held. [`ends`]: when one that somebody
//!   else holds has ended.
//! - [`peek`]: what a connection's first bytes tell, without taking one of them.
//! - [`reuseport`]: which of the sockets on one port gets what is new.
//! - [`account`]: whom a child can run as. [`custody`]: who could lead a path elsewhere.
//! - [`error`]: what can go wrong, and whose fault it is.
//!
//! # Two ends of a channel
//!
//! ```
//! use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
//! use portcrew_ipc::message::UserMessage;
//! use portcrew_ipc::socket::pair_stream;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let (parent, child) = pair_stream()?;
//! let mut parent = Channel::from_fd(parent, ChannelSettings::default())?;
//! let mut child = Channel::from_fd(child, ChannelSettings::default())?;
//!
//! parent.send(&UserMessage::new("hello")?.into(), None).await?;
//! let Some(Ok(Incoming::User { message, .. })) = child.recv().await else {
//!     panic!("the channel ended");
//! };
//! assert_eq!(message.json::<String>()?, "hello");
//! # Ok(())
//! # }
//! ```

pub mod account;
pub mod channel;
pub mod contract;
pub mod custody;
pub mod descriptor;
pub mod ends;
pub mod error;
pub mod exec_helper;
pub mod frame;
pub mod handle;
pub mod inherit;
pub mod lane;
pub mod message;
pub mod peek;
pub mod probe;
pub mod process;
pub mod reactor;
pub mod reuseport;
pub mod socket;
pub mod spawn;
pub mod strangers;
mod unread;
