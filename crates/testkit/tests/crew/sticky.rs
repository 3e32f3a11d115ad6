//! The same client to the same worker: by its address, by what it says first, or by what its proxy says.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use portcrew::{Event, LookFor, Policy, Settings, Signal, Sticky};
use portcrew_testkit::process::eventually;

use crate::kept::{Kept, dial, request, share};
use crate::local::Local;
use crate::support::{HANG, SERVER};

const CLIENTS: u16 = 1_000;
const WORKERS: usize = 8;

fn crew(sticky: Sticky) -> Settings {
    let mut settings = Settings::program(SERVER, [""; 0]);
    settings.policy = Policy::Sticky(sticky);
    settings
}

fn by(value: LookFor) -> Settings {
    crew(Sticky::by_value(value))
}

/// Where each of a thousand clients is served. Workers are told by their places in the crew.
fn homes(local: &Local, to: SocketAddr, places: &BTreeMap<u32, usize>) -> Vec<usize> {
    let places = places.clone();
    local.clients(move || {
        let at = |number: u16| {
            Ipv4Addr::from([127, 1, number.to_be_bytes()[0], number.to_be_bytes()[1]])
        };
        (1..=CLIENTS).map(|number| places[&Kept::from(at(number), to).worker]).collect()
    })
}

/// Waits for so many that listen; in which place of the crew each of them is.
fn places(local: &mut Local, count: usize) -> (SocketAddr, BTreeMap<u32, usize>) {
    let mut port = None;
    for _ in 0..count {
        port = local.until(|event| match event {
            Event::Listening { address, .. } => Some(address.port),
            _ => None,
        });
    }
    let views = local.listener().views;
    let place = |seat| match seat {
        portcrew::scheduler::Seat::Slot(slot) => slot.0,
        portcrew::scheduler::Seat::Alone(_) => panic!("a worker of no crew"),
    };
    let places = views.iter().map(|view| (view.worker.0, place(view.seat))).collect();
    ((Ipv4Addr::LOCALHOST, port.unwrap()).into(), places)
}

#[test]
fn a_killed_worker_moves_only_its_own_clients_and_its_successor_gets_them_back() {
    let mut local = Local::new(crew(Sticky::default()));
    local.cluster.start(WORKERS).unwrap();
    let (address, before) = places(&mut local, WORKERS);
    let homes_before = homes(&local, address, &before);
    assert_eq!(homes(&local, address, &before), homes_before, "each stays where it was");
    let (victim, lost) = before.iter().next().map(|(id, place)| (*id, *place)).unwrap();
    let victim = local.cluster.worker(portcrew::WorkerId(victim)).unwrap();
    // Stopped first: its successor comes when it is dead, and until then nobody answers for it.
    victim.kill(Signal::Kill);
    local.exit(victim.id());
    let (address, after) = places(&mut local, 1);
    let homes_after = homes(&local, address, &after);
    assert_eq!(homes_after, homes_before, "the successor has the clients of its place");
    assert!(homes_before.iter().filter(|it| **it == lost).count() > 60);
    local.cluster.scale(-1).unwrap();
    let gone = local.until(|event| match event {
        Event::Exit { worker, .. } => Some(*worker),
        _ => None,
    });
    let gone = after[&gone.0];
    let homes_fewer = homes(&local, address, &after);
    for (before, now) in homes_after.iter().zip(&homes_fewer) {
        assert!(before == now || *before == gone, "a client of {before} moved to {now}");
        assert_ne!(*now, gone);
    }
}

#[test]
fn a_cookie_a_header_or_a_parameter_decides_wherever_the_client_is() {
    type Ask = fn(&str) -> String;
    let cases: [(LookFor, Ask); 3] = [
        (LookFor::Cookie("sid".into()), |value| {
            request("/", &format!("Cookie: a=1; sid={value}\r\n"))
        }),
        (LookFor::Header("X-User".into()), |value| request("/", &format!("x-user: {value}\r\n"))),
        (LookFor::Query("sid".into()), |value| {
            request(&format!("/socket.io/?EIO=4&transport=polling&sid={value}"), "")
        }),
    ];
    for (value, ask) in cases {
        let mut local = Local::new(by(value));
        local.cluster.start(4).unwrap();
        let (address, _) = places(&mut local, 4);
        let served: Vec<Vec<u32>> = local.clients(move || {
            let times = |user: u8| (1..=5).map(move |source| (user, source));
            let serve = |(user, source)| {
                let stream = dial(Ipv4Addr::from([127, 0, user, source]), address);
                Kept::start(stream, &ask(&format!("user-{user}"))).worker
            };
            (1..=20).map(|user| times(user).map(serve).collect()).collect()
        });
        assert!(served.iter().all(|it| it.iter().all(|worker| *worker == it[0])), "{served:?}");
        assert!(served.iter().any(|it| it[0] != served[0][0]), "all have one worker");
    }
}

