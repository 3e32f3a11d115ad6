//! What cannot be set, said before anything is started.

use super::{Drain, ListenOn, MOST_LISTENERS, Policy, Ready, Serialization, Settings};
use crate::{Error, Result};

/// The numbers that extra descriptors may have.
const EXTRA: std::ops::RangeInclusive<i32> = 3..=portcrew_ipc::spawn::LAST_EXTRA_FD;

impl Settings {
    pub(crate) const TOO_MANY_LISTENERS: &'static str =
        "a program is started with 64 sockets at most; leave some out";
    pub(crate) const NOBODY_HANDS_OVER: &'static str = "workers with Settings::listen take connections by themselves, \
         so nobody hands them over and no policy chooses; leave it at Policy::Shared, or give Policy::Kernel";

    /// # Errors
    ///
    /// [`Error::Setting`] with the first that cannot be.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |setting, reason| Err(Error::Setting { setting, reason });
        if self.serialization == Serialization::Advanced {
            return wrong(
                "serialization",
                "V8's binary format (advanced) is not spoken here yet; leave it at Serialization::Json, which is \
                 also Node's default",
            );
        }
        if let Some(setting) = self.says_no_user() {
            return wrong(
                setting,
                "4294967295 is no user's and no group's number: to the system it means that nothing is changed",
            );
        }
        if self.uid == Some(0) {
            return wrong(
                "uid",
                "workers that run as root have all of root's rights; leave it out, or name another user",
            );
        }
        if self.uid.is_some() && self.gid.is_none() {
            return wrong(
                "uid",
                "the worker would keep this process's group; set Settings::gid too",
            );
        }
        if !self.groups.is_empty() && self.gid.is_none() {
            return wrong("groups", "supplementary groups go with a group; set Settings::gid too");
        }
        if self.fds.keys().any(|number| !EXTRA.contains(number)) {
            return wrong(
                "fds",
                "their numbers are 3 to 255; for 0, 1 and 2 there are Settings::stdin, stdout and stderr",
            );
        }
        if self.max_age.is_some_and(|age| age.is_zero()) || self.max_connections == Some(0) {
            return wrong(
                "max_age",
                "a worker that may not live or take a connection at all would be replaced without end; leave it out",
            );
        }
        if self.liveness.is_hasty() {
            return wrong(
                "liveness",
                "a worker that has no time at all would hang as soon as it is ready; leave it out with None",
            );
        }
        if let Some((setting, reason)) = self.says_to_the_mute() {
            return wrong(setting, reason);
        }
        if let Some(reason) = self.ready.wrong() {
            return wrong("ready", reason);
        }
        let policies = std::iter::once(&self.policy).chain(self.policies.values());
        match policies.filter_map(Policy::wrong).next() {
            Some(reason) => wrong("policy", reason),
            None => Ok(()),
        }
    }

    /// What cannot be with workers that have sockets in place of a channel.
    fn says_to_the_mute(&self) -> Option<(&'static str, &'static str)> {
        if self.listen.is_empty() {
            return None;
        }
        let said = [
            (self.listen.len() > MOST_LISTENERS, "listen", Self::TOO_MANY_LISTENERS),
            (
                !self.fds.is_empty(),
                "fds",
                "the sockets of Settings::listen have the numbers from 3 on; leave one of the two out",
            ),
            (
                self.ready == Ready::Message,
                "ready",
                "workers with Settings::listen have no channel to say it on; take Ready::Notify, a probe or Ready::Alive",
            ),
            (
                self.policy == Policy::Kernel && self.listen.iter().any(ListenOn::is_one_socket),
                "policy",
                "Policy::Kernel has a socket for each worker, and of a path or a descriptor in Settings::listen there is \
                 one; take Policy::Shared, or Settings::policies for single listeners",
            ),
            (
                matches!(self.drain, Drain::Message(_)),
                "drain",
                "workers with Settings::listen have no channel to be told on; take Drain::Signal",
            ),
        ];
        said.into_iter().find_map(|(is_said, setting, reason)| is_said.then_some((setting, reason)))
    }

    /// Where it has the number that setuid(2) and its like do not take for one.
    fn says_no_user(&self) -> Option<&'static str> {
        let none = Some(u32::MAX);
        let said = [
            ("uid", self.uid == none),
            ("gid", self.gid == none),
            ("groups", self.groups.contains(&u32::MAX)),
        ];
        said.into_iter().find_map(|(setting, is_said)| is_said.then_some(setting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExtraFd;

    /// The setting that is refused after this change, with the reason.
    fn refused(change: impl FnOnce(&mut Settings)) -> (&'static str, &'static str) {
        let mut settings = Settings::default();
        change(&mut settings);
        match settings.check() {
            Err(Error::Setting { setting, reason }) => (setting, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_defaults_can_be() {
        assert!(Settings::default().check().is_ok());
    }

    #[test]
    fn each_refusal_names_the_setting_and_the_next_step() {
        let (setting, reason) = refused(|it| it.serialization = Serialization::Advanced);
        assert!(setting == "serialization" && reason.contains("Serialization::Json"));
        let (setting, reason) = refused(|it| it.uid = Some(1));
        assert!(setting == "uid" && reason.contains("Settings::gid"));
        let (setting, reason) = refused(|it| (it.uid, it.gid) = (Some(0), Some(0)));
        assert!(setting == "uid" && reason.contains("another user"));
        let (setting, reason) = refused(|it| it.groups = vec![1]);
        assert!(setting == "groups" && reason.contains("Settings::gid"));
        for (expected, setting) in [
            ("uid", refused(|it| (it.uid, it.gid) = (Some(u32::MAX), Some(1)))),
            ("gid", refused(|it| it.gid = Some(u32::MAX))),
            ("groups", refused(|it| (it.gid, it.groups) = (Some(1), vec![2, u32::MAX]))),
        ] {
            assert!(setting.0 == expected && setting.1.contains("4294967295"), "{setting:?}");
        }
        let zero = Some(std::time::Duration::ZERO);
        let (setting, reason) = refused(|it| it.liveness.answer_within = zero);
        assert!(setting == "liveness" && reason.contains("None"));
        let mut sticky = crate::Sticky::default();
        sticky.ipv4_prefix = 33;
        let (setting, reason) = refused(|it| it.policy = Policy::Sticky(sticky));
        assert!(setting == "policy" && reason.contains("32"));
        for number in [-1, 2, 256] {
            let (setting, reason) = refused(|it| drop(it.fds.insert(number, ExtraFd::Null)));
            assert!(setting == "fds" && reason.contains("3 to 255"), "{number}");
        }
    }

    #[test]
    fn what_workers_with_sockets_in_place_of_a_channel_cannot_do_is_refused() {
        let at = |change: &dyn Fn(&mut Settings)| {
            refused(|it| {
                it.listen.push("127.0.0.1:0".parse().unwrap());
                change(it);
            })
        };
        let (setting, reason) = at(&|it| drop(it.fds.insert(9, ExtraFd::Null)));
        assert!(setting == "fds" && reason.contains("from 3 on"));
        let (setting, reason) = at(&|it| it.ready = Ready::Message);
        assert!(setting == "ready" && reason.contains("Ready::Notify"));
        let (setting, reason) = at(&|it| it.drain = Drain::Message("bye".to_owned()));
        assert!(setting == "drain" && reason.contains("Drain::Signal"));
        let (setting, reason) =
            at(&|it| it.listen = vec![it.listen[0].clone(); MOST_LISTENERS + 1]);
        assert!(setting == "listen" && reason.contains("64"), "{reason}");
    }

    #[test]
    fn a_group_alone_can_be() {
        let mut settings = Settings::default();
        (settings.uid, settings.gid, settings.groups) = (Some(1), Some(2), vec![3]);
        assert!(settings.check().is_ok());
        settings.uid = None;
        assert!(settings.check().is_ok());
    }
}
