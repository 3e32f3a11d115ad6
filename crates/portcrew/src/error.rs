//! What can go wrong in the library, and whose fault it is.

mod listen;

use std::{error, fmt, io};

pub use listen::ListenError;
use portcrew_ipc::inherit::InheritError;

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the library. It converts into [`io::Error`] where a program wants only that.
///
/// Its `Debug` form is what `fn main() -> portcrew::Result<()>` prints: the sentence with its causes.
#[non_exhaustive]
pub enum Error {
    /// This process could not take the channel that its environment names.
    Claim(InheritError),
    /// A setting that cannot be. Nothing was started.
    Setting {
        /// The field of [`Settings`](crate::Settings).
        setting: &'static str,
        /// Why it cannot be, and what can.
        reason: &'static str,
    },
    /// A worker process could not be started.
    Spawn(portcrew_ipc::spawn::SpawnError),
    /// The path of the running executable could not be found out, so it cannot be started as a worker.
    OwnExecutable(io::Error),
    /// The primary could not give a listener, or the worker could not set it up.
    Listen(ListenError),
    /// The address cannot be read as one.
    Address {
        /// What was given.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A socket that this process was to be started with ([`ListenOn`](crate::ListenOn)) is not there.
    NotPassed {
        /// What was given.
        given: String,
        /// Why it is not there, and what can be done.
        reason: String,
    },
    /// An argument of the program asks for the number of a socket that is not there.
    Argument {
        /// The argument.
        argument: String,
        /// Why not, and what can be done.
        reason: &'static str,
    },
    /// The other end of the channel has gone.
    Disconnected,
    /// No worker has this id now.
    NoSuchWorker(crate::WorkerId),
    /// A message could not be written as JSON, or not be read as the type that was asked for.
    Message(portcrew_ipc::error::MessageError),
    /// More is queued for the other end than the limit allows; it does not read.
    QueueFull,
    /// The other end did not get a socket that was sent to it; the message is lost with it. It is closed here.
    HandleLost {
        /// Which: its kind and addresses.
        handle: String,
        /// How often it was sent.
        tries: u32,
    },
    /// A worker has shut down the socket that all share, on this port. It listens again; who waited there to be
    /// accepted was reset.
    ListenerShut {
        /// The port.
        port: u16,
    },
    /// No answer came within the deadline.
    Deadline,
    /// The system refused a call.
    Io {
        /// What was being done.
        doing: &'static str,
        /// The refusal.
        source: io::Error,
    },
    /// The closure that serves returned this.
    Serve(Box<dyn error::Error + Send + Sync>),
    /// The crew ended otherwise than by being stopped.
    Crew(crate::Outcome),
}

impl Error {
    pub(crate) const fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(InheritError::AlreadyClaimed | InheritError::ThreadsRunning(_)) => write!(
                f,
                "failed to find out this process's role; call role() or run() first thing in a plain fn main"
            ),
            Self::Claim(_) => write!(f, "failed to find out this process's role"),
            Self::Setting { setting, reason } => write!(f, "Settings::{setting}: {reason}"),
            Self::Spawn(_) => write!(f, "failed to start a worker"),
            Self::OwnExecutable(_) => {
                write!(f, "failed to find the running executable; set Settings::exec to name it")
            }
            Self::Listen(error) => fmt::Display::fmt(error, f),
            Self::Address { given, reason } => write!(f, "cannot listen on '{given}': {reason}"),
            Self::NotPassed { given, reason } => write!(f, "cannot listen on '{given}': {reason}"),
            Self::Argument { argument, reason } => write!(f, "the argument '{argument}': {reason}"),
            Self::Disconnected => write!(f, "the other end of the channel has gone"),
            Self::NoSuchWorker(id) => write!(f, "there is no worker {id}"),
            Self::Message(_) => write!(f, "failed to convert a message"),
            Self::QueueFull => {
                write!(f, "too much is queued for the other end of the channel; it does not read")
            }
            Self::HandleLost { handle, tries } => write!(
                f,
                "the other end of the channel did not get {handle}, which was sent {tries} times; it may have \
                 too many descriptors open"
            ),
            Self::ListenerShut { port } => write!(
                f,
                "a worker has shut down a listening socket of port {port} that others have too; it listens again"
            ),
            Self::Deadline => write!(f, "no answer came within the deadline"),
            Self::Io { doing, .. } => write!(f, "failed to {doing}"),
            Self::Serve(_) => write!(f, "failed to serve"),
            Self::Crew(outcome) => write!(f, "the crew ended: {outcome}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut cause = error::Error::source(self);
        while let Some(it) = cause {
            write!(f, ": {it}")?;
            cause = it.source();
        }
        Ok(())
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Claim(source) => Some(source),
            Self::Spawn(source) => Some(source),
            Self::Message(source) => Some(source),
            Self::Serve(source) => Some(&**source),
            Self::OwnExecutable(source) | Self::Io { source, .. } => Some(source),
            // Its sentence has the reason already.
            Self::Listen(_)
            | Self::Setting { .. }
            | Self::Address { .. }
            | Self::NotPassed { .. }
            | Self::Argument { .. }
            | Self::Disconnected
            | Self::NoSuchWorker(_)
            | Self::QueueFull
            | Self::HandleLost { .. }
            | Self::ListenerShut { .. }
            | Self::Deadline
            | Self::Crew(_) => None,
        }
    }
}

impl From<Error> for io::Error {
    /// Keeps the system's own error where there is one, so that `kind()` says EADDRINUSE and friends.
    fn from(error: Error) -> Self {
        match error {
            Error::OwnExecutable(source) | Error::Io { source, .. } => source,
            Error::Listen(error) => error.into(),
            Error::Disconnected => Self::new(io::ErrorKind::NotConnected, error),
            Error::Deadline => Self::new(io::ErrorKind::TimedOut, error),
            Error::Address { .. }
            | Error::NotPassed { .. }
            | Error::Argument { .. }
            | Error::Setting { .. } => Self::new(io::ErrorKind::InvalidInput, error),
            Error::Claim(_)
            | Error::Spawn(_)
            | Error::NoSuchWorker(_)
            | Error::Message(_)
            | Error::QueueFull
            | Error::HandleLost { .. }
            | Error::ListenerShut { .. }
            | Error::Serve(_)
            | Error::Crew(_) => Self::other(error),
        }
    }
}

impl From<io::Error> for Error {
    /// For programs that let `?` carry both.
    fn from(source: io::Error) -> Self {
        Self::Io { doing: "use a socket", source }
    }
}

impl From<portcrew_ipc::error::MessageError> for Error {
    fn from(source: portcrew_ipc::error::MessageError) -> Self {
        Self::Message(source)
    }
}

impl From<ListenError> for Error {
    fn from(error: ListenError) -> Self {
        Self::Listen(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> Error {
        let source = io::Error::from_raw_os_error(98);
        ListenError::unresolved("127.0.0.1:80", "127.0.0.1", 80, source).into()
    }

    #[test]
    fn what_main_prints_names_every_cause() {
        let printed = format!("{:?}", Error::Serve(taken().into()));
        assert!(
            printed.starts_with("failed to serve: failed to listen on 127.0.0.1:80: "),
            "{printed}"
        );
    }

    #[test]
    fn a_taken_port_keeps_its_kind_as_an_io_error() {
        assert_eq!(io::Error::from(taken()).kind(), io::ErrorKind::AddrInUse);
    }
}
