//! The parameters of `sticky`, joined by `+`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use portcrew::LookFor;
use portcrew_core::Limits;

use super::nearest::nearest;
use crate::args::span;
use crate::output::words::policies as words;

/// The longest name of a cookie, a header or a parameter of a query, in bytes. A longer one is refused: it is hardly
/// the name of anything, and leaves little of a request's first bytes for a value.
pub(crate) const MAX_VALUE_NAME: usize = 128;

/// What is said of `sticky`. What is not said is as the library has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sticky {
    /// The value by which a client is known.
    pub(crate) by: Option<LookFor>,
    /// A client without the value is dealt with in turn, and not by its address.
    pub(crate) turn: bool,
    /// The header of the PROXY protocol has the client's address.
    pub(crate) proxy: bool,
    /// Leading bits of an IPv4 address, 1 to 32.
    pub(crate) v4: Option<u8>,
    /// Leading bits of an IPv6 address, 1 to 128.
    pub(crate) v6: Option<u8>,
    /// How long a connection waits for its worker.
    pub(crate) wait: Option<Duration>,
}

/// One parameter.
enum Parameter {
    By(LookFor),
    Turn,
    Proxy,
    V4(u8),
    V6(u8),
    Wait(Duration),
}

impl Sticky {
    /// Nothing but the address that the kernel knows tells one client from another.
    pub(crate) const fn is_by_peer(&self) -> bool {
        self.by.is_none() && !self.proxy
    }

    fn set(&mut self, parameter: Parameter) -> Result<(), String> {
        match parameter {
            Parameter::By(_) if self.by.is_some() => return Err(words::two_values()),
            Parameter::By(value) => self.by = Some(value),
            Parameter::Turn if self.turn => return Err(words::parameter_twice("turn")),
            Parameter::Turn => self.turn = true,
            Parameter::Proxy if self.proxy => return Err(words::parameter_twice("proxy")),
            Parameter::Proxy => self.proxy = true,
            Parameter::V4(bits) => put(&mut self.v4, bits, "v4")?,
            Parameter::V6(bits) => put(&mut self.v6, bits, "v6")?,
            Parameter::Wait(time) => put(&mut self.wait, time, "wait")?,
        }
        Ok(())
    }
}

impl FromStr for Sticky {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut sticky = Self::default();
        for parameter in text.split('+') {
            sticky.set(parameter.parse()?)?;
        }
        if sticky.turn && sticky.by.is_none() {
            return Err(words::turn_needs_a_value());
        }
        Ok(sticky)
    }
}

/// As it is written.
impl fmt::Display for Sticky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.by.as_ref().map(|by| match by {
            LookFor::Cookie(name) => format!("cookie:{name}"),
            LookFor::Header(name) => format!("header:{name}"),
            LookFor::Query(name) => format!("query:{name}"),
        });
        let turn = self.turn.then(|| "turn".to_owned());
        let proxy = self.proxy.then(|| "proxy".to_owned());
        let v4 = self.v4.map(|bits| format!("v4:{bits}"));
        let v6 = self.v6.map(|bits| format!("v6:{bits}"));
        let wait = self.wait.map(|time| format!("wait:{}", span::spell(time)));
        let all: Vec<_> = [by, turn, proxy, v4, v6, wait].into_iter().flatten().collect();
        f.write_str(&all.join("+"))
    }
}

impl FromStr for Parameter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, value) = match text.split_once(':') {
            Some((word, value)) => (word, Some(value)),
            None => (text, None),
        };
        Ok(match (word, value) {
            ("", None) => return Err(words::empty_parameter()),
            ("cookie", Some(name)) => Self::By(LookFor::Cookie(token(word, name)?)),
            ("header", Some(name)) => Self::By(LookFor::Header(token(word, name)?)),
            ("query", Some(name)) => Self::By(LookFor::Query(query(name)?)),
            ("turn", None) => Self::Turn,
            ("proxy", None) => Self::Proxy,
            ("turn" | "proxy", Some(_)) => return Err(words::has_no_value(word)),
            ("v4", Some(value)) => Self::V4(bits(text, value, 32)?),
            ("v6", Some(value)) => Self::V6(bits(text, value, 128)?),
            ("wait", Some(value)) => Self::Wait(wait(text, value)?),
            ("cookie" | "header" | "query" | "v4" | "v6" | "wait", None) => {
                return Err(words::needs_value(word));
            }
            (word, _) => {
                let all = ["cookie", "header", "query", "turn", "proxy", "v4", "v6", "wait"];
                return Err(words::unknown_parameter(word, nearest(word, all)));
            }
        })
    }
}

fn put<T>(place: &mut Option<T>, value: T, word: &str) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(words::parameter_twice(word)),
    }
}

