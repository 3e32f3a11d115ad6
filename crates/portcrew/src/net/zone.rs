//! Addresses in text, with the zone that a link-local one has: `fe80::1%eth0`, as Node writes it.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use rustix::net::netdevice::{index_to_name, name_to_index};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// Reads an address, perhaps with a zone by its name or its number. Names of hosts are resolved elsewhere.
///
/// # Errors
///
/// EINVAL for what is no address and for a zone that this machine does not have, as Node says.
pub(crate) fn parse(host: &str, port: u16) -> io::Result<SocketAddr> {
    let invalid = || io::Error::from(rustix::io::Errno::INVAL);
    let Some((ip, zone)) = host.split_once('%') else {
        let ip: IpAddr = host.parse().map_err(|_| invalid())?;
        return Ok(SocketAddr::new(ip, port));
    };
    let ip: Ipv6Addr = ip.parse().map_err(|_| invalid())?;
    // In the order of getaddrinfo(3): an interface may have a number as its name.
    let zone = index_of(zone).or_else(|| zone.parse().ok()).ok_or_else(invalid)?;
    Ok(SocketAddrV6::new(ip, port, 0, zone).into())
}

/// Whether it is an address that needs no resolving, with a zone.
pub(crate) fn has_zone(host: &str) -> bool {
    host.split_once('%').is_some_and(|(ip, _)| ip.parse::<Ipv6Addr>().is_ok())
}

/// The address without its port.
pub(crate) fn host_text(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => {
            let zone = name_of(v6.scope_id()).unwrap_or_else(|| v6.scope_id().to_string());
            format!("{}%{zone}", v6.ip())
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => address.ip().to_string(),
    }
}

fn index_of(name: &str) -> Option<u32> {
    name_to_index(any_socket().ok()?, name).ok()
}

fn name_of(index: u32) -> Option<String> {
    index_to_name(any_socket().ok()?, index).ok()
}

/// The kernel is asked for interfaces by way of a socket, whichever (netdevice(7)).
fn any_socket() -> io::Result<std::os::fd::OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loopback interface, which is the first of every network namespace.
    const LO: u32 = 1;

    #[test]
    fn a_zone_is_read_by_name_and_by_number_and_written_by_name() {
        let expected = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, LO).into();
        for host in ["fe80::1%lo", "fe80::1%1"] {
            assert_eq!(parse(host, 80).unwrap(), expected, "{host}");
        }
        assert_eq!(host_text(&expected), "fe80::1%lo");
    }

    #[test]
    fn a_zone_without_an_interface_is_written_as_it_is_and_a_name_without_one_is_refused() {
        let nowhere = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, 4_000_000).into();
        assert_eq!(host_text(&nowhere), "fe80::1%4000000");
        for host in ["fe80::1%nowhere", "127.0.0.1%lo", "localhost", ""] {
            let error = parse(host, 80).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(22), "{host}");
        }
    }

    #[test]
    fn only_an_address_has_a_zone() {
        assert!(has_zone("fe80::1%eth0"));
        assert!(!has_zone("fe80::1"));
        assert!(!has_zone("100%sure"));
    }
}
