//! For threaded servers: the worker and its listener without an asynchronous function.
//!
//! A thread in the background drives the channel. Everything means the same as in the asynchronous
//! [`Worker`](crate::Worker) and [`Listener`](crate::Listener).
//!
//! ```no_run
//! use std::io::Write;
//!
//! # fn example(worker: portcrew::Worker) -> portcrew::Result<()> {
//! let worker = portcrew::blocking::Worker::new(worker)?;
//! let listener = worker.listen("127.0.0.1:8000")?;
//! for stream in listener.incoming() {
//!     let mut stream = stream?;
//!     std::thread::spawn(move || stream.write_all(b"hello\n"));
//! }
//! worker.disconnect();
//! # Ok(())
//! # }
//! ```

mod listener;
mod udp;
mod wait;
mod worker;

pub use listener::{Incoming, Listener, UnixListener};
pub use udp::UdpSocket;
pub use worker::Worker;
