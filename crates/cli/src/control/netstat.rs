//! What the kernel counts for the whole network namespace and not for any one listener.

use std::fs;

/// Connections that found an accept queue full, of any program in this process's network namespace, since that was
/// made: for the usual one, since the machine was started.
pub(crate) fn listen_overflows() -> Option<u64> {
    extended("ListenOverflows")
}

/// What listening sockets have dropped there for whatever reason: a full queue, no memory, a wrong sequence.
pub(super) fn listen_drops() -> Option<u64> {
    extended("ListenDrops")
}

fn extended(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/net/netstat").ok()?;
    counter(&text, "TcpExt:", name)
}

/// A counter of a file that has two lines for each group: names and values.
fn counter(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with(group));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split_ascii_whitespace().position(|it| it == name)?;
    values.split_ascii_whitespace().nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_understood() {
        let text = "TcpExt: A ListenOverflows B\nTcpExt: 1 22 3\nIpExt: A\nIpExt: 9\n";
        assert_eq!(counter(text, "TcpExt:", "ListenOverflows"), Some(22));
        assert_eq!(counter(text, "TcpExt:", "C"), None);
        assert!(listen_overflows().is_some() && listen_drops() >= listen_overflows());
    }
}
