//! The programs as the kernel checks and runs them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

const SALT: u32 = 0x5eed_0001;

/// The kernel's limit for the length of a program, in instructions.
const KERNEL_LIMIT: usize = 4096;

/// What is allowed for one program on kernels before 6.7, in bytes (`net.core.optmem_max`), and of these for each
/// instruction. The kernel's own form of a program is a little longer than ours.
const MEMORY: usize = 20_480 * 3 / 4;
const INSTRUCTION_BYTES: usize = 8;

fn program(members: usize, live: &[usize]) -> Program {
    Steering { members, live, salt: SALT }.program()
}

/// Runs it on a packet that begins with the header of IP, as the kernel does: a load beyond the end returns 0.
fn run(program: &Program, packet: &[u8]) -> usize {
    let (mut a, mut x, mut memory, mut at) = (0_u32, 0_u32, [0_u32; 16], 0);
    let load = |offset: u32, bytes: usize| {
        let from = offset.checked_sub(IP)? as usize;
        let bytes = packet.get(from..from + bytes)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    };
    loop {
        let it = program.0[at];
        at += 1;
        let jump = |is: bool| usize::from(if is { it.if_true } else { it.if_false });
        let loaded = match it.code {
            0x20 => load(it.value, 4),
            0x28 => load(it.value, 2),
            0x30 => load(it.value, 1),
            0x48 => load(it.value.wrapping_add(x), 2),
            0x00 => Some(it.value),
            0x60 => Some(memory[it.value as usize]),
            0x04 => Some(a.wrapping_add(it.value)),
            0x24 => Some(a.wrapping_mul(it.value)),
            0x34 => Some(a / it.value),
            0x94 => Some(a % it.value),
            0x54 => Some(a & it.value),
            0xa4 => Some(a ^ it.value),
            0xac => Some(a ^ x),
            0x64 => Some(a << it.value),
            0x74 => Some(a >> it.value),
            0x7c => Some(a >> x),
            0x61 | 0x02 | 0x07 | 0x05 | 0x15 | 0x35 | 0x45 => Some(a),
            0x16 => return a as usize,
            other => panic!("{other:#x}"),
        };
        let Some(loaded) = loaded else { return 0 };
        match it.code {
            0x61 => x = memory[it.value as usize],
            0x02 => memory[it.value as usize] = a,
            0x07 => x = a,
            0x05 => at += it.value as usize,
            0x15 => at += jump(a == it.value),
            0x35 => at += jump(a >= it.value),
            0x45 => at += jump(a & it.value != 0),
            _ => a = loaded,
        }
    }
}

/// What the kernel asks of a program (`bpf_check_classic`): it ends, divides by something, and never reads a word of
/// memory that was not written on every way there.
fn check(program: &Program) {
    let code = &program.0;
    assert!(code.len() <= KERNEL_LIMIT, "{}", code.len());
    assert_eq!(code.last().map(|it| it.code), Some(0x16));
    // Which words are written, on every way that leads to an instruction.
    let mut written = vec![u16::MAX; code.len()];
    written[0] = 0;
    for (at, it) in code.iter().enumerate() {
        let after = if it.code == 0x02 { written[at] | 1 << it.value } else { written[at] };
        let next = match it.code {
            0x16 => vec![],
            0x05 => vec![at + 1 + it.value as usize],
            0x15 | 0x35 | 0x45 => vec![it.if_true, it.if_false]
                .into_iter()
                .map(|distance| at + 1 + usize::from(distance))
                .collect(),
            _ => vec![at + 1],
        };
        for next in next {
            assert!(next < code.len(), "{at} leads to {next}");
            written[next] &= after;
        }
        match it.code {
            0x34 | 0x94 => assert_ne!(it.value, 0, "{at} divides by 0"),
            0x64 | 0x74 => assert!(it.value < 32, "{at} shifts by {}", it.value),
            0x60 | 0x61 => assert!(written[at] & 1 << it.value != 0, "{at} reads {}", it.value),
            _ => {}
        }
    }
}

fn packet4(from: Ipv4Addr, port: u16, options: usize) -> Vec<u8> {
    let mut packet = vec![0; 20 + 4 * options];
    packet[0] = 0x45 + u8::try_from(options).unwrap();
    packet[12..16].copy_from_slice(&from.octets());
    packet.extend(port.to_be_bytes());
    packet.extend([0; 18]);
    packet
}

fn packet6(from: Ipv6Addr, port: u16, next_header: u8) -> Vec<u8> {
    let mut packet = vec![0; 40];
    packet[0] = 0x60;
    packet[6] = next_header;
    packet[8..24].copy_from_slice(&from.octets());
    packet.extend(port.to_be_bytes());
    packet.extend([0; 18]);
    packet
}

/// Flows as they come: of one client port by port, and of a network address by address, both versions.
fn flows() -> Vec<Vec<u8>> {
    let mut flows = Vec::new();
    for number in 0..1500_u16 {
        let [high, low] = number.to_be_bytes();
        flows.push(packet4(Ipv4Addr::LOCALHOST, 32_768 + number, 0));
        flows.push(packet4(Ipv4Addr::new(10, 0, high, low), 40_000, 0));
        flows.push(packet6(Ipv6Addr::LOCALHOST, 32_768 + number, 6));
        flows.push(packet6(Ipv6Addr::new(0xfd00, 0, 0, number, 0, 0, 0, 1), 40_000, 17));
    }
    flows
}

