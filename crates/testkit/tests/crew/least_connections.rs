//! Open connections, counted exactly for programs that know nothing of it, and dealt out by their number.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use portcrew::{Counter, Event, ListenerSnapshot, Policy, Scheduling, Settings};
use portcrew_testkit::node::Node;
use portcrew_testkit::process::artifact::example;
use portcrew_testkit::process::eventually;
use portcrew_testkit::require_node;

use crate::kept::{Kept, share};
use crate::local::{Local, node as node_settings};
use crate::support::HANG;

/// Unmodified Node servers, whose connections stay open.
fn node_crew(node: &Node, policy: Policy) -> Settings {
    let mut settings = node_settings(node, &[], "keepalive.js").env("KEEP_ALIVE_MS", "60000");
    settings.policy = policy;
    settings.silent()
}

fn rust_crew(policy: Policy) -> Settings {
    let mut settings = Settings::program(example("axum_hello"), [""; 0]).env("PORT", "0");
    settings.policy = policy;
    settings
}

impl Local {
    /// Forks, and waits until all of them listen. Where they do.
    pub(crate) fn listening(&mut self, workers: usize) -> SocketAddr {
        let mut port = None;
        for _ in 0..workers {
            self.fork();
        }
        for _ in 0..workers {
            port = self.until(|event| match event {
                Event::Listening { address, .. } => Some(address.port),
                _ => None,
            });
        }
        (Ipv4Addr::LOCALHOST, port.unwrap()).into()
    }

    pub(crate) fn listener(&self) -> ListenerSnapshot {
        let snapshot = self.run(self.cluster.snapshot()).unwrap();
        snapshot.listeners.into_iter().next().unwrap()
    }

    /// What each worker has open, in the order of their numbers; 0 that they have none, `None` that nobody knows.
    pub(crate) fn live(&self) -> Vec<Option<u32>> {
        let mut views = self.listener().views;
        views.sort_by_key(|view| view.worker);
        views.iter().map(|view| view.live).collect()
    }

    /// Waits until each worker has so many open.
    pub(crate) fn wait_live(&self, expected: &[u32]) {
        let expected: Vec<_> = expected.iter().copied().map(Some).collect();
        let what = format!("{expected:?} are open");
        eventually(&what, HANG, || (self.live() == expected).then_some(()));
    }

    /// So many clients that stay, one after another. The driver runs meanwhile.
    pub(crate) fn keep(&self, clients: usize, to: SocketAddr) -> Vec<Kept> {
        self.clients(move || (0..clients).map(|_| Kept::open(to)).collect())
    }

    /// What clients do in a thread of their own, while the driver runs.
    pub(crate) fn clients<T: Send + 'static>(&self, act: impl FnOnce() -> T + Send + 'static) -> T {
        self.run(async { tokio::task::spawn_blocking(act).await }).unwrap()
    }
}

#[test]
fn sixteen_connections_that_stay_are_four_each_and_the_next_go_where_some_are_missing() {
    let node = require_node!();
    for settings in
        [node_crew(&node, Policy::LeastConnections), rust_crew(Policy::LeastConnections)]
    {
        let mut local = Local::new(settings);
        let address = local.listening(4);
        let mut clients = local.keep(16, address);
        assert_eq!(share(&clients), (1..=4).map(|id| (id, 4)).collect());
        local.wait_live(&[4, 4, 4, 4]);
        // All four of the first, three of the second, one of the third.
        for (worker, leave) in [(1, 4), (2, 3), (3, 1)] {
            for _ in 0..leave {
                let place = clients.iter().position(|it| it.worker == worker).unwrap();
                drop(clients.remove(place));
            }
        }
        local.wait_live(&[0, 1, 3, 4]);
        let newcomers = local.keep(8, address);
        assert_eq!(share(&newcomers), [(1, 4), (2, 3), (3, 1)].into());
        local.wait_live(&[4, 4, 4, 4]);
        clients.extend(newcomers);
        let stay = local.clients(move || clients.iter_mut().all(|it| it.asks() == it.worker));
        assert!(stay, "a request on a kept connection stays with its worker");
    }
}

#[test]
fn the_kernel_is_said_to_count() {
    let mut local = Local::new(rust_crew(Policy::LeastConnections));
    local.listening(1);
    let by = local.until(|event| match event {
        Event::Scheduling { news: Scheduling::Counted { by }, .. } => Some(*by),
        _ => None,
    });
    assert_eq!(by, Counter::Kernel);
}

#[test]
fn under_round_robin_sixteen_that_come_at_once_are_four_each() {
    let node = require_node!();
    let mut local = Local::new(node_crew(&node, Policy::RoundRobin));
    let address = local.listening(4);
    let clients = local.clients(move || {
        let dialled: Vec<_> = (0..16).map(|_| TcpStream::connect(address).unwrap()).collect();
        let ask = crate::kept::request("/", "");
        dialled.into_iter().map(|stream| Kept::start(stream, &ask)).collect::<Vec<_>>()
    });
    assert_eq!(share(&clients), (1..=4).map(|id| (id, 4)).collect());
    assert_eq!(local.live(), [None; 4], "nobody needs to count");
}

#[test]
fn twenty_thousand_connections_of_others_change_no_count() {
    let mut local = Local::new(rust_crew(Policy::LeastConnections));
    let address = local.listening(2);
    let clients = local.keep(6, address);
    local.wait_live(&[3, 3]);
    local.clients(|| {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        for _ in 0..20_000 {
            let client = TcpStream::connect(address).unwrap();
            let (server, _) = other.accept().unwrap();
            // A reset leaves no port in TIME_WAIT.
            rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
            drop((client, server));
        }
    });
    assert_eq!(local.live(), [Some(3), Some(3)]);
    drop(clients);
    local.wait_live(&[0, 0]);
}

#[test]
fn a_worker_that_is_killed_has_none_open_and_costs_no_count_of_the_others() {
    let mut local = Local::new(rust_crew(Policy::LeastConnections));
    let address = local.listening(3);
    let clients = local.keep(6, address);
    local.wait_live(&[2, 2, 2]);
    let first = local.cluster.workers()[0].clone();
    first.kill(portcrew::Signal::Kill);
    local.exit(first.id());
    local.wait_live(&[2, 2]);
    let newcomers = local.keep(2, address);
    assert_eq!(share(&newcomers), [(2, 1), (3, 1)].into());
    drop(clients);
    local.wait_live(&[1, 1]);
}

#[test]
fn what_was_open_before_the_policy_was_set_is_found() {
    let node = require_node!();
    for settings in [node_crew(&node, Policy::RoundRobin), rust_crew(Policy::RoundRobin)] {
        let mut local = Local::new(settings);
        let address = local.listening(3);
        let mut clients = local.keep(9, address);
        clients.retain(|it| it.worker != 2);
        local.cluster.set_policy(Policy::LeastConnections).unwrap();
        local.wait_live(&[3, 0, 3]);
        let newcomers = local.keep(3, address);
        assert_eq!(share(&newcomers), [(2, 3)].into());
        drop(clients);
        local.wait_live(&[0, 3, 0]);
        // Not needed any more: nobody counts.
        local.cluster.set_policy(Policy::RoundRobin).unwrap();
        assert_eq!(local.live(), [None; 3]);
        local.cluster.set_policy(Policy::LeastConnections).unwrap();
        local.wait_live(&[0, 3, 0]);
        drop(newcomers);
        local.wait_live(&[0, 0, 0]);
    }
}
