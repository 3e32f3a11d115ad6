//! Which member gets a flow: a hash of where it comes from, and the next best where nobody works behind that one.

use std::collections::BTreeSet;

use super::program::{Code, Operation, Program, Question};

use Operation::{
    Add, And, CopyToX, Divide, LoadByte, LoadHalf, LoadHalfBeyond, LoadWord, Modulo, Multiply,
    Recall, RecallToX, Return, Set, ShiftLeft, ShiftRight, ShiftRightX, Store, Xor, XorX,
};

/// Most members that are told apart, 1024. In a larger group every member counts as live: its flows are spread over
/// all, and what comes to a member without a worker waits there. (A program for more would be too long for the
/// kernel when every other member is live.)
pub const STEERED_MEMBERS: usize = 1024;

/// How a group's new flows are spread. A flow is a connection, or all datagrams from one address and port.
///
/// A flow whose own member is live stays with it whatever becomes of the others; one whose member is not live goes to
/// one of the live ones. Own member: hash modulo `members`. The hash is of the source's address and port and of the
/// salt: so where a client goes cannot be worked out without that. (IPv6 with extension headers: of the address alone;
/// IPv4 that another header hides: of the salt alone.)
#[derive(Debug, Clone, Copy)]
pub struct Steering<'a> {
    /// How many there are in the group.
    pub members: usize,
    /// The indices of those that may get something new. Numbers that no member has do not count. If none is left, all
    /// are live: what waits is lost less surely than what is refused.
    pub live: &'a [usize],
    /// The same as long as the group lives, so that flows stay.
    pub salt: u32,
}

/// `SKF_NET_OFF` of `linux/filter.h`: from here on offsets count from the header of IP. Others begin behind the header
/// of TCP or UDP.
const IP: u32 = 0xfff0_0000;

/// Words of the program's memory.
const HASH: u32 = 0;
const INDEX: u32 = 1;

/// One bit for each member, so many in a word.
const WORD_BITS: usize = 32;

impl Steering<'_> {
    /// The program that spreads so. The same steering gives the same program.
    #[must_use]
    pub fn program(&self) -> Program {
        let members = self.members.max(1);
        let live: BTreeSet<usize> = self.live.iter().copied().filter(|it| *it < members).collect();
        let everybody = live.is_empty() || live.len() == members || members > STEERED_MEMBERS;
        let own = hash(self.salt).then(&Code::of(&[Store(HASH), Modulo(number(members))]));
        let chosen = if everybody { own } else { own.then(&own_or_another(members, &live)) };
        chosen.then(&Code::of(&[Return])).into_program()
    }
}

/// A is the index of the flow's own member: it stays, or becomes that of another.
fn own_or_another(members: usize, live: &BTreeSet<usize>) -> Code {
    let place = Code::of(&[
        Store(INDEX),
        And(number(WORD_BITS) - 1),
        CopyToX,
        Recall(INDEX),
        ShiftRight(number(WORD_BITS).ilog2()),
    ]);
    let own = Code::of(&[Recall(INDEX)]);
    place
        .then(&Code::by_range(&words(members, live)))
        .then(&Code::of(&[ShiftRightX]))
        .then(&Code::either(Question::Has(1), &own, &another(members, live)))
}

/// By the number of a word: A becomes its bits.
fn words(members: usize, live: &BTreeSet<usize>) -> Vec<(u32, Code)> {
    let mut words = vec![0_u32; members.div_ceil(WORD_BITS)];
    for index in live {
        words[index / WORD_BITS] |= 1 << (index % WORD_BITS);
    }
    words.iter().enumerate().map(|(at, word)| (number(at), Code::of(&[Set(*word)]))).collect()
}

/// The hash has a remainder that chose among all members; what is left of it chooses among the live ones. So the
/// flows of one member are spread evenly, too.
fn another(members: usize, live: &BTreeSet<usize>) -> Code {
    let rank = [Recall(HASH), Divide(number(members)), Modulo(number(live.len()))];
    Code::of(&rank).then(&Code::by_range(&runs(live)))
}

/// By the rank of a live member among the live ones: A becomes its index. The same is to be added for all that follow
/// one another.
fn runs(live: &BTreeSet<usize>) -> Vec<(u32, Code)> {
    let mut runs: Vec<(u32, Code)> = Vec::new();
    let mut gap = None;
    for (rank, index) in live.iter().enumerate() {
        if gap.replace(index - rank) != Some(index - rank) {
            runs.push((number(rank), Code::of(&[Add(number(index - rank))])));
        }
    }
    runs
}

/// A becomes a hash of where the packet comes from.
fn hash(salt: u32) -> Code {
    let version = Code::of(&[LoadByte(IP), ShiftRight(4)]);
    let other = Code::of(&[Set(salt)]);
    let six_or_other = Code::either(Question::Equals(6), &ipv6(salt), &other);
    version.then(&Code::either(Question::Equals(4), &ipv4(salt), &six_or_other)).then(&mixed())
}

/// The address at 12; the length of the header, in words, in the lower half of its first byte; then the port.
fn ipv4(salt: u32) -> Code {
    Code::of(&[LoadWord(IP + 12), Xor(salt)]).then(&mixed()).then(&Code::of(&[
        Store(HASH),
        LoadByte(IP),
        And(15),
        ShiftLeft(2),
        CopyToX,
        LoadHalfBeyond(IP),
        RecallToX(HASH),
        XorX,
    ]))
}

/// The address from 8 to 24; at 6 what follows the header of 40 bytes.
fn ipv6(salt: u32) -> Code {
    const TCP: u32 = 6;
    const UDP: u32 = 17;
    let mut address = Code::of(&[LoadWord(IP + 8), Xor(salt)]).then(&mixed());
    for offset in [12, 16, 20] {
        let word = Code::of(&[CopyToX, LoadWord(IP + offset), XorX]);
        address = address.then(&word).then(&mixed());
    }
    let port = Code::of(&[LoadHalf(IP + 40), RecallToX(HASH), XorX]);
    let no_port = Code::of(&[Recall(HASH)]);
    let udp = Code::either(Question::Equals(UDP), &port, &no_port);
    let tail = Code::either(Question::Equals(TCP), &port, &udp);
    address.then(&Code::of(&[Store(HASH), LoadByte(IP + 6)])).then(&tail)
}

/// Each bit of A comes to depend on each: two rounds of a shift and a multiplication by an odd number.
fn mixed() -> Code {
    Code::of(&[
        CopyToX,
        ShiftRight(16),
        XorX,
        Multiply(0x85eb_ca6b),
        CopyToX,
        ShiftRight(13),
        XorX,
        Multiply(0xc2b2_ae35),
        CopyToX,
        ShiftRight(16),
        XorX,
    ])
}

fn number(it: usize) -> u32 {
    u32::try_from(it).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
