//! What the kernel knows about a connection: whether anybody has read from it or written to it, and
//! how many wait at a listening socket.
//!
//! A connection that a dead worker held may be given to another one only if nothing happened to it.
//! [`prove`] is that proof; [`figures`] are its numbers. Verified on Linux:
//!
//! | connection | received | inq | sent | notsent | verdict |
//! |---|---|---|---|---|---|
//! | fresh | 0 | 0 | 0 | 0 | untouched |
//! | 46 bytes unread | 46 | 46 | 0 | 0 | untouched |
//! | 46 unread, then the end (FIN) | 47 | 46 | 0 | 0 | untouched |
//! | the end alone | 1 | 0 | 0 | 0 | untouched |
//! | 5 of 11 bytes read | 11 | 6 | 0 | 0 | touched |
//! | looked at by `MSG_PEEK` | 11 | 11 | 0 | 0 | untouched |
//! | discarded by `MSG_TRUNC` | 11 | 0 | 0 | 0 | touched |
//! | data in the SYN (fast open) | as many | as many | 0 | 0 | untouched |
//! | corked write of 17 bytes | 0 | 0 | 0 | 17 | touched |
//! | reset by the peer | any | any | any | any | peer gone |

mod info;
mod proof;

pub use info::{Figures, Queue, TcpState, accept_queue, dropped, figures, since_last_ack, waiting};
pub use proof::{Proof, judge, prove};