#[test]
fn a_head_that_comes_in_pieces_is_waited_for_and_one_without_the_value_goes_by_address() {
    let mut local = Local::new(by(LookFor::Cookie("sid".into())));
    local.cluster.start(4).unwrap();
    let (address, _) = places(&mut local, 4);
    let (whole, pieces, without) = local.clients(move || {
        let head = request("/", "Cookie: sid=abc\r\n");
        let whole = Kept::saying(address, &head).worker;
        let mut stream = dial(Ipv4Addr::new(127, 9, 9, 9), address);
        let (last, first) = head.as_bytes().split_last().unwrap();
        for byte in first {
            stream.write_all(&[*byte]).unwrap();
        }
        let pieces = Kept::start(stream, std::str::from_utf8(&[*last]).unwrap()).worker;
        let without = (0..4).map(|_| Kept::saying(address, &request("/", "")).worker);
        (whole, pieces, without.collect::<Vec<_>>())
    });
    assert_eq!(whole, pieces);
    assert!(without.iter().all(|worker| *worker == without[0]), "one address, one worker");
}

#[test]
fn a_proxy_says_who_the_client_is_in_either_version() {
    let mut sticky = Sticky::default();
    sticky.proxy = true;
    let mut local = Local::new(crew(sticky));
    local.cluster.start(4).unwrap();
    let (address, _) = places(&mut local, 4);
    assert_eq!(local.listener().policy, "sticky");
    // The worker reads the header too: a plain server calls it no request, so what it took is asked of the primary.
    let taken = |local: &Local| -> BTreeMap<u32, u64> {
        let views = local.listener().views;
        views.iter().map(|view| (view.worker.0, view.given)).collect()
    };
    for (first, second) in [(1u8, 1u8), (2, 2)] {
        let before = taken(&local);
        local.clients(move || {
            for version in [first, second] {
                let mut stream = dial(Ipv4Addr::LOCALHOST, address);
                let text = format!("PROXY TCP4 192.0.2.{version} 192.0.2.99 4711 80\r\n");
                stream.write_all(text.as_bytes()).unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                let mut rest = Vec::new();
                // Whatever the server makes of it, it ends.
                let _ = std::io::Read::read_to_end(&mut stream, &mut rest);
                let mut binary = dial(Ipv4Addr::LOCALHOST, address);
                let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
                bytes.extend([192, 0, 2, version, 192, 0, 2, 99, 0x12, 0x67, 0, 80]);
                binary.write_all(&bytes).unwrap();
                binary.shutdown(std::net::Shutdown::Write).unwrap();
                let _ = std::io::Read::read_to_end(&mut binary, &mut rest);
            }
        });
        let changed: Vec<_> = taken(&local)
            .into_iter()
            .filter(|(worker, count)| before[worker] != *count)
            .map(|(worker, count)| (worker, count - before[&worker]))
            .collect();
        assert_eq!(changed.len(), 1, "one client, one worker: {changed:?}");
        assert_eq!(changed[0].1, 4);
    }
}

#[test]
fn a_client_that_says_nothing_is_served_when_its_time_is_over() {
    let mut local = Local::new(by(LookFor::Cookie("sid".into())));
    local.cluster.start(2).unwrap();
    let (address, _) = places(&mut local, 2);
    let client = local.clients(move || dial(Ipv4Addr::LOCALHOST, address));
    eventually("the address decides in the end", HANG, || {
        let snapshot = local.run(local.cluster.snapshot()).unwrap();
        (snapshot.ledger.looked_in_vain == 1).then_some(())
    });
    let kept = local.clients(move || Kept::start(client, &request("/", "")));
    assert_eq!(share([&kept]).len(), 1);
}
