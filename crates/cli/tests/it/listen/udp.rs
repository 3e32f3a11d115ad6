//! A UDP socket: all workers receive from the one that the primary has.

use std::collections::BTreeSet;
use std::net::UdpSocket;

use portcrew_testkit::process::Signal;

use super::world::{crew, python};
use crate::crew::HANG;

/// Sends so many datagrams one after another, each after the answer to the last; the pids that answered.
fn ask(client: &UdpSocket, times: usize) -> BTreeSet<u32> {
    let mut pids = BTreeSet::new();
    for number in 0..times {
        client.send(number.to_string().as_bytes()).unwrap();
        let mut buffer = [0; 64];
        let length = client.recv(&mut buffer).expect("an answer");
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        let (pid, said) = text.split_once(' ').unwrap();
        assert_eq!(said, number.to_string());
        pids.insert(pid.parse().unwrap());
    }
    pids
}

#[test]
fn datagrams_reach_the_workers_also_after_one_was_killed() {
    let Some(python) = python() else { return };
    let crew = crew(&python, &["-w", "2", "--listen", "udp:127.0.0.1:0"], "udp.py", &[]);
    crew.all_serve(2);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(HANG)).unwrap();
    client.connect(crew.address()).unwrap();
    let before = crew.pids_when(2);
    assert!(ask(&client, 50).is_subset(&before));
    let victim = *before.first().unwrap();
    crew.process.signal_descendant(victim, Signal::Kill).unwrap();
    crew.says("was ended by SIGKILL");
    assert!(!ask(&client, 50).contains(&victim));
}