/// Each set of live members, of up to six.
fn live_sets() -> Vec<(usize, Vec<usize>)> {
    let of = |members: usize| {
        (0_u32..1 << members)
            .map(move |bits| (members, (0..members).filter(|it| bits & 1 << it != 0).collect()))
    };
    (1..=6).flat_map(of).collect()
}

#[test]
fn whoever_is_live_gets_an_even_share_and_nobody_else_gets_anything() {
    let flows = flows();
    for (members, live) in live_sets() {
        let program = program(members, &live);
        let mut shares = vec![0_usize; members];
        for flow in &flows {
            shares[run(&program, flow)] += 1;
        }
        let expected: Vec<_> = if live.is_empty() { (0..members).collect() } else { live };
        let even = flows.len() / expected.len();
        for (index, share) in shares.into_iter().enumerate() {
            if expected.contains(&index) {
                assert!(
                    share.abs_diff(even) * 10 < even,
                    "{index} of {members}: {share}, {expected:?}"
                );
            } else {
                assert_eq!(share, 0, "{index} of {members}, {expected:?}");
            }
        }
    }
}

#[test]
fn a_flow_stays_with_its_member_as_long_as_that_one_is_live() {
    let flows = flows();
    for (members, live) in live_sets() {
        let (all, some) = (program(members, &[]), program(members, &live));
        for flow in &flows {
            let (own, now) = (run(&all, flow), run(&some, flow));
            assert!(now == own || !live.contains(&own), "{members} {live:?}: {own} to {now}");
        }
    }
}

#[test]
fn each_set_of_a_few_members_is_a_program_that_the_kernel_takes() {
    for (members, live) in live_sets() {
        check(&program(members, &live));
    }
    check(&program(0, &[]));
}

/// Where every other one is live no two follow one another: the longest program there is.
#[test]
fn the_longest_program_fits_also_where_little_memory_is_allowed_and_steers_right() {
    let live: Vec<usize> = (0..STEERED_MEMBERS).step_by(2).collect();
    let program = program(STEERED_MEMBERS, &live);
    check(&program);
    assert!(
        program.len() <= 2048 && program.len() * INSTRUCTION_BYTES < MEMORY,
        "{}",
        program.len()
    );
    let mut seen = BTreeSet::new();
    for flow in flows() {
        seen.insert(run(&program, &flow));
    }
    assert!(seen.iter().all(|it| it % 2 == 0) && seen.len() > 500, "{seen:?}");
}

#[test]
fn in_a_group_of_many_words_each_live_member_and_no_other_is_reached() {
    for live in [vec![0], vec![69], vec![31, 32, 33, 63, 64, 69], (1..69).collect::<Vec<_>>()] {
        let program = program(70, &live);
        check(&program);
        let reached: BTreeSet<usize> = flows().iter().map(|flow| run(&program, flow)).collect();
        assert_eq!(reached.into_iter().collect::<Vec<_>>(), live);
    }
}

#[test]
fn with_more_members_than_are_told_apart_all_are_live() {
    let members = STEERED_MEMBERS + 1;
    let steered = program(members, &[0]);
    check(&steered);
    assert_eq!(steered, program(members, &[]));
}

#[test]
fn numbers_that_no_member_has_and_repetitions_do_not_count() {
    assert_eq!(program(3, &[7, 1, 1]), program(3, &[1]));
    assert_eq!(program(3, &[7]), program(3, &[]));
}

#[test]
fn another_salt_sends_flows_elsewhere() {
    let salted = |salt| Steering { members: 6, live: &[], salt }.program();
    let (one, other) = (salted(1), salted(2));
    let flows = flows();
    let same = flows.iter().filter(|flow| run(&one, flow) == run(&other, flow)).count();
    // One in six by chance.
    assert!(same * 4 < flows.len(), "{same}");
}

#[test]
fn options_of_ipv4_do_not_hide_the_port() {
    let program = program(6, &[]);
    for port in 1000..1100 {
        let plain = run(&program, &packet4(Ipv4Addr::LOCALHOST, port, 0));
        for options in 1..=10 {
            assert_eq!(run(&program, &packet4(Ipv4Addr::LOCALHOST, port, options)), plain);
        }
    }
}

#[test]
fn behind_an_extension_header_of_ipv6_the_address_alone_counts() {
    const HOP_BY_HOP: u8 = 0;
    let program = program(6, &[]);
    let member = |address: u16, port| {
        run(&program, &packet6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, address), port, HOP_BY_HOP))
    };
    let members: BTreeSet<_> = (0..100).map(|address| member(address, 1)).collect();
    assert_eq!(members.len(), 6);
    assert!((0..100).all(|address| member(address, 1) == member(address, 999)));
}

#[test]
fn what_is_no_ip_goes_to_a_live_member_too() {
    for (members, live) in live_sets() {
        let index = run(&program(members, &live), &[0x50; 64]);
        assert!(live.is_empty() || live.contains(&index), "{members} {live:?}: {index}");
    }
}
