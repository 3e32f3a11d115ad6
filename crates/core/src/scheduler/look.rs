//! What is looked for in a connection's first bytes.

/// What is looked for before a worker is chosen. The bytes stay where they are (MSG_PEEK): the worker reads
/// them all, a PROXY header too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Look {
    /// A header of the PROXY protocol, version 1 or 2, which names the client behind a proxy. Believe it only
    /// where nobody but the proxy can connect.
    pub proxy: bool,
    /// A value in the head of the first HTTP request.
    pub value: Option<LookFor>,
}

/// A value in the head of an HTTP/1 request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LookFor {
    /// The cookie of this name. Names of cookies are case-sensitive.
    Cookie(String),
    /// The header of this name.
    Header(String),
    /// The parameter of this name in the query of the request's target.
    Query(String),
}

impl Look {
    /// For nothing: set what is wanted.
    pub const NOTHING: Self = Self { proxy: false, value: None };

    /// Whether there is anything to look for.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        !self.proxy && self.value.is_none()
    }
}
