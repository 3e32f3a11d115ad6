//! The question to sock_diag(7): which TCP sockets are there?

use super::filter::FILTERED_PORTS;
use super::layout::{DUMP, HEADER, SEQUENCE, SOCK_DIAG_BY_FAMILY, TYPE};

/// Bytes of an `inet_diag_req_v2`.
const BODY: usize = 56;
/// `IPPROTO_TCP`.
const TCP: u8 = 6;

/// `INET_DIAG_REQ_BYTECODE`: an attribute with a program that chooses among the sockets.
const BYTECODE: u16 = 1;
/// Bytes of what is in front of an attribute: its length and its type.
const ATTRIBUTE: usize = 4;
/// Goes on at its second distance.
const JUMP: u8 = 1;
/// Goes on at its first distance if the condition behind it holds, else at its second.
const IF_LOCAL: u8 = 7;
/// Bytes of an operation, and of `inet_diag_hostcond`: family and prefix (any), port.
const OPERATION: u16 = 4;
const CONDITION: u16 = 8;
/// Bytes of the program for one port.
const TEST: u16 = OPERATION + CONDITION + OPERATION;

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    /// Its number, which the answers repeat.
    pub(super) sequence: u32,
    /// `AF_INET` or `AF_INET6`. There is no question for both.
    pub(super) family: u8,
    /// A bit for each state, by the number of [`TcpState`](crate::probe::TcpState).
    pub(super) states: u32,
    /// The local ports that are asked for. None, and more than [`FILTERED_PORTS`], mean all.
    pub(super) ports: &'a [u16],
}

impl Request<'_> {
    /// The message.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER + BODY];
        bytes[TYPE..TYPE + 2].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes[TYPE + 2..TYPE + 4].copy_from_slice(&DUMP.to_ne_bytes());
        bytes[SEQUENCE..SEQUENCE + 4].copy_from_slice(&self.sequence.to_ne_bytes());
        (bytes[HEADER], bytes[HEADER + 1]) = (self.family, TCP);
        bytes[HEADER + 4..HEADER + 8].copy_from_slice(&self.states.to_ne_bytes());
        if (1..=FILTERED_PORTS).contains(&self.ports.len()) {
            let program = program(self.ports);
            let length = u16::try_from(ATTRIBUTE + program.len()).expect("FILTERED_PORTS are few");
            bytes.extend(length.to_ne_bytes());
            bytes.extend(BYTECODE.to_ne_bytes());
            bytes.extend(program);
        }
        let length = u32::try_from(bytes.len()).expect("FILTERED_PORTS are few");
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes
    }
}

/// Accepts a socket by reaching the very end, and refuses it by going four bytes further.
fn program(ports: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ports.len() * usize::from(TEST));
    for (index, port) in ports.iter().enumerate() {
        let behind = (ports.len() - 1 - index) as u16 * TEST;
        let next = if behind == 0 { TEST + OPERATION } else { TEST };
        operation(&mut bytes, IF_LOCAL, (OPERATION + CONDITION) as u8, next);
        // Any family, and no bit of any address.
        bytes.extend([0, 0, 0, 0]);
        bytes.extend(i32::from(*port).to_ne_bytes());
        operation(&mut bytes, JUMP, OPERATION as u8, OPERATION + behind);
    }
    bytes
}

fn operation(bytes: &mut Vec<u8>, code: u8, first: u8, second: u16) {
    bytes.extend([code, first]);
    bytes.extend(second.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the kernel runs it.
    fn accepts(program: &[u8], port: u16) -> bool {
        let mut left = program.len() as i64;
        while left > 0 {
            let here = &program[program.len() - left as usize..];
            let second = i64::from(u16::from_ne_bytes([here[2], here[3]]));
            left -= match here[0] {
                JUMP => second,
                IF_LOCAL if here[8..12] == i32::from(port).to_ne_bytes() => here[1].into(),
                IF_LOCAL => second,
                other => panic!("{other}"),
            };
        }
        left == 0
    }

    fn request(ports: &[u16]) -> Vec<u8> {
        Request { sequence: 9, family: 10, states: 2, ports }.bytes()
    }

    #[test]
    fn all_ports_are_asked_for_without_a_program() {
        assert_eq!(request(&[]).len(), HEADER + BODY);
        assert_eq!(request(&[1; FILTERED_PORTS + 1]).len(), HEADER + BODY);
    }

    #[test]
    fn the_lengths_are_those_of_the_message_and_of_its_attribute() {
        let bytes = request(&[1; FILTERED_PORTS]);
        let program = FILTERED_PORTS * usize::from(TEST);
        assert_eq!(bytes.len(), HEADER + BODY + ATTRIBUTE + program);
        assert_eq!(bytes[..4], (bytes.len() as u32).to_ne_bytes());
        let attribute = &bytes[HEADER + BODY..];
        assert_eq!(attribute[..2], (attribute.len() as u16).to_ne_bytes());
    }

    proptest! {
        #[test]
        fn exactly_the_sockets_of_its_ports_are_chosen(
            ports in proptest::collection::vec(1_u16..50, 1..40),
            port in 0_u16..60,
        ) {
            prop_assert_eq!(accepts(&program(&ports), port), ports.contains(&port));
        }
    }
}
