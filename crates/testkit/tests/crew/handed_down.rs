//! `Settings::listen`: workers of a library's primary that are started with sockets in place of a channel.

use std::net::{SocketAddr, TcpStream};

use portcrew::{
    Cluster, CrewNotice, Error, Event, ListenerName, Outcome, Policy, Result, Settings, State,
};
use tokio::time::timeout;

use crate::support::{HANG, ROLE};

/// A program that does nothing, and ends by the first signal.
fn idle(listen: &[&str]) -> Settings {
    let mut settings = Settings::program("/bin/sh", ["-c", "exec sleep 1000"]);
    settings.helper = Some(ROLE.into());
    let add = |settings: Settings, address: &&str| settings.listen(address);
    listen.iter().try_fold(settings, add).unwrap()
}

async fn next(cluster: &mut Cluster, mut is_it: impl FnMut(&Event) -> bool) -> Event {
    loop {
        let event = timeout(HANG, cluster.next_event()).await.expect("an event").unwrap();
        if is_it(&event) {
            return event;
        }
    }
}

/// Where the primary listens.
async fn opened(cluster: &mut Cluster) -> SocketAddr {
    match next(cluster, |it| matches!(it, Event::Opened { .. })).await {
        Event::Opened { address, .. } => address.to_string().parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_worker_that_is_forked_by_hand_leaves_by_its_signal_and_the_socket_stays() {
    let mut cluster = Cluster::new(idle(&["127.0.0.1:0"])).unwrap();
    let address = opened(&mut cluster).await;
    for _ in 0..2 {
        let worker = cluster.fork().await.unwrap();
        assert!(!worker.is_connected() && matches!(worker.send("hear"), Err(Error::Disconnected)));
        let snapshot = cluster.snapshot().await.unwrap();
        let listener = &snapshot.listeners[0];
        assert_eq!((listener.descriptor, &listener.holders[..]), (Some(3), &[worker.id()][..]));
        assert!(listener.shared && listener.accepted.is_none());
        assert!(snapshot.workers[0].accepts_itself && snapshot.workers[0].dialect.is_none());
        // Nothing here bounds how long that may take.
        timeout(HANG, cluster.disconnect()).await.expect("it leaves");
        assert_eq!((worker.state(), worker.is_dead()), (State::Dead, true));
        assert!(TcpStream::connect(address).is_ok(), "the socket is the primary's");
    }
}

#[tokio::test]
async fn of_a_worker_without_a_channel_its_exit_is_told_and_no_end_of_a_channel() {
    let mut cluster = Cluster::new(idle(&["127.0.0.1:0"])).unwrap();
    let worker = cluster.fork().await.unwrap();
    worker.close_channel();
    assert!(!worker.is_dead());
    worker.kill(portcrew::Signal::Kill);
    let inside = next(&mut cluster, |it| {
        assert!(!matches!(it, Event::Disconnect { .. }), "{it:?}");
        matches!(it, Event::DiedInside { .. })
    });
    assert!(matches!(inside.await, Event::DiedInside { open: None, planned: false, .. }));
    assert!(cluster.workers().is_empty());
}

#[tokio::test]
async fn a_crew_that_has_finished_has_let_go_of_its_address_and_gets_no_worker_more() {
    let mut cluster = Cluster::new(idle(&["127.0.0.1:0"])).unwrap();
    let address = opened(&mut cluster).await;
    cluster.start(2).unwrap();
    next(&mut cluster, |it| matches!(it, Event::Crew(CrewNotice::Ready { .. }))).await;
    cluster.stop().unwrap();
    let last = next(&mut cluster, |it| matches!(it, Event::Finished(_))).await;
    assert!(matches!(last, Event::Finished(Outcome::Stopped)));
    assert!(TcpStream::connect(address).is_err());
    assert!(matches!(cluster.fork().await, Err(Error::Disconnected)));
}

#[tokio::test]
async fn what_is_listened_on_stays_when_the_settings_are_others() {
    let mut cluster = Cluster::new(idle(&["127.0.0.1:0"])).unwrap();
    let address = opened(&mut cluster).await;
    cluster.setup(idle(&[])).unwrap();
    let worker = cluster.fork().await.unwrap();
    assert!(!worker.is_connected());
    assert_eq!(cluster.settings().listen.len(), 1);
    assert!(TcpStream::connect(address).is_ok());
}

#[tokio::test]
async fn no_policy_and_no_scheduler_is_for_workers_that_take_connections_themselves() {
    let refused = |outcome: Result<()>| match outcome {
        Err(Error::Setting { setting: "policy" | "listen", reason }) => {
            assert!(reason.contains("nobody hands them over"), "{reason}");
        }
        other => panic!("{other:?}"),
    };
    let scheduler = || portcrew::scheduler::RoundRobin;
    refused(Cluster::with_scheduler(idle(&["127.0.0.1:0"]), scheduler()).map(drop));
    let cluster = Cluster::new(idle(&["127.0.0.1:0"])).unwrap();
    refused(cluster.set_policy(Policy::RoundRobin));
    refused(cluster.set_policy_of(ListenerName::Port(80), Policy::LeastConnections));
    refused(cluster.set_scheduler(scheduler()));
    cluster.set_policy(Policy::Shared).unwrap();
}
