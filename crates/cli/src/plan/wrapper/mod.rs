//! Seeing through wrappers: `npm start`, `npx x`, `sh -c "node x.js"` and their kind.
//!
//! A wrapper between the primary and the server takes the worker's channel (package managers are Node.js programs
//! themselves) or at least the signals and the exit status (shells). When all it does is to start one plain command,
//! that command is run instead; else a note says what staying between means.

mod call;
mod through;

pub(super) use through::{Seen, see_through};
