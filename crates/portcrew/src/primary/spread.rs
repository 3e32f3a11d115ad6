//! Listeners of several sockets, over which the kernel spreads connections: one for each place of a worker.
//!
//! The primary has a duplicate of each, so what waits in one outlives its worker; and it can accept from one whose worker
//! does not. When to do that the machine decides; here it is seen and done.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use portcrew_core::primary::{AcceptFailure, BoundTo, Event};
use portcrew_core::{ListenerId, MemberId, Query, Time};
use portcrew_ipc::probe;
use portcrew_ipc::reactor::HangUp;
use portcrew_ipc::reuseport::FirstArrivals;

use super::AcceptQueue;
use super::accept_queue::Looks;
use super::driver::Driver;
use super::ready::{ReadySet, Source};
use super::reserve;
use super::streak::{Shut, Streak};
use crate::Error;
use crate::net::accept;
use crate::net::bind;
use crate::net::group::Group;
use crate::net::refused::Refused;

/// Every listener of several sockets by its number.
#[derive(Debug, Default)]
pub(super) struct Spread {
    listeners: BTreeMap<ListenerId, Members>,
}

/// One of them.
#[derive(Debug)]
struct Members {
    group: Group,
    arrivals: Option<Arrivals>,
    /// Of those that a worker has, for it may shut its own down. (Of UDP that cannot be undone.)
    ends: BTreeMap<MemberId, (HangUp, Waker)>,
    /// How often in a row that was done.
    shut: Streak,
    /// Those that were shut down, and do not listen again yet.
    lost: BTreeSet<MemberId>,
    /// One of them could not be had back at the last attempt.
    has_failed: bool,
    /// At the kernel's queues.
    looks: BTreeMap<MemberId, Looks>,
}

/// What wakes us when a connection comes.
#[derive(Debug)]
struct Arrivals {
    first: FirstArrivals,
    waker: Waker,
    /// Those that have fired and are not armed again.
    fired: Vec<MemberId>,
}

impl Spread {
    pub(super) fn has(&self, listener: ListenerId) -> bool {
        self.listeners.contains_key(&listener)
    }

    /// A worker's own socket. It takes no descriptor, so it cannot fail for want of one.
    pub(super) fn share(&self, listener: ListenerId, member: MemberId) -> Option<Arc<OwnedFd>> {
        self.listeners.get(&listener)?.group.get(member).map(Arc::clone)
    }

    pub(super) fn close(&mut self, listener: ListenerId) {
        self.listeners.remove(&listener);
    }

    /// Begins to watch for their being shut down, unless that is done already.
    ///
    /// # Errors
    /// There is no descriptor or no memory to watch with: how long to wait before the next attempt.
    pub(super) fn watch_ends(
        &mut self,
        listener: ListenerId,
        ready: &ReadySet,
    ) -> Result<(), Duration> {
        let Some(members) = self.listeners.get_mut(&listener) else {
            return Ok(());
        };
        // A UDP socket cannot be had back.
        let all: Vec<_> = members.group.places().filter(|_| members.group.is_tcp()).collect();
        for member in all {
            let watched = members.watch_end(member, ready.waker(Source::Shared(listener)));
            watched.map_err(|_| members.shut.not_watched())?;
        }
        Ok(())
    }

    /// Whether one was shut down. It is watched no longer.
    pub(super) fn was_shut(&mut self, listener: ListenerId, now: Time) -> Option<Shut> {
        let members = self.listeners.get_mut(&listener)?;
        let Members { ends, lost, .. } = members;
        let before = ends.len();
        ends.retain(|member, (end, waker)| {
            let goes_on = end.poll(&mut Context::from_waker(waker)).is_pending();
            if !goes_on {
                lost.insert(*member);
            }
            goes_on
        });
        (ends.len() < before).then(|| members.shut.shut(now))
    }

    /// Has all that were shut down listen again. The port, if one did not listen.
    pub(super) fn listen_again(&mut self, listener: ListenerId) -> Result<Option<u16>, Refused> {
        let Some(members) = self.listeners.get_mut(&listener) else {
            return Ok(None);
        };
        let (mut port, mut failed) = (None, None);
        for member in std::mem::take(&mut members.lost) {
            match members.group.listen_again(member) {
                Ok(did_not) => {
                    port = did_not.or(port);
                    members.arm(member);
                }
                Err(refused) => {
                    // It is watched again after its time, found to be shut down still, and tried again.
                    failed = failed.or(Some(refused));
                }
            }
        }
        // Of those that follow one another one is told.
        let is_told = std::mem::replace(&mut members.has_failed, failed.is_some());
        failed.filter(|_| !is_told).map_or(Ok(port), Err)
    }

