//! Listeners: who waits for each, who holds it, and when it must close.

use portcrew_core::primary::{End, Mode, Origin};
use portcrew_core::scheduler::Seat;
use portcrew_core::supervise::Generation;
use portcrew_core::{Address, CloseReason, Key, ListenerId, Query, Seq, Time, WorkerId};

use super::live::Counting;
use super::{Account, Holding, Kernel, Member, Plan, Status};
use crate::sim::plan::{announced, is_of_any_port};
use crate::sim::report::{Check, Checked, ensure};

/// One listener.
#[derive(Debug)]
pub struct Listing {
    /// Its name.
    pub key: Key,
    /// Its address. A name may have an index besides, which the worker's machine chose.
    pub address: Address,
    /// Its socket exists.
    pub open: bool,
    /// Nobody wants the socket that is being bound.
    pub unwanted: bool,
    /// Workers that asked while it was being bound.
    pub waiting: Vec<WorkerId>,
    /// Workers that have it.
    pub holders: Vec<WorkerId>,
    /// Those of them that were told so, and what they were given.
    pub holdings: Vec<Holding>,
    /// Offers of its connections.
    pub given: u64,
    /// Connections that its policy turned away.
    pub refused: u64,
    /// Connections that wait.
    pub(super) held: usize,
    /// The most that have waited when all was done that an event made necessary.
    pub deepest: usize,
    /// When each was shed that found no room.
    pub shed: Vec<Time>,
    /// Whether its connections are counted.
    pub counting: Counting,
    /// The newest generation that has asked for it; none that can be, where somebody has who is of no crew.
    pub newest: Generation,
    /// What the first brought who brought something.
    pub data: Option<String>,
    /// Those of them that have not said yet whether they listen or close.
    silent: Vec<WorkerId>,
    /// Workers that asked for it once more, before that word: once for each question.
    seconds: Vec<WorkerId>,
}

/// Whose question makes a new socket necessary, and how often that worker asks for it besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    worker: WorkerId,
    seconds: usize,
}

impl Account {
    /// Every listener that is there or is being bound.
    pub fn listings(&self) -> impl Iterator<Item = (ListenerId, &Listing)> {
        self.listings.iter().map(|(id, it)| (*id, it))
    }

    /// All that the last event made necessary is done: whoever is held now waits.
    pub fn note_depths(&mut self) {
        for it in self.listings.values_mut() {
            it.deepest = it.deepest.max(it.held);
        }
    }

    /// One of them.
    #[must_use]
    pub fn listing(&self, listener: ListenerId) -> Option<&Listing> {
        self.listings.get(&listener)
    }

    pub(super) fn is_listed(&self, listener: ListenerId) -> bool {
        self.listings.contains_key(&listener)
    }

    pub(super) fn query(&mut self, worker: WorkerId, seq: Seq, query: &Query, plan: &Plan) {
        if !self.crew.get(&worker).is_some_and(Member::may_listen) {
            return;
        }
        self.asked.push((worker, seq));
        self.asker = Some(Asker { worker, seconds: 0 });
        let has = |it: &Listing| it.holders.contains(&worker) || it.waiting.contains(&worker);
        let asks = |it: &Listing| it.seconds.iter().filter(|who| **who == worker).count();
        let count = self.listings.values().map(|it| usize::from(has(it)) + asks(it)).sum::<usize>();
        let (key, generation) = (query.key(), self.generation_of(worker));
        let Some(it) = self.listings.values_mut().find(|it| it.key == key) else {
            return;
        };
        if count >= plan.limits.listeners_per_worker {
            return;
        }
        if it.data.is_none() {
            it.data.clone_from(&query.data);
        }
        it.newest = it.newest.max(generation);
        let any_port = is_of_any_port(&query.address);
        if has(it) && !any_port && (!it.open || it.silent.contains(&worker)) {
            it.seconds.push(worker);
        } else if !has(it) {
            it.takes(worker);
        }
    }

