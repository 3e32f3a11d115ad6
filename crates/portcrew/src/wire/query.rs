//! A query as core means it and as Node writes it. Missing, null and odd fields are settled here.

use portcrew_core::{Address, Family, Query};
use portcrew_ipc::message::{self as wire, AddressType, RawJson};

use crate::ListenAddress;

const IPV6_ONLY: u32 = 1;

pub(super) fn decode(query: wire::Query) -> Option<Query> {
    let port = u16::try_from(query.port.unwrap_or(0)).ok();
    let flags = query.flags.unwrap_or(0);
    let family = match query.address_type {
        AddressType::Tcp4 | AddressType::Udp4 => Family::V4,
        AddressType::Tcp6 | AddressType::Udp6 => Family::V6,
        AddressType::Pipe | AddressType::None => Family::V4,
    };
    let host = query.address.clone();
    let address = match (query.address_type, query.fd) {
        (AddressType::Tcp4 | AddressType::Tcp6, None) => {
            let ipv6_only = flags & IPV6_ONLY != 0;
            Address::Tcp { host, port: port?, family, ipv6_only }
        }
        (AddressType::Pipe, None) => Address::Unix {
            path: query.address?,
            readable_all: query.readable_all.unwrap_or(false),
            writable_all: query.writable_all.unwrap_or(false),
        },
        (AddressType::Udp4 | AddressType::Udp6, fd) => {
            // Node writes -1 for "no descriptor".
            let fd = fd.filter(|fd| *fd >= 0);
            Address::Udp { host, port: port?, family, flags, fd }
        }
        (_, Some(fd)) if fd >= 0 => Address::Fd { fd },
        (_, Some(_)) | (AddressType::None, None) => return None,
    };
    // 0 and nonsense mean the default, as in Node.
    let backlog = query.backlog.and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0);
    let data = query.data.map(|it| it.as_str().to_owned());
    Some(Query { address, index: query.index, backlog, data })
}

/// `port` is what the worker got, for `listening`; for `queryServer` it is what it asks for.
pub(super) fn encode(query: &Query, port: Option<u16>) -> wire::Query {
    let data = query.data.as_ref().and_then(|it| RawJson::from_text(it.clone()).ok());
    let mut out = wire::Query { index: query.index, data, ..wire::Query::default() };
    let backlog = Some(query.backlog.and_then(|it| i32::try_from(it).ok()).unwrap_or(0));
    match &query.address {
        Address::Tcp { host, port: asked, family, ipv6_only } => {
            out.address.clone_from(host);
            out.port = Some(i32::from(port.unwrap_or(*asked)));
            out.address_type = tcp(*family);
            // Node writes flags only where it resolved a host.
            out.flags = host.is_some().then_some(u32::from(*ipv6_only) * IPV6_ONLY);
            out.backlog = backlog;
        }
        Address::Unix { path, readable_all, writable_all } => {
            out.address = Some(path.clone());
            out.port = Some(-1);
            out.address_type = AddressType::Pipe;
            out.backlog = backlog;
            out.readable_all = readable_all.then_some(true);
            out.writable_all = writable_all.then_some(true);
        }
        Address::Fd { fd } => {
            out.fd = Some(*fd);
            out.backlog = backlog;
        }
        Address::Udp { host, port: asked, family, flags, fd } => {
            out.address_type = match family {
                Family::V4 => AddressType::Udp4,
                Family::V6 => AddressType::Udp6,
            };
            out.fd = Some(fd.unwrap_or(-1));
            // Of a descriptor only `listening` says the port, as Node does.
            out.port = port.map(i32::from);
            if fd.is_none() {
                out.address.clone_from(host);
                out.port = Some(i32::from(port.unwrap_or(*asked)));
                out.flags = Some(*flags);
            }
        }
    }
    out
}

/// What can be read of a query that makes no sense as a whole.
pub(super) fn address_of(query: &wire::Query) -> ListenAddress {
    ListenAddress {
        address: query.address.clone(),
        port: query.port.and_then(|port| u16::try_from(port).ok()),
        address_type: match query.address_type {
            AddressType::Tcp4 => crate::AddressType::Tcp4,
            AddressType::Tcp6 => crate::AddressType::Tcp6,
            AddressType::Pipe => crate::AddressType::Unix,
            AddressType::Udp4 => crate::AddressType::Udp4,
            AddressType::Udp6 => crate::AddressType::Udp6,
            AddressType::None => crate::AddressType::Fd,
        },
        fd: query.fd,
    }
}

const fn tcp(family: Family) -> AddressType {
    match family {
        Family::V4 => AddressType::Tcp4,
        Family::V6 => AddressType::Tcp6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_survives_the_wire() {
        let host = Some("::1".to_owned());
        let addresses = [
            Address::Tcp { host: None, port: 80, family: Family::V4, ipv6_only: false },
            Address::Tcp { host: host.clone(), port: 0, family: Family::V6, ipv6_only: true },
            Address::Unix { path: "/s".into(), readable_all: true, writable_all: false },
            Address::Fd { fd: 20 },
            Address::Udp { host, port: 53, family: Family::V6, flags: 4, fd: None },
            Address::Udp { host: None, port: 0, family: Family::V4, flags: 0, fd: Some(9) },
        ];
        for address in addresses {
            let query = Query { address, index: 2, backlog: None, data: Some("{}".into()) };
            assert_eq!(decode(encode(&query, None)), Some(query));
        }
    }

    #[test]
    fn a_udp_socket_from_a_descriptor_has_its_port_when_it_is_announced() {
        let address =
            Address::Udp { host: None, port: 0, family: Family::V4, flags: 0, fd: Some(9) };
        let query = Query { address, index: 0, backlog: None, data: None };
        let asked = encode(&query, None);
        assert_eq!((asked.port, asked.flags), (None, None));
        assert_eq!(encode(&query, Some(5300)).port, Some(5300));
    }

    #[test]
    fn a_udp_port_that_is_none_is_not_the_kernels_choice() {
        let asked = |port| {
            let address_type = AddressType::Udp4;
            decode(wire::Query { address_type, port, fd: Some(-1), ..wire::Query::default() })
        };
        for port in [-1, 65_536] {
            assert_eq!(asked(Some(port)), None);
        }
        // Node's `bind()` names none.
        assert!(matches!(asked(None).unwrap().address, Address::Udp { port: 0, .. }));
    }

    #[test]
    fn a_query_that_names_nothing_is_nothing() {
        assert_eq!(decode(wire::Query::default()), None);
        let port = wire::Query {
            port: Some(70_000),
            address_type: AddressType::Tcp4,
            ..wire::Query::default()
        };
        assert_eq!(decode(port), None);
    }
}
