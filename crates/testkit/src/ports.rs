//! Ports in a row for programs that choose theirs by counting.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::process::eventually;

/// Only detects that there is no such row.
const WITHIN: Duration = Duration::from_secs(30);

/// A port behind which so many were free at this moment. Below those that the kernel gives to clients: one of theirs
/// could come between the look and the use.
///
/// # Panics
/// When there is no such row.
#[must_use]
pub fn free_behind(ports: u16) -> u16 {
    const RANGE: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok();
    // Other tests of this process, and other processes of tests, look at the same time.
    let own = (std::process::id() % 2_000) as u16 * 10;
    eventually("ports in a row are free", WITHIN, || {
        let next = NEXT.fetch_add(ports, Ordering::Relaxed);
        let base = 10_000 + own.wrapping_add(next) % RANGE;
        (base + 1..=base + ports).all(is_free).then_some(base)
    })
}

/// An address on which nobody listened at this moment.
///
/// # Panics
/// As [`free_behind`].
#[must_use]
pub fn free() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_behind(1) + 1).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_do_not_overlap_and_a_taken_port_is_in_none() {
        let first = free_behind(3);
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 5)).unwrap();
        let second = free_behind(3);
        let row = second + 1..=second + 3;
        assert!(
            !row.contains(&(first + 5)) && !(first + 1..=first + 3).any(|it| row.contains(&it))
        );
    }
}
