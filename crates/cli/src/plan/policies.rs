//! Which policy is for which listener, and whether listener and runtime can do it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use portcrew::{AddressType, ListenAddress, ListenerName};

use super::host::Host;
use super::note::Note;
use super::refusal::Refusal;
use crate::args::{self, Policy, Sticky};

/// The policies of a crew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policies {
    /// Of all listeners that have none of their own.
    pub(crate) common: Policy,
    pub(crate) own: Vec<Own>,
    /// The workers have their sockets from their start: nobody can hand them connections.
    pub(super) are_inherited: bool,
    /// The runtime serves from a socket that its workers share.
    pub(super) can_share: bool,
    /// Something is asked for that counts connections which the primary gives.
    pub(super) are_counted: bool,
}

/// The policy of one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Own {
    /// As it was written.
    pub(crate) listener: ListenerName,
    /// All that a worker may call it.
    names: Vec<ListenerName>,
    pub(crate) policy: Policy,
}

impl Policies {
    /// One for all listeners.
    pub(crate) const fn only(common: Policy) -> Self {
        Self { common, own: Vec::new(), can_share: true, are_counted: false, are_inherited: false }
    }

    /// Of programs that have their sockets from their start: what was asked for, else one socket for all.
    ///
    /// # Errors
    /// A policy that its listener cannot do, and one listener under two names.
    pub(super) fn inherited(asked: Option<&args::Policies>, host: &Host) -> Result<Self, Refusal> {
        let asked = asked.cloned().unwrap_or_default();
        let common = Self::only(asked.common.unwrap_or(Policy::Shared));
        Ok(Self { own: Own::all(asked.own, host)?, are_inherited: true, ..common })
    }

    /// Whether workers take all connections by themselves.
    pub(super) fn are_all_shared(&self) -> bool {
        let mut all = std::iter::once(&self.common).chain(self.own.iter().map(|it| &it.policy));
        all.all(Policy::is_without_primary)
    }

    /// What was asked for, else Node's own variable, else round robin.
    ///
    /// # Errors
    /// A variable with another value than Node's two, a policy that its listener cannot do, and one listener under two
    /// names.
    pub(crate) fn new(asked: Option<&args::Policies>, host: &Host) -> Result<Self, Refusal> {
        let asked = asked.cloned().unwrap_or_default();
        let common = match asked.common {
            Some(policy) => policy,
            None => of_variable(host.variable("NODE_CLUSTER_SCHED_POLICY"))?,
        };
        Ok(Self { own: Own::all(asked.own, host)?, ..Self::only(common) })
    }

    /// What this runtime can do of them. `asked`: they were asked for on the command line, and not by a variable that
    /// may be meant for another program.
    ///
    /// It cannot be seen when a worker listens: Deno announces the shared socket, and not that it listens elsewhere
    /// (2.9.6; docs/runtimes.md).
    ///
    /// # Errors
    /// A policy that was asked for and that it cannot do.
    pub(super) fn possible_for(
        mut self,
        executable: &Path,
        asked: Option<&args::Policies>,
    ) -> Result<(Self, Option<Note>), Refusal> {
        self.can_share = executable.file_name() != Some(OsStr::new("deno"));
        if self.can_share {
            return Ok((self, None));
        }
        if let Some(own) = self.own.iter().find(|own| own.policy.is_without_primary()) {
            return Err(Refusal::CannotShare { item: own.to_string() });
        }
        match (&self.common, asked.and_then(|it| it.common.as_ref())) {
            (Policy::Shared | Policy::Kernel, Some(asked)) => {
                Err(Refusal::CannotShare { item: asked.to_string() })
            }
            (Policy::Shared | Policy::Kernel, None) => {
                self.common = Policy::RoundRobin;
                Ok((self, Some(Note::CannotShare)))
            }
            (Policy::RoundRobin | Policy::LeastConnections | Policy::Sticky(_), _) => {
                Ok((self, None))
            }
        }
    }

    /// The policy of a listener that a worker has asked for; none for UDP, which no policy is for.
    pub(crate) fn of(&self, address: &ListenAddress) -> Option<&Policy> {
        match (name_of(address), self.own_of(address)) {
            (None, _) => None,
            (Some(_), Some(own)) => Some(&own.policy),
            (Some(_), None) => Some(&self.common),
        }
    }

