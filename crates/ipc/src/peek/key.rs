//! Which part of a request names the session.

use std::error::Error;
use std::fmt;

use super::http::is_token;
use super::values::{cookie, query};

/// A named part of an HTTP request, by whose value connections belong together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    place: Place,
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Cookie,
    Header,
    Query,
}

/// A name that no request can have. The caller's fault: it was configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKeyName {
    what: &'static str,
    name: String,
}

impl Key {
    /// The cookie of this name, upper and lower case being different (RFC 6265, 4.1.1).
    ///
    /// # Errors
    /// The name is empty, or has a character that no name of a cookie can have.
    pub fn cookie(name: &str) -> Result<Self, BadKeyName> {
        Self::new(Place::Cookie, name)
    }

    /// The header of this name, upper and lower case being the same (RFC 9110, 5.1).
    ///
    /// # Errors
    /// The name is empty, or has a character that no name of a header can have.
    pub fn header(name: &str) -> Result<Self, BadKeyName> {
        Self::new(Place::Header, name)
    }

    /// The parameter of this name in the query of the request's target, upper and lower case being
    /// different. It is compared as it is on the wire, so a name that clients encode is to be given encoded.
    ///
    /// # Errors
    /// The name is empty, or has a character that cannot stand in the name of a parameter.
    pub fn query(name: &str) -> Result<Self, BadKeyName> {
        Self::new(Place::Query, name)
    }

    fn new(place: Place, name: &str) -> Result<Self, BadKeyName> {
        let name = name.to_owned();
        if name.is_empty() || !name.bytes().all(|byte| place.allows(byte)) {
            return Err(BadKeyName { what: place.word(), name });
        }
        Ok(Self { place, name })
    }

    /// The value in the target, where it is sought there. `None` when it may stand in a header.
    pub(super) fn in_target<'a>(&self, target: &'a [u8]) -> Option<Option<&'a [u8]>> {
        match self.place {
            Place::Query => Some(query(target, self.name.as_bytes())),
            Place::Cookie | Place::Header => None,
        }
    }

    /// The value in this header.
    pub(super) fn in_header<'a>(&self, name: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
        match self.place {
            Place::Cookie if name.eq_ignore_ascii_case(b"cookie") => {
                cookie(value, self.name.as_bytes())
            }
            Place::Header if name.eq_ignore_ascii_case(self.name.as_bytes()) => {
                Some(value).filter(|value| !value.is_empty())
            }
            // Another header; and a query never stands in one.
            Place::Cookie | Place::Header | Place::Query => None,
        }
    }
}

impl Place {
    const fn word(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Header => "header",
            Self::Query => "query parameter",
        }
    }

    fn allows(self, byte: u8) -> bool {
        match self {
            Self::Cookie | Self::Header => is_token(byte),
            // `&` and `=` end a name, `#` ends the query.
            Self::Query => byte.is_ascii_graphic() && !b"&=#".contains(&byte),
        }
    }
}

impl fmt::Display for BadKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} can have the name {:?}", self.what, self.name)
    }
}

impl Error for BadKeyName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_occur_is_refused_with_the_name() {
        for name in ["", "a b", "a;b", "a=b", "a,b", "ä", "a\r"] {
            assert!(Key::cookie(name).is_err(), "{name:?}");
            assert!(Key::header(name).is_err(), "{name:?}");
        }
        for name in ["", "a b", "a=b", "a&b", "a#b", "ä"] {
            assert!(Key::query(name).is_err(), "{name:?}");
        }
        let error = Key::header("x y").unwrap_err();
        assert_eq!(error.to_string(), "no header can have the name \"x y\"");
    }

    #[test]
    fn the_names_that_people_use_are_allowed() {
        for name in ["connect.sid", "__Host-session", "JSESSIONID", "x-user-id"] {
            assert!(Key::cookie(name).is_ok() && Key::header(name).is_ok(), "{name}");
        }
        for name in ["sid", "user[id]", "a%20b", "a;b"] {
            assert!(Key::query(name).is_ok(), "{name}");
        }
    }
}
