//! The part that takes memory until there is none.

use std::hint::black_box;
use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// More than the program has mapped, in bytes.
const ADDRESSES: u64 = 512 << 20;

/// Never returns: an allocation that fails ends the process.
pub(crate) fn eat() -> io::Result<()> {
    setrlimit(Resource::As, Rlimit { current: Some(ADDRESSES), maximum: Some(ADDRESSES) })?;
    let mut eaten = Vec::new();
    loop {
        eaten.push(black_box(vec![1_u8; 1 << 20]));
    }
}
