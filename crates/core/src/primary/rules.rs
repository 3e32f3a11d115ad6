//! Which policy is for which listener, and how it changes while the primary runs.

use std::fmt;
use std::sync::Arc;

use super::listener::Listener;
use super::machine::Primary;
use super::{Action, Mode, Notice};
use crate::scheduler::{Guarded, Look, Needs, RoundRobin, Scheduler};
use crate::{Address, ListenerId, Time, WorkerId};

/// Who accepts, and who gets the next connection when the primary does.
pub struct Rule {
    mode: Mode,
    /// How far it is trusted goes with it: one that panicked is not asked again when a change is undone.
    scheduler: Guarded,
}

/// A rule for all listeners, and those for some.
#[derive(Debug, Default)]
pub struct Rules {
    default: Rule,
    exceptions: Vec<(ListenerName, Rule)>,
}

/// A listener as people name it: by what a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListenerName {
    /// A TCP port, on whatever address.
    Port(u16),
    /// A Unix-domain path, as the worker writes it.
    Path(String),
    /// A descriptor of the primary.
    Fd(i32),
}

impl Rule {
    /// The primary accepts, and this scheduler chooses.
    #[must_use]
    pub fn handover(scheduler: impl Scheduler + 'static) -> Self {
        Self::boxed(Box::new(scheduler))
    }

    /// The same for a scheduler whose type is not known.
    #[must_use]
    pub fn boxed(scheduler: Box<dyn Scheduler>) -> Self {
        Self { mode: Mode::Handover, scheduler: Guarded::new(scheduler) }
    }

    /// The workers accept from one socket.
    #[must_use]
    pub fn shared() -> Self {
        // Asked while some worker is still handed connections, and about what is left over then.
        Self { mode: Mode::Shared, scheduler: Guarded::new(Box::new(RoundRobin)) }
    }

    /// The workers accept, each place from a socket of its own. Of a listener that is no TCP or UDP address the workers
    /// accept from one socket. It is in force for listeners that are opened from now on.
    #[must_use]
    pub fn kernel() -> Self {
        // Asked about what waited too long for the worker of its place.
        Self { mode: Mode::Kernel, scheduler: Guarded::new(Box::new(RoundRobin)) }
    }
}

impl Default for Rule {
    /// Hand-over, round-robin.
    fn default() -> Self {
        Self::handover(RoundRobin)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, scheduler } = self;
        f.debug_struct("Rule").field("mode", mode).field("scheduler", scheduler).finish()
    }
}

impl Rules {
    /// This rule for every listener that has none of its own.
    #[must_use]
    pub const fn new(default: Rule) -> Self {
        Self { default, exceptions: Vec::new() }
    }

    /// This rule for that listener. Given twice, the last counts.
    #[must_use]
    pub fn with(mut self, name: ListenerName, rule: Rule) -> Self {
        self.exceptions.push((name, rule));
        self
    }
}

impl ListenerName {
    /// The name of a listener that is asked for so; none for UDP, which no policy is for.
    #[must_use]
    pub fn of(address: &Address) -> Option<Self> {
        match address {
            Address::Tcp { port, .. } => Some(Self::Port(*port)),
            Address::Unix { path, .. } => Some(Self::Path(path.clone())),
            Address::Fd { fd } => Some(Self::Fd(*fd)),
            Address::Udp { .. } => None,
        }
    }

    /// Whether a worker that asks for this address asks for the listener of this name.
    #[must_use]
    pub fn fits(&self, address: &Address) -> bool {
        // Without making a name of the path that is asked for.
        match (self, address) {
            (Self::Port(port), Address::Tcp { port: asked, .. }) => port == asked,
            (Self::Path(path), Address::Unix { path: asked, .. }) => path == asked,
            (Self::Fd(fd), Address::Fd { fd: asked }) => fd == asked,
            // No policy is for UDP by name.
            (
                Self::Port(_) | Self::Path(_) | Self::Fd(_),
                Address::Tcp { .. }
                | Address::Unix { .. }
                | Address::Fd { .. }
                | Address::Udp { .. },
            ) => false,
        }
    }
}

