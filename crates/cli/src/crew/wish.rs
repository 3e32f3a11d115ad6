//! The crew that a command wants.

use portcrew::{Role, Settings};

use super::desk::{About, Announce};
use crate::control::Claim;
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
    /// Do the duties of process 1, also where it is another.
    pub(crate) init: bool,
    /// What this process is itself. A worker of a crew above leads its own crew, and leaves when it is told to.
    pub(crate) role: Role,
    pub(crate) control: Control,
}

/// How the crew is seen and steered from elsewhere.
#[derive(Debug)]
pub(crate) struct Control {
    /// The name and the socket; `None` for a crew that has none.
    pub(crate) claim: Option<Claim>,
    /// Whom to tell that the crew is ready.
    pub(crate) announce: Option<Announce>,
    pub(crate) about: About,
}

/// Whose crew it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user's program.
    Run,
    /// The built-in server.
    Demo,
}