    /// A worker says that it listens: where it got no such listener, it has bound the address itself.
    pub(super) fn announced(&mut self, worker: WorkerId, query: &Query) {
        let has = |it: &Listing| it.holders.contains(&worker) || it.waiting.contains(&worker);
        let given = self.listings.values().any(|it| has(it) && it.may_be(&query.address));
        let may_listen = self.crew.get(&worker).is_some_and(Member::may_listen);
        self.self_bound = (may_listen && !given).then_some(worker);
    }

    /// The machine wants a socket: for the one whose question it looked at last.
    pub(super) fn bind(&mut self, listener: ListenerId, query: &Query, mode: Mode) -> Checked {
        let (waiting, seconds) = match self.asker {
            Some(Asker { worker, seconds }) => (vec![worker], vec![worker; seconds]),
            None => (Vec::new(), Vec::new()),
        };
        let listing = Listing {
            key: query.key(),
            address: query.address.clone(),
            open: false,
            unwanted: false,
            waiting,
            holders: Vec::new(),
            holdings: Vec::new(),
            given: 0,
            refused: 0,
            held: 0,
            deepest: 0,
            shed: Vec::new(),
            counting: Counting::Off,
            newest: self.asker.map_or(Generation::FIRST, |it| self.generation_of(it.worker)),
            data: query.data.clone(),
            silent: Vec::new(),
            seconds,
        };
        self.listings.insert(listener, listing);
        let wanted = self.rules.mode(&query.address);
        ensure(mode == wanted, Check::C12Choice, || {
            format!("listener {listener} is bound to be {mode:?}, not {wanted:?}")
        })
    }

    pub(super) fn bound(&mut self, listener: ListenerId, done: bool, kernel: &Kernel) {
        let Some(it) = self.listings.get_mut(&listener) else {
            return;
        };
        if done && it.unwanted {
            self.must_close.push(listener);
            self.listings.remove(&listener);
        } else if done {
            it.open = true;
            it.holders = std::mem::take(&mut it.waiting);
            it.silent.clone_from(&it.holders);
            self.count_if_needed(listener, kernel);
        } else {
            self.listings.remove(&listener);
        }
    }

    /// A worker is given a listener, and this data with it.
    pub(super) fn given(&self, listener: ListenerId, data: Option<&String>) -> Checked {
        let first = self.listings.get(&listener).and_then(|it| it.data.as_ref());
        ensure(data == first, Check::C10SharedData, || {
            format!("a worker of listener {listener} got {data:?}; the first were {first:?}")
        })
    }

    pub(super) fn closed_by_worker(&mut self, worker: WorkerId, key: &Key) {
        let held = |it: &Listing| it.key == *key && it.holders.contains(&worker);
        let Some((id, it)) = self.listings.iter_mut().find(|(_, it)| held(it)) else {
            return;
        };
        let (id, seconds) = (*id, it.spoke(worker));
        self.leave(worker, id, true);
        if seconds == 0 {
            return;
        }
        // What it asked for meanwhile is looked at now.
        let seconds = seconds - 1;
        match self.listings.get_mut(&id) {
            Some(it) => {
                it.takes(worker);
                it.seconds.extend(std::iter::repeat_n(worker, seconds));
            }
            None => self.asker = Some(Asker { worker, seconds }),
        }
    }

    /// It listens: what it asked for besides is refused.
    pub(super) fn listens(&mut self, worker: WorkerId, query: &Query) {
        let key = query.key();
        let is_connected = self.crew.get(&worker).is_some_and(Member::is_connected);
        if let Some(it) = self.listings.values_mut().find(|it| it.key == key) {
            it.spoke(worker);
        }
        let means = |it: &Listing| it.holders.contains(&worker) && it.is_announced_so(query);
        let meant = self.listings.values_mut().find(|it| means(it)).filter(|_| is_connected);
        meant.into_iter().for_each(|it| it.heard_from(worker));
    }

    pub(super) fn unlist(&mut self, worker: WorkerId, explicit: bool) {
        let ids: Vec<_> = self.listings.keys().copied().collect();
        for id in ids {
            self.leave(worker, id, explicit);
        }
    }

