//! The child's side of the environment contract: taking over the channel that a parent left.
//!
//! [`claim`] belongs at the top of `main`, before any thread: it changes the environment, which is
//! sound only while no other thread can read it, and it takes descriptors by number, which is right
//! only before anything else is opened.

mod adopt;
mod claim;
mod error;

pub use claim::{Inherited, claim};
pub use error::InheritError;
