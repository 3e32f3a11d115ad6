//! How a program learns which sockets it was started with: by systemd's protocol, by einhorn's, and by a plain number in
//! an argument or a variable.
//!
//! `LISTEN_FDS` and its companions belong to the start itself (`ipc::spawn`): only there is the child's pid known.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::Arc;

use portcrew_ipc::spawn::SpawnSpec;

use super::Signal;
use crate::net::activation::UNKNOWN;
use crate::{Error, Result};

/// The number of the first in a worker; the others follow.
pub(super) const FIRST: usize = 3;

/// What a placeholder in an argument begins with.
const BEGIN: &[u8] = b"{fd";

/// Variables of this process that would describe descriptors which its workers do not have.
pub(super) const OF_DESCRIPTORS: [&str; 2] = ["PORTCREW_FD_", "EINHORN_"];

/// One socket that a worker is started with.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) name: Option<String>,
    /// Einhorn's word for its family.
    pub(super) family: &'static str,
    pub(super) socket: Arc<OwnedFd>,
}

/// Whether an argument has a placeholder, as `{fd}`, that stands for the number of a socket.
#[must_use]
pub fn names_a_socket(argument: &OsStr) -> bool {
    Places::of(argument.as_bytes()).next().is_some()
}

/// The arguments with the numbers in place of their placeholders.
///
/// # Errors
///
/// One of them stands for a socket that is not there.
pub(super) fn filled(args: &[OsString], given: &[Given]) -> Result<Vec<OsString>> {
    args.iter().map(|arg| fill(arg, given)).collect()
}

/// What to start a worker with besides: its sockets, and that it ends with this process, who knows no other way.
///
/// By SIGKILL, which no program can ignore and no handler can hang in: nobody is left to follow up a kinder signal, and
/// what stays keeps the address of its successor.
pub(super) fn give(mut spec: SpawnSpec, given: &[Given]) -> SpawnSpec {
    spec = spec.channel(false).lane(false);
    spec.worker_id = None;
    spec.listeners = given.iter().map(|it| Arc::clone(&it.socket)).collect();
    let name = |it: &Given| it.name.clone().unwrap_or_else(|| UNKNOWN.to_owned());
    // Where nobody has a name there is nothing to say.
    let is_named = given.iter().any(|it| it.name.is_some());
    spec.listener_names = if is_named { given.iter().map(name).collect() } else { Vec::new() };
    spec.parent_death_signal = Some(Signal::Kill.number());
    spec
}

/// Their numbers in variables: einhorn's, also in its first form (EINHORN_FDS), and ours.
pub(super) fn variables(given: &[Given]) -> Vec<(OsString, OsString)> {
    if given.is_empty() {
        return Vec::new();
    }
    let numbers: Vec<_> = (FIRST..).take(given.len()).map(|fd| fd.to_string()).collect();
    let mut all = vec![
        // By this a program knows that the others are meant for it: it is its parent's.
        ("EINHORN_MASTER_PID".to_owned(), std::process::id().to_string()),
        ("EINHORN_FD_COUNT".to_owned(), given.len().to_string()),
        ("EINHORN_FDS".to_owned(), numbers.join(" ")),
    ];
    for (at, (number, it)) in numbers.into_iter().zip(given).enumerate() {
        all.push((format!("EINHORN_FD_FAMILY_{at}"), it.family.to_owned()));
        all.push((format!("EINHORN_FD_{at}"), number.clone()));
        all.push((format!("PORTCREW_FD_{at}"), number));
    }
    all.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn fill(argument: &OsStr, given: &[Given]) -> Result<OsString> {
    let bytes = argument.as_bytes();
    let (mut out, mut copied) = (Vec::with_capacity(bytes.len()), 0);
    for Place { begin, end, which } in Places::of(bytes) {
        let at = which.find(given).ok_or_else(|| Error::Argument {
            argument: argument.to_string_lossy().into_owned(),
            reason: "there is no such socket to listen on; `{fd}` is the first, `{fd0}`, `{fd1}` are those by their \
                     order, `{fd:NAME}` is that of a name",
        })?;
        out.extend_from_slice(&bytes[copied..begin]);
        out.extend_from_slice((FIRST + at).to_string().as_bytes());
        copied = end;
    }
    out.extend_from_slice(&bytes[copied..]);
    Ok(OsString::from_vec(out))
}

/// A placeholder, and which socket it stands for.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    begin: usize,
    end: usize,
    which: Which<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Which<'a> {
    /// By its place, from 0.
    At(usize),
    Named(&'a [u8]),
}

impl Which<'_> {
    fn find(&self, given: &[Given]) -> Option<usize> {
        match self {
            Self::At(at) => (*at < given.len()).then_some(*at),
            Self::Named(name) => given
                .iter()
                .position(|it| it.name.as_ref().is_some_and(|it| it.as_bytes() == *name)),
        }
    }
}

