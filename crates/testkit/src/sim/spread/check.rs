//! What holds after every step.

use std::time::Duration;

use portcrew_core::{MemberId, Time, WorkerId};

use super::world::{LISTENER, World};

/// No client waits longer than this while another worker has had nothing to do for as long: the machine's own times, and
/// as much again for what happens in between.
const LONGEST: Duration = Duration::from_millis(70);

impl World {
    pub(super) fn check(&mut self) -> Result<(), String> {
        if !self.primary.ledger().balances() {
            return Err("the ledger does not balance".into());
        }
        self.note_idle();
        self.port_is_open()?;
        self.nobody_waits_beside_the_idle()
    }

    fn port_is_open(&self) -> Result<(), String> {
        let is_known = self.primary.listeners().any(|it| it.listener == LISTENER);
        if is_known && self.kernel.members.is_empty() {
            return Err("the port is refused".into());
        }
        Ok(())
    }

    /// Since when each worker could have served somebody.
    fn note_idle(&mut self) {
        let has_nothing = |id: &WorkerId| {
            let member = self.member_of(*id).and_then(|it| self.kernel.members.get(&it));
            member.is_some_and(|it| it.queue.is_empty())
        };
        let idle: Vec<_> = self
            .workers
            .iter()
            .filter(|(id, it)| {
                let can = it.listens && !it.stuck && !it.leaving && it.offers.is_empty();
                can && has_nothing(id)
            })
            .map(|it| *it.0)
            .collect();
        for (id, worker) in &mut self.workers {
            let since = idle.contains(id).then(|| worker.idle_since.unwrap_or(self.now));
            worker.idle_since = since;
        }
    }

    fn nobody_waits_beside_the_idle(&self) -> Result<(), String> {
        let for_long = |since: Time| self.now.since(since) > LONGEST;
        let idle = self.workers.iter().filter(|it| it.1.idle_since.is_some_and(for_long));
        let idle: Vec<_> = idle.map(|it| *it.0).collect();
        let waits = |it: &(&MemberId, &super::kernel::Member)| {
            it.1.queue.front().is_some_and(|(_, since)| for_long(*since))
        };
        let Some((member, _)) = self.kernel.members.iter().find(waits) else {
            return Ok(());
        };
        match idle.into_iter().find(|worker| self.member_of(*worker) != Some(*member)) {
            Some(worker) => Err(format!(
                "somebody waits at socket {member}, and worker {worker} has nothing to do"
            )),
            None => Ok(()),
        }
    }
}
