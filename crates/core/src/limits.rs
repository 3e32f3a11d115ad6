//! Every bound of the primary: a name, a unit, a default, and what happens beyond it.

use std::time::Duration;

/// The bounds of a primary. Each field says what is done when it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Accepted connections that wait for a worker, per listener. Beyond it the listener is not accepted
    /// from: the kernel's backlog holds the rest, and beyond that clients retry their SYN.
    pub held: usize,
    /// How long a connection waits for a worker. Beyond it: closed as
    /// [`HeldTooLong`](crate::CloseReason::HeldTooLong).
    pub held_for: Duration,
    /// The most unanswered connections per listener towards a worker that speaks Node's channel. Node's own
    /// number is 1. Beyond it the worker counts as busy.
    pub channel_window: u32,
    /// The same towards a worker with a lane.
    pub lane_window: u32,
    /// The same where nothing proves that a connection is untouched (Unix-domain sockets), whatever the worker
    /// speaks: so many are lost with a worker that is killed.
    pub unproven_window: u32,
    /// An answer that comes within this time doubles the worker's window, up to the most.
    pub quick: Duration,
    /// An answer that takes longer, or has been owed for longer, narrows the worker's window to 1.
    pub slow: Duration,
    /// A worker that has owed an answer for longer counts as [held up](crate::scheduler::WorkerView::held_up): round
    /// robin prefers others to it. One that has answered nothing yet is given the time of [`slow`](Self::slow).
    pub held_up: Duration,
    /// The soonest that a scheduler is asked again about a connection that waits at most so long.
    pub ask_again: Duration,
    /// How long the first bytes of a connection are waited for, where a policy looks at them. Beyond it the
    /// address decides; so it does for the oldest such connection when [`held`](Self::held) are waiting.
    pub look_for: Duration,
    /// How often the counts of the schedulers are told, while they change. `None` is never.
    pub summary_every: Option<Duration>,
    /// How far a worker may lag behind the most-given one before the lag is forgiven, in connections.
    /// Beyond it the lag is cut to this, so that a worker that was away is not flooded when it is back.
    pub deficit: u64,
    /// How often one connection may be refused by workers. Beyond it: closed as
    /// [`AllRefused`](crate::CloseReason::AllRefused).
    pub refusals: u32,
    /// How long a worker that refused a connection gets no other of that listener.
    pub refusal_rest: Duration,
    /// First rest after accept failed for want of a resource (descriptors, memory); doubles. One for want of descriptors
    /// ends before its time: see [`accept_low_mark`](Self::accept_low_mark).
    pub accept_rest: Duration,
    /// So many descriptors of its own the primary closes before a rest for want of them ends early, or half of what it
    /// has where that is less: what a rest and its end cost is then spread over as many connections.
    pub accept_low_mark: u32,
    /// The longest such rest. So long it takes at most until everybody is served again when there is room.
    pub accept_rest_cap: Duration,
    /// Connections that are accepted and closed at once as [`Shed`](crate::CloseReason::Shed) where there is no room for
    /// them: [`held`](Self::held) are waiting, or no descriptor is left. So many per listener in
    /// [`shed_every`](Self::shed_every); beyond it they stay in the kernel's backlog, as all do with 0.
    pub shed: u32,
    /// The time in which so many are shed, which is also the longest rest while any are.
    pub shed_every: Duration,
    /// How long a connection may wait for the worker of its place, where the kernel spreads connections over sockets.
    /// Beyond it the primary hands it to a worker in whose own socket none waits.
    pub rescue_after: Duration,
    /// How often such sockets are looked at while connections come. Nothing wakes the primary while none do.
    pub survey_every: Duration,
    /// So long they are looked at without any being seen that waits, before the next connection is waited for.
    pub watch_for: Duration,
    /// The same while a worker has let connections wait within [`wary_for`](Self::wary_for).
    pub survey_soon: Duration,
    /// How long that is remembered.
    pub wary_for: Duration,
    /// How long such a socket stays open without a worker while others have one. Handshakes that had begun may end
    /// within that time, and nobody can see them (tcp(7): so long the kernel repeats its SYN-ACK).
    pub member_drain: Duration,
    /// How long the sockets of an exited worker may stay open (a grandchild holds them). Beyond it they
    /// count as drained.
    pub exit_drain: Duration,
    /// How long a worker that closed its channel may stay alive with connections unanswered. Beyond it
    /// they are closed as [`Abandoned`](crate::CloseReason::Abandoned): never offered again while it lives.
    pub abandoned_after: Duration,
    /// Messages that break the protocol, per worker. Beyond it the worker's channel is closed.
    pub offences: u32,
    /// Listeners that one worker may hold. Beyond it a query is answered EMFILE.
    pub listeners_per_worker: usize,
    /// Open connections of which one worker has still to tell the end. Beyond it the worker counts as one that does not
    /// tell: it may have more than any process can hold open, or forgets to tell.
    pub told_per_worker: usize,
    /// The longest data (TLS ticket keys) that a query may bring, in bytes of JSON. Beyond it the query is
    /// answered EMSGSIZE.
    pub data: usize,
}

impl Limits {
    /// The default of [`data`](Self::data): a query with it stays well below what a cluster message may have.
    pub const DATA: usize = 16 * 1024;
    /// What [`shed`](Self::shed) is where it is wanted: more than a thousand a second, which costs a few per cent of one
    /// CPU.
    pub const SHED: u32 = 64;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            held: 256,
            held_for: Duration::from_secs(30),
            channel_window: 16,
            lane_window: 16,
            unproven_window: 1,
            quick: Duration::from_millis(5),
            slow: Duration::from_millis(20),
            held_up: Duration::from_micros(500),
            ask_again: Duration::from_millis(1),
            look_for: Duration::from_secs(1),
            summary_every: None,
            deficit: 32,
            refusals: 64,
            refusal_rest: Duration::from_millis(50),
            accept_rest: Duration::from_millis(10),
            accept_low_mark: 8,
            accept_rest_cap: Duration::from_millis(500),
            shed: 0,
            shed_every: Duration::from_millis(50),
            rescue_after: Duration::from_millis(20),
            survey_every: Duration::from_millis(45),
            watch_for: Duration::from_secs(1),
            survey_soon: Duration::from_millis(15),
            wary_for: Duration::from_secs(10),
            member_drain: Duration::from_secs(75),
            exit_drain: Duration::from_secs(1),
            abandoned_after: Duration::from_secs(10),
            offences: 100,
            listeners_per_worker: 1024,
            // The most descriptors that a process may have, by the kernel's default (fs.nr_open, proc_sys_fs(5)).
            told_per_worker: 1 << 20,
            data: Self::DATA,
        }
    }
}
