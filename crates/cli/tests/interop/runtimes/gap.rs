//! What a runtime was seen to do in place of what was asked.

/// Each is seen by an event, and none by waiting in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Each worker binds by itself and says so: the primary has no part in it.
    SelfBound,
    /// Each worker binds by itself and says nothing.
    Unannounced,
    /// Only the first worker gets the address.
    OneWorkerOnly,
    /// It has what it should be refused.
    Allowed,
    /// It dies of it.
    Dies,
    /// It goes on listening when it was told to leave, until a signal ends it.
    NeedsSignal,
    /// It lives on.
    Orphan,
    /// It does not know the option.
    NoSuchOption,
    /// It does, and does not tell its program.
    NoEvent,
    /// It takes the shared socket and listens on another port.
    ListensElsewhere,
    /// It cannot be this at all; not run.
    NotAttempted,
}
