//! What the kernel knows of a listening socket, whoever has it: sock_diag(7).

use rustix::net::netlink::SOCK_DIAG;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST_AND_DUMP: u16 = 0x001 | 0x300;
const AF_INET: u8 = 2;
const IPPROTO_TCP: u8 = 6;
const LISTENING: u32 = 1 << 10;

/// Bytes of `nlmsghdr`, and with `inet_diag_req_v2` behind it.
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
/// Where `inet_diag_msg` has `idiag_rqueue` and `idiag_wqueue`: of a listening socket, those are its queue and its
/// backlog.
const WAITING: usize = HEADER + 56;
const BACKLOG: usize = HEADER + 60;

/// A listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    /// Connections that nobody has accepted yet.
    pub(crate) waiting: u32,
    pub(crate) backlog: u32,
}

/// The IPv4 sockets that listen on this port.
///
/// # Panics
/// When the kernel does not say.
pub(crate) fn listening_on(port: u16) -> Vec<Listening> {
    let kind = SocketType::DGRAM;
    let socket = socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, Some(SOCK_DIAG));
    let socket = socket.expect("sock_diag is there");
    send(&socket, &request(port), SendFlags::empty()).expect("the kernel listens");
    let mut found = Vec::new();
    loop {
        let mut answer = [0; 8192];
        let (length, _) = recv(&socket, &mut answer, RecvFlags::empty()).expect("it answers");
        let mut rest = &answer[..length];
        while let Some(size) = rest.get(..4).map(|_| number(rest, 0)) {
            if u16::from_ne_bytes([rest[4], rest[5]]) != SOCK_DIAG_BY_FAMILY {
                return found;
            }
            found
                .push(Listening { waiting: number(rest, WAITING), backlog: number(rest, BACKLOG) });
            // Messages begin at multiples of four bytes.
            let size = usize::try_from(size.next_multiple_of(4)).expect("it is short");
            rest = rest.get(size..).unwrap_or_default();
        }
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn request(port: u16) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    let length = u32::try_from(REQUEST).expect("it is short");
    bytes[0..4].copy_from_slice(&length.to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&REQUEST_AND_DUMP.to_ne_bytes());
    let body = &mut bytes[HEADER..];
    (body[0], body[1]) = (AF_INET, IPPROTO_TCP);
    body[4..8].copy_from_slice(&LISTENING.to_ne_bytes());
    body[8..10].copy_from_slice(&port.to_be_bytes());
    bytes
}
