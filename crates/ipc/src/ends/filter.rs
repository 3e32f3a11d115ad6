//! The program that the kernel runs on each message before it is put into our buffer: bpf(4) in its classic form,
//! as socket(7) has it for `SO_ATTACH_FILTER`.

use super::layout::LOCAL_PORT;

/// Most local ports that are told apart by the kernel, 256. With more of them every connection of the network
/// namespace is told: nothing is lost, but the buffer is shared with strangers and overflows sooner.
pub const FILTERED_PORTS: usize = 256;

/// Longer than any message.
const WHOLE: u32 = u32::MAX;
const NOTHING: u32 = 0;

/// Loads two bytes, in the order of the network, from a fixed place. Beyond the end the message is dropped.
const LOAD_HALF: u16 = 0x28;
/// Compares what was loaded, and skips so many instructions if it is the same, or if it is not.
const JUMP_IF_EQUAL: u16 = 0x15;
/// Ends with the number of bytes that are kept. Zero drops the message.
const RETURN: u16 = 0x06;

/// A `sock_filter` of `linux/filter.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) code: u16,
    pub(super) if_true: u8,
    pub(super) if_false: u8,
    pub(super) value: u32,
}

/// Keeps the messages about sockets with one of these local ports.
///
/// Each port has an exit of its own: a jump reaches no further than 255 instructions.
pub(super) fn program(ports: &[u16]) -> Vec<Instruction> {
    if ports.len() > FILTERED_PORTS {
        return vec![keep(WHOLE)];
    }
    let load = Instruction {
        code: LOAD_HALF,
        if_true: 0,
        if_false: 0,
        // It cannot be cut: a handful of bytes.
        value: LOCAL_PORT as u32,
    };
    let tests = ports.iter().flat_map(|port| [skip_unless(*port), keep(WHOLE)]);
    std::iter::once(load).chain(tests).chain([keep(NOTHING)]).collect()
}

const fn keep(bytes: u32) -> Instruction {
    Instruction { code: RETURN, if_true: 0, if_false: 0, value: bytes }
}

fn skip_unless(port: u16) -> Instruction {
    Instruction { code: JUMP_IF_EQUAL, if_true: 0, if_false: 1, value: port.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the kernel runs it: how many bytes are kept.
    fn run(program: &[Instruction], message: &[u8]) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        loop {
            let Instruction { code, if_true, if_false, value } = program[at];
            at += 1;
            match code {
                LOAD_HALF => match message.get(value as usize..).and_then(<[u8]>::first_chunk) {
                    Some(half) => loaded = u32::from(u16::from_be_bytes(*half)),
                    None => return 0,
                },
                JUMP_IF_EQUAL => {
                    at += usize::from(if loaded == value { if_true } else { if_false });
                }
                RETURN => return value,
                other => panic!("{other:#x}"),
            }
        }
    }

    fn message(port: u16) -> Vec<u8> {
        let mut message = vec![0; 380];
        message[LOCAL_PORT..LOCAL_PORT + 2].copy_from_slice(&port.to_be_bytes());
        message
    }

    #[test]
    fn without_a_port_nothing_passes() {
        assert_eq!(run(&program(&[]), &message(0)), 0);
        assert_eq!(run(&program(&[]), &message(80)), 0);
    }

    #[test]
    fn a_message_that_is_too_short_for_a_port_does_not_pass() {
        assert_eq!(run(&program(&[0]), &message(0)[..LOCAL_PORT + 1]), 0);
    }

    #[test]
    fn the_last_of_the_most_ports_passes_and_with_one_more_everything_does() {
        let ports: Vec<u16> = (1..=FILTERED_PORTS as u16).collect();
        assert!(program(&ports).len() <= libc::BPF_MAXINSNS as usize);
        assert_eq!(run(&program(&ports), &message(FILTERED_PORTS as u16)), WHOLE);
        assert_eq!(run(&program(&ports), &message(FILTERED_PORTS as u16 + 1)), 0);
        let ports: Vec<u16> = (0..=FILTERED_PORTS as u16).collect();
        assert_eq!(run(&program(&ports), &message(60_000)), WHOLE);
    }

    #[test]
    fn the_instructions_are_those_of_the_system() {
        let code = |parts: [u32; 3]| u16::try_from(parts.iter().sum::<u32>()).unwrap();
        assert_eq!(LOAD_HALF, code([libc::BPF_LD, libc::BPF_H, libc::BPF_ABS]));
        assert_eq!(JUMP_IF_EQUAL, code([libc::BPF_JMP, libc::BPF_JEQ, libc::BPF_K]));
        assert_eq!(RETURN, code([libc::BPF_RET, libc::BPF_K, 0]));
    }

    proptest! {
        #[test]
        fn exactly_the_messages_of_its_ports_pass(
            ports in proptest::collection::vec(1_u16..50, 0..40),
            port in 0_u16..60,
        ) {
            let kept = run(&program(&ports), &message(port));
            prop_assert_eq!(kept, if ports.contains(&port) { WHOLE } else { NOTHING });
        }
    }
}
