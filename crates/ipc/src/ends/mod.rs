//! The end of a TCP connection, whoever holds it: the kernel tells, and the program that holds it need not help.
//!
//! [`Ends`] listens to sock_diag(7), which says of every TCP socket of the network namespace when it is destroyed.
//! A socket is known by its [`Cookie`], which is the same for all who hold it: the primary asks for it by [`cookie`]
//! before it gives a connection away, and meets it again in the end. When messages were lost, which the kernel says,
//! a [`Survey`] asks which connections are over. [`tells_of`] says beforehand whether this works for a listener.
//!
//! # When the end is told
//!
//! Once nobody holds the socket *and* the kernel itself is done with it. Copies count, and so does a descriptor that
//! is on its way between two processes: nothing is told while one is left. After the last close:
//!
//! | how it ended | when it is told |
//! |---|---|
//! | the holder closed first | one round trip later: the other end's kernel has acknowledged all; not after TIME_WAIT |
//! | the other end closed first, then the holder | the same |
//! | the holder reset it (linger 0), or closed with bytes unread | at once |
//! | the other end had reset it | at once |
//! | the other end does not read what was written | when it reads |
//! | the other end is gone without a word | when the kernel gives up sending: minutes (`tcp_orphan_retries`, tcp(7)) |
//!
//! In the first row, an acknowledgement that meets the last instructions of the close delays the end until the other
//! end closes too, or for `tcp_fin_timeout` (60 s). It happens to clients near by that keep their half open: to 5 of
//! 80,000 on the same, busy machine with two CPUs. Shutting down, in whichever direction, tells nothing, nor does a
//! reset by the other end, as long as somebody holds the socket. A message takes a moment (a work queue of the
//! kernel), and two may arrive in another order than the closes happened.
//!
//! A [`Survey`] knows the holders alone: for it a connection is over at its last close, whatever the kernel still has
//! to send; and as soon as the other end has reset it, though somebody holds it.
//!
//! # What is never told
//!
//! Sockets of another network namespace and of other protocols ([`tells_of`] knows). A holder that makes another
//! connection of the very socket that it was given (`connect` with `AF_UNSPEC`) changes its local port, maybe to none
//! of those that were named. A kernel without memory may drop a message without a word. So a count that must be right
//! for ever is put right now and then by a survey, in a quiet moment.
//!
//! # What it costs
//!
//! While an [`Ends`] is open, the kernel makes a message for each TCP socket of the namespace that ends, whatever its
//! port: a few microseconds. Of these it puts those into the buffer whose ports were named, and only they cost the
//! reader something, less than one microsecond each.
//!
//! ```
//! use std::future::poll_fn;
//! use std::net::{TcpListener, TcpStream};
//! use std::os::fd::AsFd;
//!
//! use portcrew_ipc::ends::{Ends, News, cookie};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let mut ends = Ends::open()?;
//! ends.set_ports(&[listener.local_addr()?.port()])?;
//!
//! let client = TcpStream::connect(listener.local_addr()?)?;
//! let (connection, _) = listener.accept()?;
//! let known = cookie(connection.as_fd())?;
//! let elsewhere = connection.try_clone()?; // As another process would hold it.
//! drop((client, connection)); // Nothing is told yet.
//! drop(elsewhere);
//!
//! let mut ended = Vec::new();
//! while ended.is_empty() {
//!     assert_eq!(poll_fn(|cx| ends.poll_next(cx, &mut ended)).await?, News::Ended);
//! }
//! assert_eq!(ended, [known]);
//! # Ok(())
//! # }
//! ```

mod cookie;
mod error;
mod filter;
mod layout;
mod netlink;
mod parse;
mod question;
mod request;
mod stream;
mod survey;
mod watch;

pub use cookie::{Cookie, cookie};
pub use error::{EndsError, EndsPart};
pub use filter::FILTERED_PORTS;
pub use netlink::RECEIVE_BYTES;
pub use question::tells_of;
pub use stream::{Ends, MESSAGES_PER_POLL, News};
pub use survey::Survey;
