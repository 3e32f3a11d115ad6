//! Faults of the crew's decisions, of how it is composed with the primary, and of the proof.

use std::time::Duration;

use portcrew_core::Time;
use portcrew_core::supervise::{Action, Crew, Event, Force, Notice, Phase, Settings};
use portcrew_ipc::probe::{Figures, TcpState};

use super::{Mutation, Saboteur};

impl Saboteur {
    /// The crew's settings; the checkers keep the right ones.
    #[must_use]
    pub fn crew_settings(&self, mut settings: Settings) -> Settings {
        match self.mutation() {
            Some(Mutation::DrainsTooSoon) => settings.stable_for = Duration::ZERO,
            Some(Mutation::RestartsAtOnce) => {
                settings.restart_first = Duration::ZERO;
                settings.served_cap = Duration::ZERO;
                settings.restart_cap = Duration::ZERO;
            }
            Some(Mutation::HangsWhenOff) => {
                settings.answer_within.get_or_insert(Duration::from_secs(1));
            }
            Some(Mutation::BeatsWhenOff) => {
                settings.heartbeat.get_or_insert(Duration::from_secs(1));
            }
            Some(_) | None => {}
        }
        settings
    }

    /// What the crew is told in place of this.
    pub fn crew_event(&mut self, event: Event) -> Vec<Event> {
        let Some(mutation) = self.mutation() else {
            return vec![event];
        };
        match (mutation, event) {
            (Mutation::DrainsTooSoon, Event::Online { worker }) => {
                vec![event, Event::Ready { worker }]
            }
            (Mutation::ForgetsExit, Event::Exited { .. })
            | (Mutation::LosesReady, Event::Ready { .. })
                if self.strikes(mutation) =>
            {
                Vec::new()
            }
            (Mutation::IgnoresHang, Event::Owes { .. }) => Vec::new(),
            (Mutation::BlamesEarly, Event::Owes { worker, .. }) => {
                vec![Event::Owes { worker, since: Time::ZERO }]
            }
            _ => vec![event],
        }
    }

    /// What the shell is told in place of these.
    pub fn crew_actions(&mut self, actions: Vec<Action>, crew: &Crew) -> Vec<Action> {
        let Some(mutation) = self.mutation() else {
            return actions;
        };
        let failed = |it: &Action| matches!(it, Action::Notify(Notice::ReloadFailed { .. }));
        let fails = actions.iter().any(failed);
        let all = actions.into_iter();
        all.flat_map(|it| self.crew_action(mutation, it, crew, fails)).collect()
    }

    fn crew_action(
        &mut self,
        mutation: Mutation,
        action: Action,
        crew: &Crew,
        fails: bool,
    ) -> Vec<Action> {
        match (mutation, action) {
            (Mutation::NeverKills, Action::Signal { force: Force::Kill, .. })
            | (Mutation::ForgetsVerdict, Action::Notify(Notice::ReloadCommitted { .. })) => {
                Vec::new()
            }
            (
                Mutation::ForgetsNewcomer,
                Action::Disconnect { .. } | Action::Text { .. } | Action::DrainSignal { .. },
            ) if fails => Vec::new(),
            (Mutation::ForgetsFork, Action::Fork { .. }) if self.strikes(mutation) => Vec::new(),
            (Mutation::KillsAtOnce, Action::Signal { worker, .. }) => {
                vec![Action::Signal { worker, force: Force::Kill }]
            }
            (Mutation::CommitsTheBroken, Action::Notify(Notice::RolledBack { generation, .. })) => {
                vec![Action::Notify(Notice::ReloadCommitted { generation })]
            }
            (Mutation::ForksOldProgram, Action::Fork { ticket, slot, generation }) => {
                let old = match crew.phase() {
                    Phase::Reloading(_) => crew.generation(),
                    _ => generation,
                };
                vec![Action::Fork { ticket, slot, generation: old }]
            }
            (Mutation::ForksTwice, fork @ Action::Fork { .. }) if self.strikes(mutation) => {
                vec![fork.clone(), fork]
            }
            (_, action) => vec![action],
        }
    }

    /// The kernel's numbers, misread.
    pub fn figures(&mut self, figures: Option<Figures>) -> Option<Figures> {
        let mutation = self.mutation();
        figures.map(|it| match mutation {
            Some(Mutation::HalfClosedIsTouched) if it.state == TcpState::CloseWait => {
                Figures { state: TcpState::Established, ..it }
            }
            Some(Mutation::CorkedIsUntouched) => Figures { notsent: 0, ..it },
            Some(Mutation::DiscardIsUntouched) if it.sent == 0 => {
                let end = u64::from(it.state == TcpState::CloseWait);
                Figures { inq: it.received - end, ..it }
            }
            Some(_) | None => it,
        })
    }

    /// Whether all that have ended are waited for before any is told.
    #[must_use]
    pub fn reaps_all_first(&self) -> bool {
        self.mutation() == Some(Mutation::ReapsAllFirst)
    }

    /// Whether a pause of the primary is hidden from the crew.
    #[must_use]
    pub fn hides_pause(&self) -> bool {
        self.mutation() == Some(Mutation::CountsPause)
    }

    /// Whether the primary's machine does not hear who is to leave.
    pub fn leaves_listed(&mut self) -> bool {
        self.strikes(Mutation::LeavesListed)
    }

    /// Whether the primary's machine does not hear who is made to end.
    #[must_use]
    pub fn keeps_given_up(&self) -> bool {
        self.mutation() == Some(Mutation::KeepsGivenUp)
    }

    /// Whether sockets stay open when the crew has ended.
    #[must_use]
    pub fn keeps_listeners(&self) -> bool {
        self.mutation() == Some(Mutation::KeepsListeners)
    }

    /// Whether the primary's machine does not hear that a reload is committed.
    #[must_use]
    pub fn keeps_old_listener(&self) -> bool {
        self.mutation() == Some(Mutation::KeepsOldListener)
    }
}