    /// The policy that is this listener's alone.
    pub(crate) fn own_of(&self, address: &ListenAddress) -> Option<&Own> {
        let name = name_of(address)?;
        self.own.iter().find(|own| own.is_of(&name))
    }

    /// The policies of single listeners, as the library has them.
    pub(crate) fn of_listeners(&self) -> BTreeMap<ListenerName, portcrew::Policy> {
        self.own.iter().flat_map(Own::meant).collect()
    }
}

impl Own {
    /// What was asked for, with all names that each listener may have.
    ///
    /// # Errors
    /// A policy that its listener cannot do, and one listener under two names.
    pub(super) fn all(
        asked: Vec<(ListenerName, Policy)>,
        host: &Host,
    ) -> Result<Vec<Self>, Refusal> {
        let mut all: Vec<Self> = Vec::new();
        for (listener, policy) in asked {
            let own = Self { names: names(&listener, host), listener, policy };
            if let Some(other) = all.iter().find(|it| it.is_of_same_as(&own)) {
                let (one, other) = (other.listener.to_string(), own.listener.to_string());
                return Err(Refusal::ListenerTwice { one, other });
            }
            match (&own.listener, &own.policy) {
                (ListenerName::Path(_), Policy::Sticky(sticky)) if sticky.is_by_peer() => {
                    return Err(Refusal::NoAddress { item: own.to_string() });
                }
                (ListenerName::Path(_) | ListenerName::Fd(_), Policy::Kernel) => {
                    return Err(Refusal::NotForKernel { item: own.to_string() });
                }
                _ => all.push(own),
            }
        }
        Ok(all)
    }

    /// Whether both are of one listener, whatever they call it.
    pub(super) fn is_of_same_as(&self, other: &Self) -> bool {
        self.names.iter().any(|name| other.names.contains(name))
    }

    /// Whether it is of the listener that a worker calls so.
    pub(super) fn is_of(&self, name: &ListenerName) -> bool {
        self.names.contains(name)
    }

    /// The policy under each of the names, as the library has it.
    pub(super) fn meant(&self) -> impl Iterator<Item = (ListenerName, portcrew::Policy)> + '_ {
        self.names.iter().map(|name| (name.clone(), meant(&self.policy)))
    }
}

/// As they would be written.
impl fmt::Display for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.common)?;
        self.own.iter().try_for_each(|own| write!(f, ", {own}"))
    }
}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.listener, self.policy)
    }
}

/// A policy as the library has it.
pub(crate) fn meant(policy: &Policy) -> portcrew::Policy {
    match policy {
        Policy::RoundRobin => portcrew::Policy::RoundRobin,
        Policy::LeastConnections => portcrew::Policy::LeastConnections,
        Policy::Sticky(sticky) => portcrew::Policy::Sticky(meant_sticky(sticky)),
        Policy::Shared => portcrew::Policy::Shared,
        Policy::Kernel => portcrew::Policy::Kernel,
    }
}

pub(crate) fn meant_sticky(asked: &Sticky) -> portcrew::Sticky {
    let mut sticky = match &asked.by {
        Some(value) => portcrew::Sticky::by_value(value.clone()),
        None => portcrew::Sticky::default(),
    };
    sticky.proxy = asked.proxy;
    sticky.ipv4_prefix = asked.v4.unwrap_or(sticky.ipv4_prefix);
    sticky.ipv6_prefix = asked.v6.unwrap_or(sticky.ipv6_prefix);
    sticky.in_turn = asked.turn;
    sticky.wait = asked.wait.unwrap_or(sticky.wait);
    sticky
}

fn of_variable(value: Option<&OsStr>) -> Result<Policy, Refusal> {
    match value.map(|value| (value.to_str(), value)) {
        None | Some((Some("rr"), _)) => Ok(Policy::RoundRobin),
        Some((Some("none"), _)) => Ok(Policy::Shared),
        Some((_, value)) => Err(Refusal::PolicyUnknown(value.to_owned())),
    }
}

