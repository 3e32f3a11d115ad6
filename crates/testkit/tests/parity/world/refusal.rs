//! What a worker has to say about a `listen` that failed: the fields of Node's `error` event.

use portcrew::Error;
use serde_json::{Value, json};

/// The same of a Rust worker as `refusal` is of a Node worker.
///
/// # Panics
/// When the error is another.
pub(crate) fn refusal(error: Error) -> Value {
    let Error::Listen { address, source } = error else { panic!("it is another error: {error}") };
    let errno = source.raw_os_error().expect("the system's");
    let code = match errno {
        98 => "EADDRINUSE",
        13 => "EACCES",
        _ => "?",
    };
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse::<u16>().ok()),
        None => (address, None),
    };
    json!({ "code": code, "errno": -errno, "syscall": "bind", "address": host, "port": port })
}

/// What it must be. The error's name stands for its number too.
///
/// # Panics
/// When no row has such an error yet.
pub(crate) fn refused(code: &str, address: &str, port: Option<u16>) -> Value {
    let errno = match code {
        "EADDRINUSE" => rustix::io::Errno::ADDRINUSE,
        "EACCES" => rustix::io::Errno::ACCESS,
        other => panic!("{other}: no number is known"),
    };
    let errno = -errno.raw_os_error();
    json!({ "code": code, "errno": errno, "syscall": "bind", "address": address, "port": port })
}
