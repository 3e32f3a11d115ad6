//! What a seed draws before the first step: topology, limits, faults.

use std::time::Duration;

use portcrew_core::primary::ListenerName;
use portcrew_core::{Address, Family, Limits, Query};

use super::crew::CrewPlan;
use super::rng::Rng;
use super::spec::{self, Spec};

/// What the kernel chooses where it may.
const CHOSEN_PORT: u16 = 40_000;

/// One world, before it begins.
#[derive(Debug)]
pub struct Plan {
    /// The primary's bounds: small ones, so that they are met.
    pub limits: Limits,
    /// Who accepts and who is chosen: for all listeners, and for some.
    pub rules: Vec<(Option<ListenerName>, Spec)>,
    /// Whether the kernel tells when TCP connections end.
    pub kernel_tells: bool,
    /// What workers listen on.
    pub queries: Vec<Query>,
    /// The first workers.
    pub crew: Vec<Temper>,
    /// A crew's machine decides who is started and who is to leave. None: they are drawn, as all else is.
    pub led: Option<CrewPlan>,
    /// Whether tempers may be bad and processes may be hurt.
    pub faults: bool,
    /// The length of a socket's queue.
    pub backlog: usize,
    /// Connections that the primary may have open.
    pub primary_room: usize,
    /// Messages that fit into a channel.
    pub channel_room: usize,
    /// Packets that fit into a lane.
    pub lane_room: usize,
    /// How often, of a hundred, `bind` fails.
    pub bind_fails: u64,
    /// How long the faulty part lasts.
    pub steps: u64,
}

/// How a worker speaks and behaves.
#[derive(Debug, Clone, Copy)]
pub struct Temper {
    /// Its side of the conversation.
    pub speaks: Speaks,
    /// Its vice.
    pub manner: Manner,
    /// It dies of a hand-over of a listener that it accepts from itself.
    pub alone: bool,
    /// Of which connections it tells the end.
    pub tells: Tells,
    /// Connections that it may have open.
    pub room: usize,
    /// What it makes of SIGTERM.
    pub obeys: Obeys,
}

/// What a process makes of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obeys {
    /// SIGTERM ends it on the spot.
    AtOnce,
    /// It finishes its work after SIGTERM, which takes a while.
    InTime,
    /// It ignores SIGTERM.
    Never,
    /// It ignores SIGTERM, and sleeps in the kernel: also SIGKILL has to wait.
    Late,
}

/// Of which connections a worker tells the end, by the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// Of none.
    Nothing,
    /// Of those of Unix-domain sockets, of which the kernel tells nothing.
    Unprovable,
    /// Of all.
    All,
}

/// A worker's side of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Core's worker machine, with a lane.
    Lane,
    /// Core's worker machine, on the channel alone.
    Channel,
    /// A model of a Node worker.
    Node,
}

/// What is wrong with a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Nothing.
    Honest,
    /// It acts seldom.
    Slow,
    /// It refuses connections.
    Refusing,
    /// It answers what it was not asked.
    Lying,
    /// It dies at this point of a hand-over.
    Crashing(Point),
    /// It closes its channel and lives on.
    Deserting,
    /// Its sockets outlive it in a grandchild.
    Bequeathing,
    /// It ends before it has listened.
    Exiting,
    /// It never listens.
    Mute,
    /// It ends soon after it has listened.
    Brief,
}

/// A point in a hand-over, as the worker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The offer is in its socket.
    BeforeRead,
    /// The offer is read.
    AfterRead,
    /// The answer is out, the connection not yet with the user.
    AfterAnswer,
    /// The connection is with the user, the answer may not be out.
    AfterDeliver,
    /// The user has looked at the bytes and left them where they are.
    AfterPeek,
    /// The user has read a byte, or had some thrown away.
    AfterByte,
    /// The user has written, and the kernel keeps it back.
    AfterCork,
}

impl Plan {
    /// What this seed draws.
    pub fn draw(rng: &mut Rng) -> Self {
        let faults = !rng.percent(10);
        let crew = (0..rng.between(1, 5)).map(|_| Temper::draw(rng, faults));
        let crew: Vec<_> = crew.collect();
        let limits = limits(rng);
        let queries = queries(rng);
        let led = rng.percent(50).then(|| CrewPlan::draw(rng, crew.len(), &queries, faults));
        let most = if led.is_some() { (220, 420) } else { (120, 280) };
        Self {
            limits,
            rules: spec::draw_all(rng, &queries),
            kernel_tells: rng.percent(80),
            queries,
            crew,
            led,
            faults,
            backlog: rng.index(8) + 1,
            primary_room: if rng.percent(25) { 3 + rng.index(6) } else { 1_000 },
            channel_room: rng.index(5) + 2,
            lane_room: rng.index(3) + 1,
            bind_fails: if faults { 10 } else { 0 },
            steps: rng.between(most.0, most.1),
        }
    }
}

impl Temper {
    /// A good worker on the lane.
    pub const HONEST: Self = Self {
        speaks: Speaks::Lane,
        manner: Manner::Honest,
        alone: false,
        tells: Tells::All,
        room: 1_000,
        obeys: Obeys::InTime,
    };

