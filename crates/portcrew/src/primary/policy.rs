//! A policy that changes while the primary runs.
//!
//! Among policies under which the primary accepts, the next connection is dealt out by the new one. Who accepts
//! changes with the workers: they are replaced one by one, and where that fails the policy goes back with them.

use portcrew_core::primary::{ListenerName, Rule};
use portcrew_core::supervise::Notice;

use super::command::CrewCommand;
use super::driver::Driver;

/// What was changed and is not in force yet, oldest first: to be undone when the workers cannot be replaced.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pending: Vec<(Option<ListenerName>, Option<Rule>)>,
}

impl Driver {
    pub(super) fn set_rule(&mut self, name: Option<ListenerName>, rule: Rule) {
        let before = self.machine.set_rule(self.now, name.clone(), Some(rule), &mut self.actions);
        self.settle();
        // Without a crew there is nobody to replace: the change is in force for workers that are forked from now on.
        if self.machine.is_changing() && self.has_crew() {
            self.changes.pending.push((name, before));
            self.command_crew(CrewCommand::Reload);
        }
    }

    /// What became of replacing the workers. A reload that goes back takes all pending changes with it: the old
    /// workers hold their listeners in the old way.
    pub(super) fn policy_hears(&mut self, notice: &Notice) {
        match notice {
            Notice::ReloadCommitted { .. } if !self.machine.is_changing() => {
                self.changes.pending.clear();
            }
            Notice::RolledBack { .. } => {
                for (name, before) in std::mem::take(&mut self.changes.pending).into_iter().rev() {
                    self.machine.set_rule(self.now, name, before, &mut self.actions);
                }
            }
            // Another reload follows that begins with the change, or it is no news of a reload's end.
            _ => {}
        }
    }
}
