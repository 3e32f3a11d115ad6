//! What no worker may send: written as raw bytes to the channel or the lane.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use portcrew_ipc::lane::{Ended, LANE_BATCH, LaneWorker};
use portcrew_ipc::socket;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{Shutdown, shutdown};

use crate::join::Rogue;

/// More than a primary puts up with.
const MANY: usize = 300;
/// Far beyond the longest line, in bytes.
const HUGE: usize = 1 << 30;

/// Plays the part to its end, or until the primary closes.
pub(crate) fn attack(rogue: &mut Rogue, part: &str) -> io::Result<()> {
    let channel = rogue.channel.as_fd();
    let lane = || {
        let lane = rogue.lane.as_ref().map(|lane| lane.as_fd());
        lane.ok_or_else(|| io::Error::other("this part needs the lane"))
    };
    let written = match part {
        "garbage" => repeat(channel, garbage),
        "huge" => huge(channel),
        "flood" => flood(channel),
        "brackets" => repeat(channel, |_| [vec![b'['; 100_000], vec![b'\n']].concat()),
        "unknown" => repeat(channel, |n| format!("{{\"cmd\":\"NODE_FUTURE_{n}\"}}\n").into_bytes()),
        "acts" => repeat(channel, act),
        "forged" => repeat(channel, forged),
        "listeners" => listeners(channel),
        "questions" => repeat(channel, |_| question()),
        "sockets" => sockets(channel, |n| format!("{{\"n\":{n}}}\n").into_bytes()),
        "lane-garbage" => repeat(lane()?, |n| garbage(n + 1)),
        "lane-flood" => return ends(rogue.lane.as_mut()),
        "lane-sockets" => sockets(lane()?, |_| vec![1, 2, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]),
        _ => return Err(io::Error::other("no such part")),
    };
    match written {
        // The primary has closed before all was said.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn repeat(to: BorrowedFd<'_>, line: impl Fn(usize) -> Vec<u8>) -> io::Result<()> {
    (0..MANY).try_for_each(|n| write_all(to, &line(n), &[]))
}

/// Lines of bytes that are no text, with every value but the line's end.
fn garbage(n: usize) -> Vec<u8> {
    let bytes = (0..=255u8).map(|byte| byte.wrapping_mul(7).wrapping_add(n as u8));
    let mut line: Vec<_> = bytes.filter(|byte| *byte != b'\n').collect();
    line.push(b'\n');
    line
}

/// Answers for connections that this worker never had: of others, and of the future.
fn forged(n: usize) -> Vec<u8> {
    let accepted = n % 2 == 0;
    format!("{{\"cmd\":\"NODE_CLUSTER\",\"ack\":{n},\"seq\":{n},\"accepted\":{accepted}}}\n")
        .into_bytes()
}

/// A cluster message that nobody knows.
fn act(n: usize) -> Vec<u8> {
    format!("{{\"cmd\":\"NODE_CLUSTER\",\"act\":\"future{n}\",\"seq\":{n}}}\n").into_bytes()
}

/// Says that it listens where it has never asked to, closes what others have, and ends the channel.
fn listeners(to: BorrowedFd<'_>) -> io::Result<()> {
    let address = r#""address":"127.0.0.1","addressType":4"#;
    repeat(to, |n| {
        let port = 10_000 + n;
        format!("{{\"cmd\":\"NODE_CLUSTER\",\"act\":\"listening\",\"port\":{port},{address}}}\n")
            .into_bytes()
    })?;
    repeat(to, |_| {
        let close = r#""act":"close","key":"127.0.0.1:0:4:undefined:0""#;
        format!("{{\"cmd\":\"NODE_CLUSTER\",{close}}}\n").into_bytes()
    })?;
    Ok(shutdown(to, Shutdown::Write)?)
}

/// A question whose answer is as long, and is never read.
fn question() -> Vec<u8> {
    let key = "k".repeat(60_000);
    format!("{{\"cmd\":\"NODE_SOCKET_GET_COUNT\",\"key\":\"{key}\"}}\n").into_bytes()
}

/// Allowed messages that mean nothing, for as long as anybody reads.
fn flood(to: BorrowedFd<'_>) -> io::Result<()> {
    let lines = b"{\"cmd\":\"NODE_SOCKET_ALL_CLOSED\",\"key\":\"\"}\n".repeat(1000);
    println!("READY");
    loop {
        write_all(to, &lines, &[])?;
        println!("A THOUSAND");
    }
}

/// Ends of connections that never were, for as long as anybody reads: they mean nothing, and are allowed.
fn ends(lane: Option<&mut LaneWorker>) -> io::Result<()> {
    let lane = lane.ok_or_else(|| io::Error::other("this part needs the lane"))?;
    println!("READY");
    let ended: Vec<_> = (0..LANE_BATCH as u64).map(|seq| Ended { seq }).collect();
    loop {
        if lane.try_tell_ended(&ended).map_err(io::Error::other)? == 0 {
            poll(&mut [PollFd::new(&*lane, PollFlags::OUT)], None)?;
        }
    }
}

fn huge(to: BorrowedFd<'_>) -> io::Result<()> {
    let piece = vec![b'a'; 1 << 20];
    (0..HUGE / piece.len()).try_for_each(|_| write_all(to, &piece, &[]))
}

/// Descriptors with messages that carry none, several at a time.
fn sockets(to: BorrowedFd<'_>, line: impl Fn(usize) -> Vec<u8>) -> io::Result<()> {
    let file = File::open("/dev/null")?;
    let some = [file.as_fd(); 3];
    (0..MANY).try_for_each(|n| write_all(to, &line(n), &some))
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8], mut fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket::send(to, bytes, fds) {
            Ok(count) => {
                bytes = &bytes[count..];
                fds = &[];
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(&to, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