    /// Any worker.
    pub fn draw(rng: &mut Rng, faults: bool) -> Self {
        let speaks = rng.weighted(&[(Speaks::Lane, 50), (Speaks::Channel, 20), (Speaks::Node, 30)]);
        let point = rng.one_of(&[
            Point::BeforeRead,
            Point::AfterRead,
            Point::AfterAnswer,
            Point::AfterDeliver,
            Point::AfterPeek,
            Point::AfterByte,
            Point::AfterCork,
        ]);
        let vice = u64::from(faults);
        Self {
            speaks,
            manner: rng.weighted(&[
                (Manner::Honest, 45),
                (Manner::Slow, 10 * vice),
                (Manner::Refusing, 8 * vice),
                (Manner::Lying, 8 * vice),
                (Manner::Crashing(point), 15 * vice),
                (Manner::Deserting, 7 * vice),
                (Manner::Bequeathing, 7 * vice),
            ]),
            alone: speaks == Speaks::Node && rng.percent(30),
            tells: rng.weighted(&[(Tells::Nothing, 15), (Tells::Unprovable, 60), (Tells::All, 25)]),
            room: if rng.percent(15 * vice) { 1 + rng.index(4) } else { 1_000 },
            obeys: rng.weighted(&[
                (Obeys::AtOnce, 40),
                (Obeys::InTime, 40),
                (Obeys::Never, 12 * vice),
                (Obeys::Late, 3 * vice),
            ]),
        }
    }
}

fn limits(rng: &mut Rng) -> Limits {
    let ms = |rng: &mut Rng, first, last| Duration::from_millis(rng.between(first, last));
    let few = |rng: &mut Rng, first, last| u32::try_from(rng.between(first, last)).unwrap_or(1);
    let mut limits = Limits::default();
    limits.held = rng.index(7) + 2;
    limits.held_for = ms(rng, 100, 3_000);
    limits.channel_window = few(rng, 1, 2);
    limits.lane_window = few(rng, 1, 16);
    limits.unproven_window = few(rng, 1, 2);
    limits.quick = ms(rng, 1, 30);
    limits.held_up = ms(rng, 0, 2);
    limits.slow = limits.quick + ms(rng, 1, 30);
    limits.ask_again = ms(rng, 2, 10);
    limits.look_for = ms(rng, 10, 400);
    limits.summary_every = rng.percent(30).then(|| ms(rng, 20, 300));
    limits.deficit = rng.between(1, 8);
    limits.refusals = few(rng, 1, 6);
    limits.refusal_rest = ms(rng, 5, 60);
    limits.accept_rest = ms(rng, 5, 20);
    // Not drawn: the seeds that are kept would be other worlds.
    limits.accept_low_mark = 1 + limits.refusals % 3;
    limits.accept_rest_cap = ms(rng, 40, 200);
    limits.exit_drain = ms(rng, 10, 200);
    limits.abandoned_after = ms(rng, 50, 500);
    limits.offences = few(rng, 2, 8);
    limits.listeners_per_worker = rng.index(3) + 1;
    limits.shed = if rng.percent(25) { few(rng, 1, 3) } else { 0 };
    limits.shed_every = ms(rng, 1, 60);
    limits
}

/// Whether the socket that this query gives proves nothing about its connections.
#[must_use]
pub const fn is_unprovable(query: &Query) -> bool {
    matches!(query.address, Address::Unix { .. } | Address::Fd { .. })
}

/// Whether the kernel chooses the port: a worker that asks so twice gets two listeners.
#[must_use]
pub const fn is_of_any_port(address: &Address) -> bool {
    matches!(address, Address::Tcp { port: 0, .. } | Address::Udp { port: 0, .. })
}

/// The port that a listener asked for so gets; 0 for a Unix-domain socket.
#[must_use]
pub const fn port_of(query: &Query) -> u16 {
    match query.address {
        Address::Tcp { port: 0, .. } | Address::Udp { port: 0, .. } => CHOSEN_PORT,
        Address::Tcp { port, .. } | Address::Udp { port, .. } => port,
        Address::Unix { .. } | Address::Fd { .. } => 0,
    }
}

/// The question as a worker repeats it when it listens: Node's has the port that it got.
#[must_use]
pub fn announced(query: &Query) -> Query {
    let (mut said, got) = (query.clone(), port_of(query));
    match &mut said.address {
        Address::Tcp { port, .. } | Address::Udp { port, .. } => *port = got,
        Address::Unix { .. } | Address::Fd { .. } => {}
    }
    said
}

fn queries(rng: &mut Rng) -> Vec<Query> {
    let tcp = |port| Address::Tcp { host: None, port, family: Family::V4, ipv6_only: false };
    let unix =
        || Address::Unix { path: "/run/app.sock".into(), readable_all: false, writable_all: false };
    // Shared under every policy. A datagram is a connection here that the primary never sees.
    let udp = |port| Address::Udp { host: None, port, family: Family::V4, flags: 0, fd: None };
    // In these worlds a descriptor is always a Unix-domain socket: its number does not tell.
    let fd = || Address::Fd { fd: 3 };
    let addresses = match rng.below(12) {
        0..3 => vec![tcp(80)],
        3 => vec![tcp(80), fd()],
        4 => vec![unix()],
        5..8 => vec![tcp(80), unix()],
        8 => vec![tcp(80), tcp(443)],
        9 => vec![tcp(80), udp(53)],
        10 => vec![tcp(0), udp(0), unix()],
        _ => vec![tcp(0), tcp(80), unix()],
    };
    let query = |address| Query { address, index: 0, backlog: None, data: None };
    addresses.into_iter().map(query).collect()
}
