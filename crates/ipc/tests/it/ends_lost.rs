//! Messages that were lost: that is told, and a survey puts everything right.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::HashSet;
use std::future::poll_fn;
use std::os::fd::AsFd;

use portcrew_ipc::ends::{Cookie, Ends, MESSAGES_PER_POLL, News, Survey};
use rustix::net::sockopt;

use crate::common::DEADLINE;
use crate::common::ends_world::{World, name, news, over, port};

/// Of the connections that end in a test, how many a buffer of the smallest size cannot hold.
const CONNECTIONS: usize = 50;

/// An `Ends` that loses almost everything, beside one that does not. The kernel tells the one that was opened last
/// first: what the other one was told, it has been told, or has lost.
struct Lossy {
    world: World,
    small: Ends,
}

impl Lossy {
    fn new() -> Self {
        let (world, small) = (World::new(), Ends::open().unwrap());
        sockopt::set_socket_recv_buffer_size(small.as_fd(), 1).unwrap();
        small.set_ports(&[port(&world.listener)]).unwrap();
        Self { world, small }
    }

    /// Connections that have ended, and their clients, that are still there.
    async fn lose(&mut self) -> (HashSet<Cookie>, Vec<std::net::TcpStream>) {
        let (servers, clients): (Vec<_>, Vec<_>) =
            (0..CONNECTIONS).map(|_| self.world.connect()).unzip();
        let known = servers.iter().map(name).collect();
        drop(servers);
        let told = self.world.told(CONNECTIONS).await;
        assert_eq!(told.into_iter().collect::<HashSet<_>>(), known);
        (known, clients)
    }
}

#[tokio::test]
async fn a_loss_is_told_and_the_survey_knows_what_was_missed() {
    let mut lossy = Lossy::new();
    let (open, client) = lossy.world.connect();
    let (lost, _clients) = lossy.lose().await;
    let mut told = Vec::new();
    while news(&mut lossy.small, &mut told).await == News::Ended {}
    assert!(told.len() < CONNECTIONS, "nothing was lost");

    let asked = lost.iter().copied().chain([name(&open)]).collect();
    let survey = Survey::start(asked, &[port(&lossy.world.listener)]).unwrap();
    assert_eq!(tokio::time::timeout(DEADLINE, survey).await.unwrap().unwrap(), lost);

    // From here on nothing is missing.
    let known = name(&open);
    drop(open);
    told.clear();
    assert_eq!(news(&mut lossy.small, &mut told).await, News::Ended);
    assert_eq!(told, [known]);
    drop(client);
}

#[tokio::test]
async fn a_loss_is_told_after_all_that_came_through_and_once() {
    let mut lossy = Lossy::new();
    let (lost, _clients) = lossy.lose().await;
    let mut told = Vec::new();
    while news(&mut lossy.small, &mut told).await == News::Ended {}
    assert!(told.iter().all(|it| lost.contains(it)));
    let (open, _client) = lossy.world.connect();
    let known = name(&open);
    drop(open);
    told.clear();
    assert_eq!(news(&mut lossy.small, &mut told).await, News::Ended);
    assert_eq!(told, [known]);
}

#[tokio::test]
async fn a_poll_is_bounded_and_the_rest_waits() {
    // As many as the smallest usual buffer holds.
    const CONNECTIONS: usize = MESSAGES_PER_POLL + 20;
    let mut world = World::new();
    let mut later = Ends::open().unwrap();
    later.set_ports(&[port(&world.listener)]).unwrap();
    let (servers, _clients): (Vec<_>, Vec<_>) = (0..CONNECTIONS).map(|_| world.connect()).unzip();
    drop(servers);
    world.told(CONNECTIONS).await;
    let mut told = Vec::new();
    assert_eq!(news(&mut later, &mut told).await, News::Ended);
    assert_eq!(told.len(), MESSAGES_PER_POLL);
    assert_eq!(news(&mut later, &mut told).await, News::Ended);
    assert_eq!(told.len(), CONNECTIONS);
}

#[tokio::test]
async fn a_dropped_wait_loses_nothing() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let known = name(&server);
    let mut told = Vec::new();
    let waiting = poll_fn(|cx| world.ends.poll_next(cx, &mut told));
    tokio::select! {
        biased;
        _ = waiting => panic!("nothing has ended"),
        () = std::future::ready(()) => {}
    }
    drop(server);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_survey_of_more_than_one_piece_finds_the_few_that_are_over() {
    // An answer has 280 of them in a piece.
    let world = World::new();
    let (mut servers, clients): (Vec<_>, Vec<_>) = (0..1000).map(|_| world.connect()).unzip();
    let ports = [port(&world.listener)];
    let all: HashSet<_> = servers.iter().map(name).collect();
    let ended: Vec<_> = servers.drain(300..310).collect();
    let known: HashSet<_> = ended.iter().map(name).collect();
    drop(ended);
    let survey = Survey::start(all, &ports).unwrap();
    assert_eq!(tokio::time::timeout(DEADLINE, survey).await.unwrap().unwrap(), known);
    drop(clients);
}

#[tokio::test]
async fn a_survey_of_nothing_and_one_of_the_unknown() {
    let world = World::new();
    let survey = Survey::start(HashSet::new(), &[port(&world.listener)]).unwrap();
    assert_eq!(survey.await.unwrap(), HashSet::new());
    let unknown = Cookie(u64::MAX);
    assert_eq!(over([unknown], &[port(&world.listener)]).await, [unknown].into());
}
