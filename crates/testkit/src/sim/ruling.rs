//! Rules that change while the primary runs.

use portcrew_core::primary::{ListenerName, Mode, Rule};

use super::account::Ruled;
use super::report::{Broken, Check, Checked, ensure};
use super::spec::{Spec, name_of};
use super::world::World;

/// A rule that was replaced, as the machine gave it back and as the account knew it.
#[derive(Debug)]
pub(super) struct Undo {
    name: Option<ListenerName>,
    rule: Option<Rule>,
    ruled: Option<Ruled>,
}

impl World {
    /// A user changes a rule, takes one away, or undoes the last change.
    pub(super) fn change_rules(&mut self) -> Result<bool, Broken> {
        let is_retired = |it: &Undo| it.ruled.is_some_and(|it| it.is_retired);
        if let Some(mut undo) = self.undo.take_if(|it| is_retired(it) || self.rng.percent(40)) {
            self.seen.saw("command: a change of a rule is undone");
            if is_retired(&undo) {
                self.seen.saw("a scheduler that had panicked is put back");
            }
            undo.rule = self.saboteur.undo(undo.rule);
            self.set_rule(undo)?;
            return Ok(true);
        }
        let at = self.rng.index(self.plan.queries.len());
        let name = name_of(&self.plan.queries[at].address).filter(|_| self.rng.percent(60));
        if self.rng.percent(15) {
            self.seen.saw("command: a rule is taken away");
            self.set_rule(Undo { name, rule: None, ruled: None })?;
            return Ok(true);
        }
        let spec = Spec::draw(&mut self.rng);
        self.seen.saw("command: another rule");
        let rule = Some(self.saboteur.rule(spec, &self.wrongs));
        self.set_rule(Undo { name, rule, ruled: Some(Ruled::new(spec)) })?;
        Ok(true)
    }

    fn set_rule(&mut self, Undo { name, rule, ruled }: Undo) -> Checked {
        self.trace.say(|| format!("rule for {name:?}: {ruled:?}"));
        let before = self.modes();
        let was_ruled = self.account.rule_set(name.clone(), ruled, &self.kernel);
        self.meet_modes(&before);
        let now = self.clock.now();
        let was = if self.saboteur.hides_rule() {
            rule
        } else {
            self.primary.set_rule(now, name.clone(), rule, &mut self.actions)
        };
        self.saboteur.after_rule(&mut self.actions);
        ensure(was.is_some() == was_ruled.is_some(), Check::C12Choice, || {
            format!("the rule before for {name:?} is {was:?} and should be {was_ruled:?}")
        })?;
        self.undo = Some(Undo { name, rule: was, ruled: was_ruled });
        self.follow_up()
    }

    fn modes(&self) -> Vec<Mode> {
        self.account.listings().map(|(_, it)| self.account.rules.mode(&it.address)).collect()
    }

    /// Counts the listeners of which somebody else is to accept from now on, while workers hold them.
    fn meet_modes(&mut self, before: &[Mode]) {
        let after = self.modes();
        let held = self.account.listings().map(|(_, it)| !it.holdings.is_empty());
        for ((before, after), held) in before.iter().zip(after).zip(held) {
            match (before, after) {
                (Mode::Handover, Mode::Shared) if held => self.seen.saw("rule: to shared"),
                (Mode::Shared, Mode::Handover) if held => self.seen.saw("rule: from shared"),
                // The same accept as before, or nobody holds it yet.
                (Mode::Handover | Mode::Shared | Mode::Kernel, _) => {}
            }
        }
    }
}
