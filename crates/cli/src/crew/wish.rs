//! The crew that a command wants.

use portcrew::{Role, Settings};

use crate::plan::Policies;

/// A crew as it is to be started.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// At least 1.
    pub(crate) workers: usize,
    pub(crate) settings: Settings,
    /// What the settings say of policies, in the words of the command.
    pub(crate) policies: Policies,
    /// Say who gets which connection and why.
    pub(crate) explain: bool,
    /// What to say once before the start.
    pub(crate) notes: Vec<String>,
    /// What this process is itself. A worker of a crew above leads its own crew, and leaves when it is told to.
    pub(crate) role: Role,
}

/// Whose crew it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user's program.
    Run,
    /// The built-in server.
    Demo,
}
