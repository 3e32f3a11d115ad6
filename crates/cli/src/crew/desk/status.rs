//! The library's snapshot in the words of the control socket.

use std::collections::BTreeMap;

use portcrew::scheduler::WorkerView as Dealt;
use portcrew::{CloseReason, Ledger, Snapshot, State, WorkerId, WorkerSnapshot};
use portcrew_core::supervise::{Phase, SlotState, SlotView, Stage, WorkerView};

use super::Desk;
use crate::control::v1;
use crate::plan::Own;

impl Desk {
    /// How things are.
    pub(in crate::crew) fn status(&self, snapshot: &Snapshot) -> v1::Status {
        let crew = snapshot.crew.as_ref();
        let about = self.about.clone();
        v1::Status {
            api: v1::API,
            name: about.name,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_ms: millis(self.since.elapsed()),
            phase: self.phase(crew.map_or(Phase::Idle, |it| it.phase)),
            generation: crew.map_or(0, |it| it.generation.0),
            wanted: crew.map_or(0, |it| it.wanted),
            ready: crew.map_or(0, |it| it.ready),
            program: about.program,
            directory: about.directory,
            policy: self.policies.in_force().common.to_string(),
            own_policies: self.policies.in_force().own.iter().map(own_policy).collect(),
            logs: about.logs,
            addresses: self.opened.iter().chain(self.addresses.keys()).cloned().collect(),
            listeners: snapshot.listeners.iter().map(listener).collect(),
            slots: crew.map_or(&[][..], |it| &it.slots).iter().map(slot).collect(),
            workers: workers(snapshot),
            ledger: ledger(&snapshot.ledger),
            restarts: self.restarts.iter().map(|(why, n)| ((*why).to_owned(), *n)).collect(),
            reload: self.progress,
            // The report knows.
            output_lost: 0,
            // With the figures, where nobody waits for it.
            listen_overflows: None,
            listen_drops: None,
            figures: v1::Figures::default(),
        }
    }

    fn phase(&self, phase: Phase) -> v1::Phase {
        match phase {
            Phase::Running if self.was_complete => v1::Phase::Running,
            Phase::Idle | Phase::Running => v1::Phase::Starting,
            Phase::Degraded => v1::Phase::Degraded,
            Phase::Reloading(_) => v1::Phase::Reloading,
            Phase::RollingBack(_) => v1::Phase::RollingBack,
            Phase::Stopping => v1::Phase::Stopping,
            Phase::Finished => v1::Phase::Stopped,
        }
    }

    pub(in crate::crew) fn name(&self) -> &str {
        &self.about.name
    }
}

fn listener(it: &portcrew::ListenerSnapshot) -> v1::Listener {
    let mut workers: Vec<_> = it.holders.iter().map(|it| number(*it)).collect();
    workers.sort_unstable();
    v1::Listener {
        key: it.key.clone(),
        address: it.address.as_ref().map(ToString::to_string),
        policy: it.policy.to_owned(),
        accepted: it.accepted,
        taken: it.taken,
        accepting: it.accepting,
        held: it.held,
        deepest: it.deepest,
        accept_queue: it.accept_queue.map(|it| v1::AcceptQueue {
            waiting: it.waiting,
            limit: it.limit,
            deepest: it.deepest,
            dropped: it.dropped,
        }),
        workers,
    }
}

fn own_policy(it: &Own) -> v1::OwnPolicy {
    v1::OwnPolicy { listener: it.listener.to_string(), policy: it.policy.to_string() }
}

fn slot(it: &SlotView) -> v1::Slot {
    let (state, worker) = match it.state {
        SlotState::Vacant => (v1::SlotState::Vacant, None),
        SlotState::BackingOff => (v1::SlotState::BackingOff, None),
        SlotState::Parked => (v1::SlotState::Parked, None),
        SlotState::Retired => (v1::SlotState::Retired, None),
        SlotState::Starting => (v1::SlotState::Starting, None),
        SlotState::Held(worker) => (v1::SlotState::Held, Some(number(worker))),
    };
    let (slot, generation) = (it.slot.0, it.generation.0);
    v1::Slot { slot, generation, state, worker, restarts: it.restarts }
}