    fn leave(&mut self, worker: WorkerId, id: ListenerId, explicit: bool) {
        let Some(it) = self.listings.get_mut(&id) else {
            return;
        };
        let before = it.holders.len() + it.waiting.len();
        it.holders.retain(|who| *who != worker);
        it.waiting.retain(|who| *who != worker);
        it.holdings.retain(|it| it.worker != worker);
        it.spoke(worker);
        let after = it.holders.len() + it.waiting.len();
        // The last who wants it closes it by its own will; a death leaves it for a successor, if there can be one.
        let outdated = Some(it.newest) < self.renewed;
        if after != before && after == 0 && (explicit || outdated) {
            self.close(id);
        }
    }

    pub(super) fn close(&mut self, id: ListenerId) {
        let Some(it) = self.listings.get_mut(&id) else {
            return;
        };
        if !it.open {
            it.unwanted = true;
            it.waiting.clear();
            it.seconds.clear();
            return;
        }
        self.listings.remove(&id);
        self.must_close.push(id);
        let held: Vec<_> = self
            .conns
            .iter()
            .filter(|(_, entry)| entry.listener == id && entry.status == Status::Held)
            .map(|(conn, _)| *conn)
            .collect();
        for conn in held {
            self.end(conn, End::Closed(CloseReason::ListenerClosed));
        }
    }

    /// The generation of a worker of a crew; above all others for one of none.
    fn generation_of(&self, worker: WorkerId) -> Generation {
        match self.crew.get(&worker).map(|it| it.origin) {
            Some(Origin { seat: Seat::Slot(_), generation }) => generation,
            Some(Origin { seat: Seat::Alone(_), .. }) | None => Generation(u64::MAX),
        }
    }

    /// A reload was committed: what nobody holds any more, and its generation does not want, is closed.
    pub(super) fn renewed(&mut self, generation: Generation) {
        self.renewed = self.renewed.max(Some(generation));
        let left = |it: &Listing| it.has_nobody() && it.newest < generation;
        let ids: Vec<_> = self.listings.iter().filter(|it| left(it.1)).map(|it| *it.0).collect();
        for id in ids {
            self.met.saw("reload: a listener that the dead have left was closed");
            self.close(id);
        }
    }

    /// Its policy has turned a connection away.
    pub(super) fn count_refusal(&mut self, listener: ListenerId) {
        if let Some(it) = self.listings.get_mut(&listener) {
            it.refused += 1;
        }
    }

    pub(super) fn closing(&mut self, listener: ListenerId) -> Checked {
        let at = self.must_close.iter().position(|it| *it == listener);
        if let Some(at) = at {
            self.must_close.swap_remove(at);
        }
        ensure(at.is_some(), Check::C9SocketLife, || {
            format!("listener {listener} was closed though nobody gave it up")
        })
    }
}

impl Listing {
    /// It is open and nobody has it.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.open && self.has_nobody()
    }

    fn has_nobody(&self) -> bool {
        self.holders.is_empty() && self.waiting.is_empty()
    }

    fn takes(&mut self, worker: WorkerId) {
        if self.open {
            self.holders.push(worker);
            self.silent.push(worker);
        } else {
            self.waiting.push(worker);
            self.unwanted = false;
        }
    }

    /// Whether a worker that asked for it may announce this address. While it is being bound to any port, nobody
    /// knows to which.
    fn may_be(&self, said: &Address) -> bool {
        let of_a_kind = matches!(
            (&self.address, said),
            (Address::Tcp { .. }, Address::Tcp { .. }) | (Address::Udp { .. }, Address::Udp { .. })
        );
        let asked = is_of_any_port(&self.address) && !self.open && of_a_kind;
        asked || announced(&self.asked(0)).address == *said
    }

    /// Whether a worker that has it announces it so: as it asked for it, with the port that there is.
    fn is_announced_so(&self, said: &Query) -> bool {
        let asked = self.asked(said.index);
        asked.key() == self.key && announced(&asked).address == said.address
    }

    /// The question for it, with this number.
    fn asked(&self, index: u32) -> Query {
        Query { address: self.address.clone(), index, backlog: None, data: None }
    }

    /// Its further questions are looked at: how many there were.
    fn spoke(&mut self, worker: WorkerId) -> usize {
        self.silent.retain(|who| *who != worker);
        let before = self.seconds.len();
        self.seconds.retain(|who| *who != worker);
        before - self.seconds.len()
    }
}