/// The name of a cookie (RFC 6265, 4.1.1) or a header (RFC 9110, 5.1): a token (RFC 9110, 5.6.2). Of its characters
/// `+` joins parameters here and cannot be written.
fn token(word: &str, name: &str) -> Result<String, String> {
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*-.^_`|~".contains(&b);
    checked(word, name, is_legal)
}

/// The name of a parameter as it stands in a request's target (RFC 3986, 3.4), percent-encoded where it has to be.
/// `&`, `=` and `+` have a meaning there, `+` and `,` have one here.
fn query(name: &str) -> Result<String, String> {
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~%!$'()*;:@/?".contains(&b);
    checked("query", name, is_legal)
}

fn checked(word: &str, name: &str, is_legal: impl Fn(u8) -> bool) -> Result<String, String> {
    if name.is_empty() {
        Err(words::needs_value(word))
    } else if name.len() > MAX_VALUE_NAME {
        Err(words::name_too_long(word, MAX_VALUE_NAME))
    } else if name.bytes().all(is_legal) {
        Ok(name.to_owned())
    } else {
        Err(words::bad_name(word, name))
    }
}

fn bits(text: &str, value: &str, most: u8) -> Result<u8, String> {
    let number = value.parse().ok().filter(|bits| (1..=most).contains(bits));
    number.ok_or_else(|| words::bad_bits(text, most))
}

/// Shorter than any connection is held: one that waits for so long is closed, and never moves.
fn wait(text: &str, value: &str) -> Result<Duration, String> {
    let time = span::parse(value).map_err(|reason| words::bad_wait(text, &reason))?;
    let most = Limits::default().held_for;
    if time < most { Ok(time) } else { Err(words::wait_too_long(text, most)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Sticky, String> {
        text.parse()
    }

    #[test]
    fn every_parameter_is_understood_in_any_order() {
        let sticky = parse("wait:500ms+v6:56+cookie:sid+turn+proxy+v4:24").unwrap();
        assert!(sticky.turn);
        assert_eq!(sticky.by, Some(LookFor::Cookie("sid".to_owned())));
        assert_eq!((sticky.proxy, sticky.v4, sticky.v6), (true, Some(24), Some(56)));
        assert_eq!(sticky.wait, Some(Duration::from_millis(500)));
        assert!(!sticky.is_by_peer());
        assert!(parse("v4:24+wait:0").unwrap().is_by_peer());
        assert_eq!(parse("query:a%20b").unwrap().by, Some(LookFor::Query("a%20b".to_owned())));
        let header = parse("header:X-Session").unwrap().by;
        assert_eq!(header, Some(LookFor::Header("X-Session".to_owned())));
    }

    #[test]
    fn bounds_are_taken_and_what_is_beyond_them_is_not() {
        for text in ["v4:1", "v4:32", "v6:1", "v6:128", "wait:0", "wait:29999ms"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for (text, reason) in [
            ("v4:0", "`v4:0`: an IPv4 address has 1 to 32 bits"),
            ("v4:33", "`v4:33`: an IPv4 address has 1 to 32 bits"),
            ("v4:x", "`v4:x`: an IPv4 address has 1 to 32 bits"),
            ("v4:", "`v4:`: an IPv4 address has 1 to 32 bits"),
            ("v6:129", "`v6:129`: an IPv6 address has 1 to 128 bits"),
            ("wait:30s", "`wait:30s` is too long"),
            ("wait:soon", "`wait:soon`: give a whole number"),
            ("wait:", "`wait:`: give a whole number"),
            ("wait:48h", "`wait:48h`: at most 24h"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_those_that_a_request_can_have() {
        let long = format!("cookie:{}", "x".repeat(MAX_VALUE_NAME + 1));
        for (text, reason) in [
            ("cookie", "`cookie` needs a name"),
            ("cookie:", "`cookie` needs a name"),
            ("header:", "`header` needs a name"),
            ("query", "`query` needs a name"),
            ("cookie:a b", "`a b` cannot be the name of a cookie"),
            ("cookie:a=b", "`a=b` cannot be"),
            ("cookie:a;b", "`a;b` cannot be"),
            ("cookie:ä", "`ä` cannot be"),
            ("header:X:Y", "`X:Y` cannot be the name of a header"),
            ("header:\u{1b}[31m", "`\\u{1b}[31m` cannot be"),
            ("query:a&b", "`a&b` cannot be the name of a query's parameter"),
            (&long, "at most 128 bytes"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_said_twice_or_is_no_parameter_is_refused() {
        for (text, reason) in [
            ("", "an empty parameter"),
            ("cookie:a++wait:2s", "an empty parameter"),
            ("v4:24+v4:24", "`v4` is given twice"),
            ("proxy+proxy", "`proxy` is given twice"),
            ("wait:1s+v6:64+wait:2s", "`wait` is given twice"),
            ("cookie:a+cookie:b", "by one of cookie, header and query"),
            ("cookie:a+header:b", "by one of cookie, header and query"),
            ("proxy:v2", "`proxy` has no value"),
            ("query:sid+turn:1", "`turn` has no value"),
            ("query:sid+turn+turn", "`turn` is given twice"),
            ("turn+wait:1s", "`turn` is about clients without a value"),
            ("cokie:sid", "sticky has no parameter `cokie`. Did you mean `cookie`?"),
            ("sid", "sticky has no parameter `sid`. It has cookie:NAME"),
            (":sid", "sticky has no parameter ``"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
