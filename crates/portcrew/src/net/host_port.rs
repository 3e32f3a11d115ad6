//! An address as people write it, cut into host and port.

use crate::{Error, Result};

/// Cuts `host:port`; no host for `:port`, `*:port` and a port alone.
pub(crate) fn split(given: &str) -> Result<(Option<&str>, u16)> {
    let error = |reason| Error::Address { given: given.to_owned(), reason };
    let (host, port) = match given.rsplit_once(':') {
        None => (None, given),
        Some((host, port)) => (Some(host), port),
    };
    let is_number = !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
    if !is_number && host.is_none() {
        return Err(error("it has no port; write host:port"));
    }
    let port = port.parse().ok().filter(|_| is_number);
    let port = port.ok_or_else(|| error("the port is not a number from 0 to 65535"))?;
    let host = match host {
        None | Some("" | "*") => None,
        Some(host) => match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(Some(inside)) if inside.contains(':') => Some(inside),
            Some(_) => return Err(error("what is in brackets is no IPv6 address")),
            None if host.contains([':', '[', ']']) => {
                return Err(error("an IPv6 address is written in brackets, as in [::1]:80"));
            }
            None => Some(host),
        },
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_is_understood() {
        let cases = [
            ("127.0.0.1:80", Some("127.0.0.1"), 80),
            ("localhost:0", Some("localhost"), 0),
            (":8000", None, 8000),
            ("*:8000", None, 8000),
            ("8000", None, 8000),
            ("[::1]:80", Some("::1"), 80),
            ("[fe80::1%eth0]:65535", Some("fe80::1%eth0"), 65535),
        ];
        for (given, host, port) in cases {
            assert_eq!(split(given).unwrap(), (host, port), "{given}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        for (given, part) in [
            ("", "no port"),
            ("localhost", "no port"),
            ("localhost:", "not a number"),
            ("localhost:+80", "not a number"),
            ("localhost:65536", "not a number"),
            ("::1:80", "brackets"),
            ("[::1:80", "brackets"),
            ("[localhost]:80", "brackets"),
        ] {
            let error = split(given).unwrap_err().to_string();
            assert!(error.contains(part), "{given}: {error}");
        }
    }
}
