//! Beginnings of connections, cut anywhere: no bytes make the parsers panic, and nothing that was told of a
//! beginning is taken back when more comes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::net::{IpAddr, SocketAddr};

use portcrew_ipc::peek::{Glance, Key, KeyHash, Look, Seen, route};
use proptest::prelude::*;
use proptest::sample::Index;

fn looks(head_bytes: u16) -> Vec<Look> {
    let keys = [Key::cookie("sid"), Key::header("x-sid"), Key::query("sid")];
    let keys = keys.map(|key| Some(key.unwrap())).into_iter().chain([None]);
    keys.flat_map(|key| [false, true].map(|proxy| Look { proxy, key: key.clone(), head_bytes }))
        .collect()
}

/// Judges every beginning, and says how often the answer was more than a wait for bytes.
fn nothing_is_taken_back(look: &Look, bytes: &[u8]) {
    let mut before = Glance::NeedMore(Seen::default());
    for length in 0..=bytes.len() {
        let now = look.judge(&bytes[..length]);
        match (before, now) {
            (Glance::Settled(_), _) => assert_eq!(now, before, "at {length}, {look:?}"),
            (Glance::NeedMore(then), Glance::NeedMore(seen) | Glance::Settled(seen)) => {
                assert!(then.source.is_none() || then.source == seen.source, "at {length}");
            }
        }
        before = now;
    }
    if bytes.len() >= look.room() {
        assert!(matches!(before, Glance::Settled(_)), "more is awaited than there is room for");
    }
}

/// Pieces of both protocols and of none, in any order.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 30] = [
        b"PROXY ",
        b"TCP4",
        b"TCP6",
        b"UNKNOWN",
        b" ",
        b"192.0.2.1",
        b"2001:db8::1",
        b"80",
        b"\r\n",
        b"\r",
        b"\n",
        b"\r\n\r\n\0\r\nQUIT\n",
        b"\x21\x11\0\x0c",
        b"\x20\0\0\0",
        b"\0\0\0\0",
        b"GET",
        b"/",
        b"?sid=a",
        b"&sid=b",
        b" HTTP/1.1\r\n",
        b"Cookie",
        b"X-Sid",
        b":",
        b"sid=",
        b"; ",
        b"\"",
        b"\t",
        b"x",
        b"\xff",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// A beginning as it should be, with what is to be seen in it.
#[derive(Debug, Clone)]
struct Proper {
    bytes: Vec<u8>,
    source: Option<SocketAddr>,
    sid: Vec<u8>,
}

fn proper() -> impl Strategy<Value = Proper> {
    let addresses = (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from);
    let header = (prop::option::of(addresses), any::<bool>(), 0..300_usize);
    let head =
        ("[A-Z]{1,7}", "(/[a-z%0-9]{0,8}){1,4}", "[!-:<-~]{1,40}", 0..8_usize, any::<bool>());
    (header, head).prop_map(|((source, text, additions), (method, path, sid, others, crlf))| {
        let sid = sid.replace(['"', '&', '#'], "_");
        let end = if crlf { "\r\n" } else { "\n" };
        let others = format!("X-Other: sid=none{end}").repeat(others);
        let head = format!(
            "{method} {path}?a=1&sid={sid}&b=2 HTTP/1.1{end}{others}\
             cOOkie: a=1; sid={sid}; b=2{end}X-SID:  {sid}\t{end}{others}{end}"
        );
        let proxy = if text { proxy_line(source) } else { proxy_binary(source, additions) };
        Proper { bytes: [proxy, head.into_bytes()].concat(), source, sid: sid.into_bytes() }
    })
}

fn proxy_line(source: Option<SocketAddr>) -> Vec<u8> {
    match source {
        None => b"PROXY UNKNOWN\r\n".to_vec(),
        Some(SocketAddr::V4(it)) => {
            format!("PROXY TCP4 {} 192.0.2.9 {} 80\r\n", it.ip(), it.port()).into_bytes()
        }
        Some(SocketAddr::V6(it)) => {
            let groups = it.ip().segments().map(|group| format!("{group:x}")).join(":");
            format!("PROXY TCP6 {groups} ::9 {} 80\r\n", it.port()).into_bytes()
        }
    }
}

fn proxy_binary(source: Option<SocketAddr>, additions: usize) -> Vec<u8> {
    let port = source.map_or(0, |it| it.port()).to_be_bytes();
    let (command, family, addresses) = match source.map(|it| it.ip()) {
        None => (0x20, 0, Vec::new()),
        Some(IpAddr::V4(ip)) => (0x21, 0x11, [&ip.octets()[..], &[9; 4], &port, &[0, 80]].concat()),
        Some(IpAddr::V6(ip)) => {
            (0x21, 0x21, [&ip.octets()[..], &[9; 16], &port, &[0, 80]].concat())
        }
    };
    let length = u16::try_from(addresses.len() + additions).unwrap().to_be_bytes();
    let fixed = [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length];
    [fixed.concat(), addresses, vec![4; additions]].concat()
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic_or_take_back_what_it_told(
        bytes in prop_oneof![soup(), prop::collection::vec(any::<u8>(), 0..200)],
        head_bytes in prop_oneof![0..300_u16, Just(8192)],
    ) {
        for look in looks(head_bytes) {
            nothing_is_taken_back(&look, &bytes);
        }
    }

    #[test]
    fn a_beginning_with_one_wrong_byte_is_judged_once_and_for_all(
        mut proper in proper(), at in any::<Index>(), byte in any::<u8>(), head_bytes in 0..600_u16,
    ) {
        let at = at.index(proper.bytes.len());
        proper.bytes[at] = byte;
        for look in looks(head_bytes) {
            nothing_is_taken_back(&look, &proper.bytes);
        }
    }

    #[test]
    fn a_proper_beginning_shows_what_was_put_into_it(proper in proper()) {
        for look in looks(8192).into_iter().filter(|look| look.proxy) {
            let key = look.key.is_some().then(|| KeyHash::of(&proper.sid));
            let route = key.and_then(|_| route(&proper.sid));
            let expected = Glance::Settled(Seen { source: proper.source, key, route });
            prop_assert_eq!(look.judge(&proper.bytes), expected, "{:?}", look);
            nothing_is_taken_back(&look, &proper.bytes);
        }
    }
}
