//! Why this system does not tell when connections end.

use std::fmt;
use std::io;

/// A part that the system does not have, or keeps from this process. Nobody misbehaved: where the ends of
/// connections cannot be told, they must be counted in another way.
#[derive(Debug)]
pub struct EndsError {
    part: EndsPart,
    source: io::Error,
}

/// What could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndsPart {
    /// A netlink socket of sock_diag. Some sandboxes have none, others forbid the whole family.
    Socket,
    /// Its filter and its buffer.
    Buffer,
    /// The groups in which the kernel tells of ended connections.
    Groups,
    /// Words about TCP: the kernel's parts inet_diag and tcp_diag, built in or loaded as modules. Without them the
    /// groups can be joined and stay silent for ever.
    Diag,
    /// The runtime's wait for messages.
    Runtime,
}

impl EndsError {
    pub(super) fn new(part: EndsPart, source: impl Into<io::Error>) -> Self {
        Self { part, source: source.into() }
    }

    /// What could not be had.
    #[must_use]
    pub const fn part(&self) -> EndsPart {
        self.part
    }
}

impl fmt::Display for EndsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.part {
            EndsPart::Socket => "there is no netlink socket of sock_diag for this process",
            EndsPart::Buffer => "its netlink socket cannot be arranged",
            EndsPart::Groups => "the groups for ended TCP connections cannot be joined",
            EndsPart::Diag => "the kernel has no word about TCP (modules inet_diag and tcp_diag)",
            EndsPart::Runtime => "the runtime cannot wait for messages",
        };
        let source = &self.source;
        write!(f, "the system does not tell when connections end: {what}: {source}")
    }
}

impl std::error::Error for EndsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<EndsError> for io::Error {
    fn from(error: EndsError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn the_words_say_what_is_missing_and_why() {
        let error = EndsError::new(EndsPart::Diag, Errno::NOENT);
        let words = "the system does not tell when connections end: the kernel has no word about TCP \
                     (modules inet_diag and tcp_diag): No such file or directory (os error 2)";
        assert_eq!(error.to_string(), words);
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
    }
}