impl fmt::Display for ListenerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => port.fmt(f),
            Self::Path(path) => f.write_str(path),
            Self::Fd(fd) => write!(f, "fd:{fd}"),
        }
    }
}

/// The rules in force, by number.
#[derive(Debug)]
pub(super) struct Rulebook {
    rules: Vec<Entry>,
}

/// The number of a rule. It may become another's when rules are set: each listener then looks for its own anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RuleId(usize);

#[derive(Debug)]
struct Entry {
    /// Whose; that of the rule for all others is `None`.
    name: Option<ListenerName>,
    mode: Mode,
    scheduler: Guarded,
    look: Option<Arc<Look>>,
}

impl Rulebook {
    const DEFAULT: RuleId = RuleId(0);

    pub(super) fn new(rules: Rules) -> Self {
        let mut book = Self { rules: vec![Entry::new(None, rules.default)] };
        for (name, rule) in rules.exceptions {
            book.set(Some(name), Some(rule));
        }
        book
    }

    /// The rule for a listener that was asked for so.
    pub(super) fn find(&self, address: &Address) -> RuleId {
        let fits = |entry: &Entry| entry.name.as_ref().is_some_and(|it| it.fits(address));
        self.rules.iter().position(fits).map_or(Self::DEFAULT, RuleId)
    }

    /// Sets a rule, or takes away the one of this name. Returns the one before.
    fn set(&mut self, name: Option<ListenerName>, rule: Option<Rule>) -> Option<Rule> {
        let place = self.rules.iter().position(|entry| entry.name == name);
        let rule = match (&name, rule) {
            // There is always one for all others.
            (None, None) => Some(Rule::default()),
            (_, rule) => rule,
        };
        let new = rule.map(|rule| Entry::new(name, rule));
        let old = match (place, new) {
            (Some(at), Some(new)) => Some(std::mem::replace(&mut self.rules[at], new)),
            (Some(at), None) => Some(self.rules.remove(at)),
            (None, Some(new)) => {
                self.rules.push(new);
                None
            }
            (None, None) => None,
        };
        old.map(|it| Rule { mode: it.mode, scheduler: it.scheduler })
    }

    /// Who is to accept at this address by this rule.
    pub(super) fn mode(&self, id: RuleId, address: &Address) -> Mode {
        match (self.rules[id.0].mode, address) {
            (Mode::Kernel, Address::Tcp { .. }) => Mode::Kernel,
            // One that other programs may have too is theirs as much as ours.
            (Mode::Kernel, Address::Udp { fd: None, flags, .. })
                if flags & Address::UDP_REUSE_ADDRESS == 0 =>
            {
                Mode::Kernel
            }
            // One socket that is there already, or a path, is one socket.
            (Mode::Kernel, Address::Unix { .. } | Address::Fd { .. } | Address::Udp { .. })
            // Datagrams have no connections to hand over (Node: UDP is always shared).
            | (Mode::Handover | Mode::Shared, Address::Udp { .. }) => Mode::Shared,
            (mode, Address::Tcp { .. } | Address::Unix { .. } | Address::Fd { .. }) => mode,
        }
    }

    pub(super) fn needs(&self, id: RuleId) -> &Needs {
        self.rules[id.0].scheduler.needs()
    }

    pub(super) fn look(&self, id: RuleId) -> Option<&Arc<Look>> {
        self.rules[id.0].look.as_ref()
    }

    /// What the policy of a listener is called.
    pub(super) fn name_for(&self, listener: &Listener) -> &'static str {
        match listener.mode {
            Mode::Handover => self.rules[listener.rule.0].scheduler.name(),
            Mode::Shared => "shared",
            Mode::Kernel => "kernel",
        }
    }

    pub(super) fn scheduler(&mut self, id: RuleId) -> &mut Guarded {
        &mut self.rules[id.0].scheduler
    }
}

