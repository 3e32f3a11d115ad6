//! Descriptors that travel with messages: what the message says they are, and what they really are.
//!
//! A peer can attach any descriptor to any message. Before one becomes a socket of std the kernel is asked
//! for its family, type and state; nothing is ever read from or written to it here.

mod kind;
mod nature;
mod socket;

#[cfg(test)]
mod tests;

pub use kind::{DgramType, HandleKind};
pub use socket::{Handle, HandleSocket};