/// What a worker may call this listener. A relative path is bound from the primary's directory, and the library
/// compares it as the worker writes it: `app.sock`, `./app.sock` and the absolute one are the same.
pub(super) fn names(listener: &ListenerName, host: &Host) -> Vec<ListenerName> {
    let ListenerName::Path(path) = listener else {
        return vec![listener.clone()];
    };
    let absolute = host.absolute(Path::new(path));
    let relative = absolute.strip_prefix(host.directory()).ok();
    // Where there is no directory, nothing was stripped.
    let relative = relative.filter(|it| it.is_relative()).and_then(Path::to_str);
    let relative = relative.into_iter().flat_map(|it| [it.to_owned(), format!("./{it}")]);
    let absolute = absolute.to_str().map(str::to_owned);
    let mut all: Vec<_> = relative.chain(absolute).chain([path.clone()]).collect();
    all.sort();
    all.dedup();
    all.into_iter().map(ListenerName::Path).collect()
}

fn name_of(address: &ListenAddress) -> Option<ListenerName> {
    match address.address_type {
        AddressType::Tcp4 | AddressType::Tcp6 => address.port.map(ListenerName::Port),
        AddressType::Unix => address.address.clone().map(ListenerName::Path),
        AddressType::Fd => address.fd.map(ListenerName::Fd),
        AddressType::Udp4 | AddressType::Udp6 => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn host(variable: Option<&str>) -> Host {
        let variable = variable.map(|it| ("NODE_CLUSTER_SCHED_POLICY", OsStr::new(it)));
        Host::of(Path::new("/srv/app"), variable.as_slice())
    }

    fn planned(text: &str) -> Result<Policies, Refusal> {
        Policies::new(Some(&text.parse().unwrap()), &host(None))
    }

    fn unix(path: &str) -> ListenAddress {
        let address = Some(path.to_owned());
        ListenAddress { address, port: None, address_type: AddressType::Unix, fd: None }
    }

    fn tcp(port: u16, address_type: AddressType) -> ListenAddress {
        ListenAddress { address: None, port: Some(port), address_type, fd: None }
    }

    #[test]
    fn the_policy_is_the_option_then_nodes_variable_then_round_robin() {
        for (option, variable, common) in [
            (None, None, "round-robin"),
            (None, Some("rr"), "round-robin"),
            (None, Some("none"), "shared"),
            (Some("round-robin"), Some("none"), "round-robin"),
            (Some("shared"), Some("least"), "shared"),
            // A policy for one listener says nothing about the others.
            (Some("80=sticky"), Some("none"), "shared"),
        ] {
            let option: Option<args::Policies> = option.map(|it: &str| it.parse().unwrap());
            let policies = Policies::new(option.as_ref(), &host(variable)).unwrap();
            assert_eq!(policies.common.to_string(), common, "{option:?} {variable:?}");
        }
        for option in [None, Some("80=sticky".parse::<args::Policies>().unwrap())] {
            let refused = Policies::new(option.as_ref(), &host(Some("least"))).unwrap_err();
            assert!(matches!(refused, Refusal::PolicyUnknown(_)), "{refused}");
        }
    }

    #[test]
    fn a_listener_is_found_by_its_port_on_any_address_and_udp_is_none() {
        let policies = planned("shared,80=sticky,fd:3=round-robin").unwrap();
        let of = |address| policies.of(&address).map(ToString::to_string);
        assert_eq!(of(tcp(80, AddressType::Tcp6)).as_deref(), Some("sticky"));
        assert_eq!(of(tcp(81, AddressType::Tcp4)).as_deref(), Some("shared"));
        assert_eq!(of(tcp(80, AddressType::Udp4)), None);
        let fd = ListenAddress { fd: Some(3), ..tcp(80, AddressType::Fd) };
        assert_eq!(of(fd).as_deref(), Some("round-robin"));
    }

    #[test]
    fn a_path_is_found_however_the_worker_writes_it() {
        for written in ["./run/a.sock", "run/a.sock", "/srv/app/run/a.sock", "run/./a.sock"] {
            let policies = planned(&format!("{written}=shared")).unwrap();
            for asked in ["./run/a.sock", "run/a.sock", "/srv/app/run/a.sock"] {
                assert!(policies.own_of(&unix(asked)).is_some(), "{written} {asked}");
            }
            assert!(policies.own_of(&unix("/run/a.sock")).is_none());
        }
        let outside = planned("/tmp/a.sock=shared,./b.sock=round-robin").unwrap();
        assert!(outside.own_of(&unix("/tmp/a.sock")).is_some());
        assert!(outside.own_of(&unix("b.sock")).is_some());
        assert_eq!(outside.of_listeners().len(), 1 + 3);
    }

    #[test]
    fn one_listener_under_two_names_is_refused() {
        let refused = planned("./a.sock=shared,/srv/app/a.sock=round-robin").unwrap_err();
        assert!(matches!(refused, Refusal::ListenerTwice { .. }), "{refused}");
    }

    #[test]
    fn without_an_address_a_client_must_be_known_by_something_else() {
        for text in ["./a.sock=sticky", "./a.sock=sticky=v4:24+wait:2s"] {
            let refused = planned(text).unwrap_err();
            assert!(matches!(refused, Refusal::NoAddress { .. }), "{text}: {refused}");
        }
        for text in ["./a.sock=sticky=cookie:a", "./a.sock=sticky=proxy", "80=sticky", "sticky"] {
            assert!(planned(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn over_one_socket_the_kernel_spreads_nothing() {
        for text in ["./a.sock=kernel", "fd:3=kernel"] {
            let refused = planned(text).unwrap_err();
            assert!(matches!(refused, Refusal::NotForKernel { .. }), "{text}: {refused}");
        }
        assert!(planned("kernel,80=shared,81=kernel,./a.sock=shared").is_ok());
    }

    #[test]
    fn what_is_not_said_of_sticky_is_as_the_library_and_the_help_have_it() {
        assert_eq!(meant_sticky(&Sticky::default()), portcrew::Sticky::default());
        let sticky = portcrew::Sticky::default();
        let defaults = (sticky.ipv4_prefix, sticky.ipv6_prefix, sticky.wait);
        assert_eq!(defaults, (32, 64, Duration::from_secs(1)));
        let help = crate::output::words::help::POLICY_LONG;
        assert!(help.contains("[32 and 64]") && help.contains("[1s]"));
        let sticky = meant_sticky(&"cookie:a+proxy+v4:24+v6:56+wait:2s".parse().unwrap());
        let cookie = portcrew::LookFor::Cookie("a".to_owned());
        assert_eq!(sticky.by, portcrew::StickyBy::Value(cookie));
        assert_eq!((sticky.proxy, sticky.ipv4_prefix, sticky.ipv6_prefix), (true, 24, 56));
        assert_eq!(sticky.wait, Duration::from_secs(2));
    }

    #[test]
    fn the_command_and_the_library_call_a_policy_the_same() {
        for text in ["round-robin", "least-connections", "sticky=v4:24", "shared", "kernel"] {
            let policy: Policy = text.parse().unwrap();
            assert_eq!(meant(&policy).to_string(), policy.name());
        }
    }

    #[test]
    fn a_runtime_that_cannot_share_a_socket_refuses_what_was_asked_for_and_else_hands_over() {
        let deno = Path::new("/usr/bin/deno");
        for text in ["shared", "80=shared", "sticky,80=round-robin,81=shared", "kernel"] {
            let asked = text.parse().unwrap();
            let policies = Policies::new(Some(&asked), &host(None)).unwrap();
            let refused = policies.clone().possible_for(deno, Some(&asked)).unwrap_err();
            assert!(matches!(refused, Refusal::CannotShare { .. }), "{text}: {refused}");
            let node = policies.clone().possible_for(Path::new("/usr/bin/node"), Some(&asked));
            assert_eq!(node.unwrap(), (policies, None), "{text}");
        }
        for (variable, note) in [(Some("none"), Some(Note::CannotShare)), (None, None)] {
            let policies = Policies::new(None, &host(variable)).unwrap();
            let possible = policies.possible_for(deno, None).unwrap();
            let handed_over = Policies { can_share: false, ..Policies::only(Policy::RoundRobin) };
            assert_eq!(possible, (handed_over, note));
        }
    }
}
