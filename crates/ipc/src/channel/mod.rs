//! Node's channel between a parent and a child: one JSON value per line, descriptors beside them.
//!
//! [`Channel`] is the tokio shell round two pure halves: the *inbox* turns frames into [`Incoming`]s and
//! answers handle messages; the *outbox* keeps the order, and Node's rule that one descriptor is under way at
//! a time, with the one exception that its window allows. A channel decides nothing: what a message means, and
//! when a misbehaving peer is cut off, is the caller's.

mod inbox;
mod lines;
mod on_the_way;
mod outbox;
mod settings;
mod shell;

pub use inbox::{Incoming, Offence};
pub use outbox::OutgoingHandle;
pub use settings::{ChannelSettings, HANDLE_RETRIES};
pub use shell::{Channel, Drained};
