//! What a worker has to say about a `listen` that failed: the fields of Node's `error` event.

use portcrew::Error;
use serde_json::{Value, json};

/// The same of a Rust worker as `refusal` is of a Node worker.
///
/// # Panics
/// When the error is another.
pub(crate) fn refusal(error: &Error) -> Value {
    let Error::Listen(error) = error else { panic!("it is another error: {error}") };
    json!({
        "code": error.code(),
        "errno": error.errno().map(|it| -it),
        "syscall": error.syscall(),
        "address": error.address(),
        "port": error.port(),
    })
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
