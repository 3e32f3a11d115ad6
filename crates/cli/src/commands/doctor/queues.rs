//! Accept queues: whether any overflowed since the machine was started, and how full those of the crews are now.

use std::fs;

use super::checks::Check;
use crate::control::v1::Status;
use crate::control::{Crews, Found, listen_overflows};
use crate::output::words::doctor as words;

/// The state of a socket that listens, in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// All of them.
pub(super) fn all() -> Vec<Check> {
    let overflows = listen_overflows().map(|count| match count {
        0 => Check::good(words::OVERFLOWS, words::no_overflow()),
        _ => Check::advice(words::OVERFLOWS, words::overflowed(count), words::overflow_next()),
    });
    overflows.into_iter().chain(crews()).collect()
}

/// Those in which somebody waits now.
fn crews() -> Vec<Check> {
    let Ok(crews) = Crews::of_this_user() else {
        return Vec::new();
    };
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.map(|path| fs::read_to_string(path).unwrap_or_default()).concat();
    let mut found = Vec::new();
    for name in &crews.names {
        let Found::Crew(client) = crews.find(name) else { continue };
        let Ok(status) = client.get::<Status>("/v1/status") else { continue };
        for address in &status.addresses {
            let port = address.rsplit(':').next().and_then(|it| it.parse().ok());
            match port.map(|port| waiting(&tables, port)) {
                Some(count) if count > 0 => {
                    let now = words::waits(name, address, count);
                    found.push(Check::advice(words::QUEUE, now, words::queue_full_next(count)));
                }
                // Nobody waits, or it is no TCP port.
                _ => {}
            }
        }
    }
    found
}

/// Connections that wait at a port, the longest queue of several sockets: of a socket that listens the kernel tells
/// them where it tells the unread bytes of any other.
fn waiting(tables: &str, port: u16) -> u64 {
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = fields.get(3) == Some(&LISTENS)
            && fields.get(1)?.rsplit(':').next() == Some(&format!("{port:04X}"));
        let (_, queue) = fields.get(4)?.split_once(':')?;
        is_it.then(|| u64::from_str_radix(queue, 16).ok())?
    };
    tables.lines().filter_map(of_line).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_understood() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n\
             0: 0100007F:1F40 00000000:0000 0A 00000000:0000000B 00:0 0 0 0 1\n\
             1: 0100007F:1F40 0100007F:9999 01 00000000:000000FF 00:0 0 0 0 1\n";
        assert_eq!(waiting(table, 8000), 11);
        assert_eq!(waiting(table, 8001), 0);
    }
}
