//! Whoever holds a connection: only the last close tells.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::HashSet;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use portcrew_ipc::socket;
use portcrew_ipc::spawn::{Extra, SpawnSpec, Spawned, Stdio, spawn};

use crate::common::ends_world::{World, name, over, port};

/// A process that holds connections and does nothing else. It ends when its input does, a killed test included.
struct Holder(Spawned);

impl Holder {
    fn of(connections: impl IntoIterator<Item = TcpStream>) -> Self {
        let stdio = (Stdio::Piped, Stdio::Null, Stdio::Null);
        let mut spec = SpawnSpec::new("/bin/cat").channel(false).stdio(stdio.0, stdio.1, stdio.2);
        for (number, connection) in (3..).zip(connections) {
            spec = spec.extra(number, Extra::Given(Arc::new(OwnedFd::from(connection))));
        }
        // The copies of this process are closed with `spec`.
        Self(spawn(&spec).unwrap())
    }

    async fn killed(mut self) {
        self.0.process.signal(9).unwrap();
        self.0.process.wait().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_descriptor_keeps_the_connection() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let known = name(&server);
    let copy = server.try_clone().unwrap();
    drop(server);
    assert_eq!(world.told_so_far().await, []);
    drop(copy);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_worker_holds_it_after_the_primary_has_closed_its_copy() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let (known, ports) = (name(&server), [port(&world.listener)]);
    let worker = Holder::of([server.try_clone().unwrap()]);
    drop(server);
    assert_eq!(world.told_so_far().await, []);
    assert_eq!(over([known], &ports).await, HashSet::new());
    worker.killed().await;
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn the_primary_holds_it_after_the_worker_was_killed() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let known = name(&server);
    Holder::of([server.try_clone().unwrap()]).killed().await;
    assert_eq!(world.told_so_far().await, []);
    drop(server);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_worker_that_is_killed_ends_all_that_it_holds_alone() {
    let mut world = World::new();
    let (servers, _clients): (Vec<_>, Vec<_>) = (0..20).map(|_| world.connect()).unzip();
    let known: HashSet<_> = servers.iter().map(name).collect();
    let worker = Holder::of(servers);
    assert_eq!(world.told_so_far().await, []);
    worker.killed().await;
    assert_eq!(world.told(20).await.into_iter().collect::<HashSet<_>>(), known);
}

#[tokio::test]
async fn a_connection_on_its_way_between_two_processes_is_held() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let (known, ports) = (name(&server), [port(&world.listener)]);
    let (sender, receiver) = socket::pair_stream().unwrap();
    assert_eq!(socket::send(&sender, b"x", &[server.as_fd()]).unwrap(), 1);
    drop(server);
    assert_eq!(world.told_so_far().await, []);
    assert_eq!(over([known], &ports).await, HashSet::new());
    let received = socket::recv(&receiver, &mut [0]).unwrap();
    assert_eq!(name(&received.fds[0]), known);
    assert_eq!(world.told_so_far().await, []);
    drop(received);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_connection_that_was_sent_to_a_dead_process_ends_with_the_queue() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let known = name(&server);
    let (sender, receiver) = socket::pair_stream().unwrap();
    assert_eq!(socket::send(&sender, b"x", &[server.as_fd()]).unwrap(), 1);
    drop((server, sender, receiver));
    assert_eq!(world.told(1).await, [known]);
}
