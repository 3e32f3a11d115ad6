//! What a connection's first bytes tell, without taking one of them.
//!
//! Sticky scheduling asks two things before it gives a connection away: who the client is, where a proxy
//! stands before us, and which session it belongs to. Both stand in the first bytes. They are looked at with
//! `MSG_PEEK` alone, so the worker reads every one of them, and [`probe`](crate::probe) goes on proving that
//! nobody has touched the connection.
//!
//! - Pure: [`Look`] says what is looked for and judges a beginning; [`proxy_header`] and [`http_value`] are
//!   its two halves, [`KeyHash`] is what a session becomes.
//! - The system call: [`peek`], and [`Look::at`] for one look.
//! - [`Peeker`]: looks again whenever bytes arrive, until it can tell. It has no deadline: whoever waits for
//!   it has, and takes [`so_far`](Peeker::so_far) then.
//!
//! ```
//! use portcrew_ipc::peek::{Glance, Key, KeyHash, Look};
//!
//! # fn main() -> Result<(), portcrew_ipc::peek::BadKeyName> {
//! let look = Look { proxy: true, key: Some(Key::query("sid")?), ..Look::default() };
//! let start = b"PROXY TCP4 192.0.2.1 192.0.2.9 4711 80\r\nGET /socket.io/?EIO=4&sid=abc HTTP/1.1\r\n";
//! let Glance::Settled(seen) = look.judge(start) else { panic!("all that is asked for is there") };
//! assert_eq!(seen.source, Some(([192, 0, 2, 1], 4711).into()));
//! assert_eq!(seen.key, Some(KeyHash::of(b"abc")));
//! # Ok(())
//! # }
//! ```
//!
//! **A beginning is judged from its start each time.** So an answer depends on the bytes and not on how they
//! were cut, and whoever is told anything but "more is needed" would be told the same of every continuation.
//! One judgement takes time in proportion to the bytes, of which [`Look::room`] is the most.
//!
//! **None of this is a check.** What is seen chooses a worker; the worker reads the same bytes and decides
//! what it believes, refuses or trusts.

mod cursor;
mod hash;
mod http;
mod key;
mod look;
mod peeker;
mod proxy;
mod recv;
mod route;
mod sight;
mod values;

pub use hash::KeyHash;
pub use http::{HEAD_BYTES, http_value};
pub use key::{BadKeyName, Key};
pub use look::{Glance, Look, Seen};
pub use peeker::Peeker;
pub use proxy::{PROXY_BYTES, PROXY_LINE_BYTES, ProxyHeader, proxy_header};
pub use recv::{Peeked, peek};
pub use route::route;
pub use sight::{Missing, Sight};