    /// Whether a connection waits in one of them.
    pub(super) fn waits(&self, listener: ListenerId, member: MemberId) -> bool {
        let group = self.listeners.get(&listener).map(|it| &it.group);
        group.and_then(|it| it.waiting(member)).is_some_and(|waiting| waiting > 0)
    }

    /// How full the kernel's queues are; `None` of UDP, and of a listener of one socket.
    pub(super) fn look(&mut self, listener: ListenerId) -> Option<AcceptQueue> {
        let Members { group, looks, .. } = self.listeners.get_mut(&listener)?;
        let mut look = |member| {
            let socket = group.get(member)?;
            looks.entry(member).or_default().look(socket.as_fd())
        };
        let all: Vec<_> = group.places().filter_map(&mut look).collect();
        all.into_iter().reduce(Looks::merge)
    }

    /// How many connections wait in each: none where it does not listen, or is UDP.
    fn waiting(&self, listener: ListenerId) -> Vec<(MemberId, u32)> {
        let group = self.listeners.get(&listener).map(|it| &it.group);
        let of = |group: &Group| {
            let waiting = |member| (member, group.waiting(member).unwrap_or(0));
            group.places().map(waiting).collect()
        };
        group.map(of).unwrap_or_default()
    }
}

impl Members {
    fn new(group: Group) -> Self {
        Self {
            group,
            arrivals: None,
            ends: BTreeMap::new(),
            shut: Streak::new(),
            lost: BTreeSet::new(),
            has_failed: false,
            looks: BTreeMap::new(),
        }
    }

    fn watch_end(&mut self, member: MemberId, waker: Waker) -> io::Result<()> {
        if let (Some(socket), false) = (self.group.get(member), self.ends.contains_key(&member)) {
            self.ends.insert(member, (HangUp::watch(socket.as_fd())?, waker));
        }
        Ok(())
    }

    /// Has the next connection to one of them wake us, once. What has come already counts.
    fn watch(&mut self, waker: impl FnOnce() -> Waker) -> io::Result<()> {
        let arrivals = match &mut self.arrivals {
            Some(arrivals) => arrivals,
            none @ None => {
                let mut first = FirstArrivals::new()?;
                for member in self.group.places() {
                    add(&mut first, member, self.group.get(member))?;
                }
                none.insert(Arrivals { first, waker: waker(), fired: Vec::new() })
            }
        };
        arrivals.first.wait()?;
        // Its first poll registers the waker.
        arrivals.waker.wake_by_ref();
        Ok(())
    }

    fn include(&mut self, member: MemberId) -> Result<(), Refused> {
        let socket = self.group.add(member)?;
        if let Some(arrivals) = &mut self.arrivals {
            if let Err(refused) = add(&mut arrivals.first, member, Some(&socket)) {
                self.group.close(member);
                return Err(refused.into());
            }
        }
        Ok(())
    }

    /// What was shut down is armed no more.
    fn arm(&mut self, member: MemberId) {
        if let Some(arrivals) = &mut self.arrivals {
            if arrivals.first.rearm(member.0.into()).is_err() {
                arrivals.fired.push(member);
            }
        }
    }

    /// Arms again what has fired and is empty, and says whether anything has fired.
    fn take_fired(&mut self, queues: &[(MemberId, u32)]) -> io::Result<bool> {
        let Some(arrivals) = &mut self.arrivals else {
            return Ok(false);
        };
        let mut fired = Vec::new();
        arrivals.first.take(&mut fired)?;
        let any = !fired.is_empty();
        arrivals.fired.extend(fired.into_iter().filter_map(member_of));
        let is_empty =
            |member: &MemberId| queues.iter().all(|(it, waiting)| it != member || *waiting == 0);
        let first = &arrivals.first;
        // What cannot be armed for want of memory is tried at the next look.
        arrivals.fired.retain(|it| !is_empty(it) || first.rearm(it.0.into()).is_err());
        Ok(any)
    }
}

impl Driver {
    pub(super) fn bind_group(&mut self, listener: ListenerId, query: &Query) {
        let outcome = self.open_group(listener, query);
        let outcome = outcome.map_err(|it| bind::errno_of(&it.source, &query.address));
        self.then(Event::Bound { listener, outcome });
    }

    fn open_group(&mut self, listener: ListenerId, query: &Query) -> Result<BoundTo, Refused> {
        let (group, to) = Group::open(query, MemberId::FIRST)?;
        if let Some(first) = group.get(MemberId::FIRST) {
            self.sockets.add_one_of_many(listener, query.clone(), &to, Arc::clone(first));
        }
        self.spread.listeners.insert(listener, Members::new(group));
        Ok(to)
    }