impl Entry {
    fn new(name: Option<ListenerName>, rule: Rule) -> Self {
        let Rule { mode, scheduler } = rule;
        let look = scheduler.needs().look.clone().map(Arc::new);
        Self { name, mode, scheduler, look }
    }
}

impl Primary {
    /// Changes the policy: of the listener of this name, or of all that have none of their own; without a rule, takes
    /// away that of this name. Connections that wait are dealt out by the new one; those that are offered stay where
    /// they are. Returns the rule before, with which the change can be undone.
    ///
    /// Who accepts from a listener changes with its workers: see [`is_changing`](Self::is_changing).
    pub fn set_rule(
        &mut self,
        now: Time,
        name: Option<ListenerName>,
        rule: Option<Rule>,
        out: &mut Vec<Action>,
    ) -> Option<Rule> {
        let key = name.clone();
        let before = self.rules.set(name, rule);
        // The number of a rule may be another's now.
        for listener in self.listeners.values_mut() {
            listener.rule = self.rules.find(&listener.query.address);
        }
        let concerned: Vec<_> = self.listeners_of(key.as_ref()).map(|(id, _)| *id).collect();
        for id in concerned {
            self.rule_over(now, id, out);
        }
        before
    }

    /// Those of this name, or all that have no policy of their own.
    fn listeners_of(
        &self,
        name: Option<&ListenerName>,
    ) -> impl Iterator<Item = (&ListenerId, &Listener)> {
        self.listeners.iter().filter(move |(_, it)| match name {
            Some(name) => name.fits(&it.query.address),
            None => it.rule == Rulebook::DEFAULT,
        })
    }

    /// The same of [`is_changing`](Self::is_changing), for the listener of this name, or for all that have no policy
    /// of their own, and only for workers that count.
    #[must_use]
    pub fn is_changing_for(
        &self,
        name: Option<&ListenerName>,
        counts: impl Fn(WorkerId) -> bool,
    ) -> bool {
        self.listeners_of(name).any(|(_, it)| it.holders_otherwise().any(&counts))
    }

    /// Whether some worker holds a listener in another way than its policy wants by now, and has to be replaced
    /// before the policy is in force.
    #[must_use]
    pub fn is_changing(&self) -> bool {
        self.listeners.values().any(|it| it.ways().any(|way| way != it.mode))
    }

    /// Whether a policy needs to know how busy the workers' processes are.
    #[must_use]
    pub fn needs_cpu(&self) -> bool {
        self.listeners.values().any(|it| self.rules.needs(it.rule).cpu)
    }

    /// Whether a policy needs to know the addresses that this listener's connections came to.
    #[must_use]
    pub fn needs_local(&self, listener: ListenerId) -> bool {
        self.listeners.get(&listener).is_some_and(|it| self.rules.needs(it.rule).local)
    }

    /// The rule that is for a listener now applies from now on.
    fn rule_over(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get(&id) else {
            return;
        };
        let (rule, address) = (listener.rule, &listener.query.address);
        let mode = match listener.is_kept {
            true => self.mode_of_unasked(rule, address),
            false => self.rules.mode(rule, address),
        };
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        // A socket is made for one or the other, and stays what it is.
        if (mode == Mode::Kernel) == (listener.mode == Mode::Kernel) {
            listener.mode = mode;
        }
        if listener.is_open() {
            out.push(Action::Notify(self.chosen(id)));
        }
        self.count_if_needed(id, out);
        self.look_by_rule(id);
        self.forget_cpu(id);
        self.pump(now, id, out);
    }

    /// Which policy a listener has.
    pub(super) fn chosen(&self, id: ListenerId) -> Notice {
        let name = self.listeners.get(&id).map_or("none", |it| self.rules.name_for(it));
        Notice::Scheduling { listener: id, news: super::Scheduling::Policy { name } }
    }
}
