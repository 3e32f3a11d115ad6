//! Node's channel between a parent and a child: one JSON value per line, descriptors beside them.
//!
//! [`Channel`] is the tokio shell round two pure halves: the *inbox* turns frames into [`Incoming`]s and
//! answers handle messages; the *outbox* keeps Node's rule that at most one descriptor is under way. A
//! channel decides nothing: what a message means, and when a misbehaving peer is cut off, is the caller's.

mod inbox;
mod lines;
mod outbox;
mod settings;
mod shell;

pub use inbox::{Incoming, Offence};
pub use outbox::OutgoingHandle;
pub use settings::{ChannelSettings, HANDLE_RETRIES};
pub use shell::{Channel, Drained};