fn workers(snapshot: &Snapshot) -> Vec<v1::Worker> {
    let crew = snapshot.crew.iter().flat_map(|it| &it.workers);
    let members: BTreeMap<WorkerId, &WorkerView> = crew.map(|it| (it.worker, it)).collect();
    snapshot.workers.iter().map(|it| worker(it, members.get(&it.id).copied(), snapshot)).collect()
}

fn worker(it: &WorkerSnapshot, member: Option<&WorkerView>, snapshot: &Snapshot) -> v1::Worker {
    let all = snapshot.listeners.iter().flat_map(|listener| &listener.views);
    let dealt: Vec<&Dealt> = all.filter(|view| view.worker == it.id).collect();
    v1::Worker {
        id: number(it.id),
        slot: member.map(|it| it.slot.0),
        pid: it.pid,
        state: state(it.state, member.map(|it| it.stage)),
        generation: member.map(|it| it.generation.0),
        uptime_ms: member.map(|it| millis(it.age)),
        taken: (!it.accepts_itself).then_some(it.taken),
        in_flight: dealt.iter().map(|it| u64::from(it.in_flight)).sum(),
        // The same at each of its listeners.
        live: dealt.iter().find_map(|it| it.live).map(u64::from),
        latency_us: dealt
            .iter()
            .filter_map(|it| it.latency)
            .max()
            .map(|it| u64::try_from(it.as_micros()).unwrap_or(u64::MAX)),
        figures: v1::Figures::default(),
    }
}

/// The crew knows best, except of workers that it does not count any more.
fn state(state: State, stage: Option<Stage>) -> v1::WorkerState {
    match (stage, state) {
        (_, State::Dead) => v1::WorkerState::Ended,
        (Some(Stage::Spawned), _) | (None, State::Started) => v1::WorkerState::Started,
        (Some(Stage::Online), _) | (None, State::Online) => v1::WorkerState::Online,
        (Some(Stage::Ready), _) | (None, State::Listening) => v1::WorkerState::Ready,
        (Some(Stage::Draining), _) | (None, State::Disconnected) => v1::WorkerState::Draining,
    }
}

fn ledger(it: &Ledger) -> v1::Ledger {
    let closed = CloseReason::ALL.iter().map(|why| (why.name().to_owned(), it.closed_for(*why)));
    v1::Ledger {
        accepted: it.accepted,
        held: it.held,
        offered: it.offered,
        taken: it.taken,
        closed: closed.collect(),
        offered_again: it.offered_again,
        rescued: it.rescued,
        accept_failures: it.accept_failures,
        stray_answers: it.stray_answers,
        bad_picks: it.bad_picks,
        scheduler_panics: it.scheduler_panics,
        looked_in_vain: it.looked_in_vain,
        died_inside: it.died_inside,
        died_uncounted: it.died_uncounted,
        cut_inside: it.cut_inside,
        cut_uncounted: it.cut_uncounted,
    }
}

fn number(worker: WorkerId) -> u64 {
    worker.0.into()
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_library_counts_has_its_name_and_its_number_here() {
        let mut counted = Ledger::default();
        (counted.accepted, counted.held, counted.offered, counted.taken) = (1, 2, 3, 4);
        (counted.offered_again, counted.stray_answers, counted.accept_failures) = (5, 6, 7);
        (counted.bad_picks, counted.scheduler_panics, counted.looked_in_vain) = (8, 9, 10);
        (counted.died_inside, counted.died_uncounted) = (11, 12);
        (counted.cut_inside, counted.cut_uncounted, counted.rescued) = (13, 14, 15);
        let mut said = serde_json::to_value(ledger(&counted)).unwrap();
        let closed = said.as_object_mut().unwrap().remove("closed").unwrap();
        let all: BTreeMap<_, _> = counted.counts().into_iter().collect();
        assert_eq!(said, serde_json::to_value(all).unwrap());
        let reasons: Vec<_> = closed.as_object().unwrap().keys().cloned().collect();
        let mut expected: Vec<_> = CloseReason::ALL.iter().map(|it| it.name()).collect();
        expected.sort_unstable();
        assert_eq!(reasons, expected);
    }
}