    pub(super) fn bind_member(&mut self, listener: ListenerId, member: MemberId) {
        let Some(members) = self.spread.listeners.get_mut(&listener) else {
            return;
        };
        let Some(address) = self.sockets.get(listener).map(|it| &it.query.address) else {
            return;
        };
        let outcome = members.include(member).map_err(|it| bind::errno_of(&it.source, address));
        // It is new, and nobody has it yet.
        let handed_down = self.mode.zip(members.group.get(member)).map(|(mode, it)| mode.set(it));
        if let Some(Err(source)) = handed_down {
            let error = Error::Io { doing: "hand a socket down", source };
            self.events.push(crate::Event::Error { worker: None, error });
        }
        if outcome.is_ok() && self.mode.is_some() {
            // A worker has it from its start, and may shut it down.
            self.watch_shared(listener);
        }
        self.then(Event::MemberBound { listener, member, outcome });
    }

    pub(super) fn close_member(&mut self, listener: ListenerId, member: MemberId) {
        let Some(members) = self.spread.listeners.get_mut(&listener) else {
            return;
        };
        if let Some(arrivals) = &mut members.arrivals {
            arrivals.first.remove(member.0.into());
            arrivals.fired.retain(|it| *it != member);
        }
        members.ends.remove(&member);
        members.lost.remove(&member);
        members.looks.remove(&member);
        members.group.close(member);
        // What stands for the listener as a whole is one that is left.
        let left = members.group.places().next().and_then(|it| members.group.get(it));
        if let Some(socket) = left {
            self.sockets.stand_in(listener, Arc::clone(socket));
        }
    }

    pub(super) fn steer(&mut self, listener: ListenerId, live: &[MemberId]) {
        let Some(members) = self.spread.listeners.get_mut(&listener) else {
            return;
        };
        if let Err(source) = members.group.steer(live) {
            // The kernel goes on as before: what comes to a socket without a worker is handed to another.
            let error = Error::Io { doing: "steer connections to the workers that listen", source };
            self.events.push(crate::Event::Error { worker: None, error });
        }
    }

    /// Has the next connection wake us.
    pub(super) fn watch_group(&mut self, listener: ListenerId) {
        let ready = &self.ready;
        let waker = || ready.waker(Source::Stirred(listener));
        let Some(members) = self.spread.listeners.get_mut(&listener) else {
            return;
        };
        if members.watch(waker).is_err() {
            // No memory, or no descriptor. Looked at from time to time it is seen, too.
            self.then(Event::Stirred { listener });
        }
    }

    pub(super) fn look_if_stirred(&mut self, listener: ListenerId) {
        let members = self.spread.listeners.get_mut(&listener);
        let Some(arrivals) = members.and_then(|it| it.arrivals.as_mut()) else {
            return;
        };
        // Until it is asked for again nothing wakes us.
        if arrivals.first.poll_fired(&mut Context::from_waker(&arrivals.waker)).is_ready() {
            self.tell(Event::Stirred { listener });
        }
    }

    pub(super) fn survey_queues(&mut self, listener: ListenerId) {
        let queues = self.spread.waiting(listener);
        let Some(members) = self.spread.listeners.get_mut(&listener) else {
            return;
        };
        // What cannot be told is looked for again.
        let has_fired = members.take_fired(&queues).unwrap_or(true);
        let quiet = !has_fired && queues.iter().all(|it| it.1 == 0);
        self.then(Event::Surveyed { listener, queues, quiet });
    }

    pub(super) fn rescue(
        &mut self,
        listener: ListenerId,
        member: MemberId,
        most: u32,
        older: Duration,
    ) {
        let accept = if self.reserve.is_whole() { self.accept_with } else { reserve::refuse };
        let Some(socket) = self.spread.share(listener, member) else {
            return;
        };
        for _ in 0..most {
            // The mode is everybody's who has it, and accepting must not block. It cannot fail for a socket.
            let _ = rustix::io::ioctl_fionbio(&socket, true);
            match accept(socket.as_fd()) {
                Ok((conn, peer)) => {
                    // A kernel that does not tell has every connection be old.
                    let waited = probe::since_last_ack(conn.as_fd()).unwrap_or(Duration::MAX);
                    let conn = self.conns.add(conn, listener);
                    self.then(Event::Rescued { listener, member, conn, peer, waited });
                    if waited < older {
                        return;
                    }
                }
                Err(error) => match accept::classify(&error) {
                    // Its worker was faster.
                    None => return,
                    Some(AcceptFailure::Connection) => {}
                    Some(failure @ (AcceptFailure::Descriptors | AcceptFailure::Resource)) => {
                        return self.then(Event::AcceptFailed { listener, failure });
                    }
                },
            }
        }
    }
}

fn add(
    first: &mut FirstArrivals,
    member: MemberId,
    socket: Option<&Arc<OwnedFd>>,
) -> io::Result<()> {
    socket.map_or(Ok(()), |socket| first.add(member.0.into(), Arc::clone(socket)))
}

fn member_of(key: u64) -> Option<MemberId> {
    u32::try_from(key).ok().map(MemberId)
}