/// The placeholders of one argument, from left to right. What only looks like one is text.
struct Places<'a> {
    bytes: &'a [u8],
    from: usize,
}

impl<'a> Places<'a> {
    const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, from: 0 }
    }
}

impl<'a> Iterator for Places<'a> {
    type Item = Place<'a>;

    fn next(&mut self) -> Option<Place<'a>> {
        loop {
            let rest = self.bytes.get(self.from..)?;
            let begin = self.from + rest.windows(BEGIN.len()).position(|it| it == BEGIN)?;
            let inside = begin + BEGIN.len();
            let end = inside + self.bytes[inside..].iter().position(|it| *it == b'}')?;
            self.from = inside;
            if let Some(which) = which(&self.bytes[inside..end]) {
                self.from = end + 1;
                return Some(Place { begin, end: end + 1, which });
            }
        }
    }
}

/// What stands between `{fd` and `}`.
fn which(text: &[u8]) -> Option<Which<'_>> {
    match text {
        [] => Some(Which::At(0)),
        [b':', name @ ..] if !name.is_empty() => Some(Which::Named(name)),
        digits if digits.iter().all(u8::is_ascii_digit) => {
            // One that is too large for a number is no socket's either.
            let number = std::str::from_utf8(digits).ok()?.parse().unwrap_or(usize::MAX);
            Some(Which::At(number))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sockets with these names; `-` is none.
    fn given(names: &[&str]) -> Vec<Given> {
        let one = |name: &&str| Given {
            name: (*name != "-").then(|| (*name).to_owned()),
            family: "AF_INET",
            socket: Arc::new(std::net::TcpListener::bind("127.0.0.1:0").unwrap().into()),
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn placeholders_become_the_numbers_of_their_sockets() {
        let given = given(&["-", "web", "admin", "web"]);
        for (argument, expected) in [
            ("{fd}", "3"),
            ("--fd={fd}", "--fd=3"),
            ("fd://{fd0},fd://{fd1}/{fd}", "fd://3,fd://4/3"),
            ("{fd:admin}", "5"),
            ("{fd:web}", "4"),
            ("{fd003}", "6"),
            ("plain", "plain"),
            // None of ours.
            ("{}{fdx}{fd 1}{fd:}{ fd}{FD}{fd", "{}{fdx}{fd 1}{fd:}{ fd}{FD}{fd"),
            ("{fd{fd}}", "{fd3}"),
        ] {
            assert_eq!(fill(argument.as_ref(), &given).unwrap(), expected, "{argument}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay_what_they_are() {
        let argument = OsStr::from_bytes(b"\xff{fd}\xfe");
        assert_eq!(fill(argument, &given(&["-"])).unwrap(), OsStr::from_bytes(b"\xff3\xfe"));
    }

    #[test]
    fn one_that_stands_for_nothing_is_an_error_that_names_its_argument() {
        for argument in ["{fd1}", "--admin={fd:admin}", "{fd99999999999999999999999}"] {
            assert!(names_a_socket(argument.as_ref()));
            let error = fill(argument.as_ref(), &given(&["-"])).unwrap_err().to_string();
            assert!(error.contains(argument) && error.contains("`{fd:NAME}`"), "{error}");
        }
        assert!(!names_a_socket("{fdx}".as_ref()));
    }

    #[test]
    fn the_variables_are_einhorns_and_ours() {
        let told = variables(&given(&["-", "web"]));
        let value =
            |name: &str| told.iter().find(|(it, _)| it == name).map(|(_, it)| it.to_str().unwrap());
        assert_eq!(value("EINHORN_FD_COUNT"), Some("2"));
        assert_eq!(value("EINHORN_FDS"), Some("3 4"));
        assert_eq!((value("EINHORN_FD_1"), value("PORTCREW_FD_1")), (Some("4"), Some("4")));
        assert_eq!(value("EINHORN_FD_FAMILY_0"), Some("AF_INET"));
        assert_eq!(value("EINHORN_MASTER_PID").unwrap(), std::process::id().to_string());
        assert_eq!(variables(&[]), []);
    }
}
