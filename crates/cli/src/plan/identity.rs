//! Whom the workers run as, looked up, and what they may have beyond its rights.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use portcrew::rights::{User, group};
use portcrew::{ListenerName, Settings};
use rustix::process::{getegid, geteuid};

use super::host::Host;
use super::note::Note;
use super::policies::names;
use super::reach::Reader;
use super::refusal::Refusal;
use crate::args;
use crate::output::words::identity as words;

/// What the options come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// User, group, and all groups.
    ids: Option<(u32, u32, Vec<u32>)>,
    no_new_privs: Option<bool>,
    allow: BTreeSet<ListenerName>,
    /// Variables that say who one is, where it is another than who started this.
    pub(super) env: Vec<(OsString, OsString)>,
}

impl Identity {
    /// Looks the names up.
    ///
    /// # Errors
    /// The first that cannot be.
    pub(super) fn new(asked: &args::Identity, host: &Host) -> Result<Self, Refusal> {
        let (no_new_privs, allow) = (asked.no_new_privs, &asked.allow);
        let Some(user) = &asked.uid else {
            return match (&asked.gid, allow.is_empty()) {
                (Some(_), _) => Err(Refusal::Contradiction(words::GROUP_ALONE)),
                (None, false) => Err(Refusal::Contradiction(words::ALL_ALLOWED)),
                (None, true) => Ok(Self { no_new_privs, ..Self::default() }),
            };
        };
        let (entry, uid) = find(user)?;
        if uid == 0 {
            return Err(Refusal::Contradiction(words::ROOT));
        }
        let gid = match (&asked.gid, &entry) {
            (Some(name), _) => find_group(name)?,
            (None, Some(entry)) => entry.gid,
            (None, None) => return Err(Refusal::Identity(words::no_group_known(uid))),
        };
        let own = (geteuid().as_raw(), getegid().as_raw());
        if let Some(reason) = not_allowed(own, (user, uid), (asked.gid.as_deref(), gid)) {
            return Err(Refusal::Identity(reason));
        }
        let groups = match &entry {
            Some(entry) => entry.groups(gid).map_err(|error| unknown(user, &error))?,
            None => Vec::new(),
        };
        let allow = allow.iter().flat_map(|it| names(it, host)).collect();
        let env = entry.filter(|_| own.0 != uid).map(variables).unwrap_or_default();
        Ok(Self { ids: Some((uid, gid, groups)), no_new_privs, allow, env })
    }

    /// Puts it into the settings of the crew.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        if let Some((uid, gid, groups)) = &self.ids {
            (settings.uid, settings.gid) = (Some(*uid), Some(*gid));
            settings.groups.clone_from(groups);
        }
        settings.no_new_privs = self.no_new_privs;
        settings.allow.clone_from(&self.allow);
    }

    /// What to say of a program where that user cannot look.
    pub(super) fn note(&self, program: &Path) -> Option<Note> {
        let (uid, gid, groups) = self.ids.as_ref()?;
        let at = Reader { uid: *uid, gid: *gid, groups }.kept_out_by(program)?;
        Some(Note::OutOfReach { path: program.to_owned(), at, user: *uid })
    }

    /// Whether files that are this process's alone cannot be read by the workers.
    pub(crate) fn is_another(&self) -> bool {
        self.ids.as_ref().is_some_and(|(uid, ..)| *uid != geteuid().as_raw())
    }
}

/// Why a process that is not root cannot make workers these: another user, or itself with another group.
fn not_allowed(
    own: (u32, u32),
    (user, uid): (&str, u32),
    (group, gid): (Option<&str>, u32),
) -> Option<String> {
    if own.0 == 0 || own == (uid, gid) {
        None
    } else if own.0 == uid {
        let number = gid.to_string();
        Some(words::not_own_group(group.unwrap_or(&number)))
    } else {
        Some(words::not_root(user))
    }
}

/// The entry, where there is one, and the number.
fn find(user: &str) -> Result<(Option<User>, u32), Refusal> {
    let entry = User::find(user).map_err(|error| unknown(user, &error))?;
    let uid = entry.as_ref().map(|it| it.uid).or_else(|| number(user));
    let uid = uid.ok_or_else(|| Refusal::Identity(words::no_such_user(user)))?;
    Ok((entry, uid))
}

fn find_group(name: &str) -> Result<u32, Refusal> {
    let found = group(name).map_err(|error| unknown(name, &error))?;
    let found = found.filter(|it| is_one(*it));
    found.ok_or_else(|| Refusal::Identity(words::no_such_group(name)))
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|it| is_one(*it))
}

/// The last number means to the system that nothing is to be changed.
const fn is_one(number: u32) -> bool {
    number != u32::MAX
}

fn unknown(name: &str, error: &io::Error) -> Refusal {
    Refusal::NoUserDatabase(words::cannot_look_up(name, error))
}

/// As a login sets them. Those of whoever started this would lead programs into directories that they cannot enter.
fn variables(user: User) -> Vec<(OsString, OsString)> {
    let name = OsString::from(user.name);
    vec![("HOME".into(), user.home.into()), ("USER".into(), name.clone()), ("LOGNAME".into(), name)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(uid: Option<&str>, gid: Option<&str>, allow: &[&str]) -> Result<Identity, Refusal> {
        let path = |it: &&str| ListenerName::Path((*it).to_owned());
        let asked = args::Identity {
            uid: uid.map(Into::into),
            gid: gid.map(Into::into),
            allow: allow.iter().map(path).collect(),
            no_new_privs: None,
        };
        Identity::new(&asked, &Host::of(Path::new("/srv/app"), &[]))
    }

    fn refused(uid: Option<&str>, gid: Option<&str>, allow: &[&str]) -> String {
        meant(uid, gid, allow).unwrap_err().to_string()
    }

    #[test]
    fn each_refusal_names_the_thing_and_the_next_step() {
        for (uid, gid, allow, parts) in [
            (Some("nobody at all"), None, &[][..], &["`nobody at all`", "getent passwd"][..]),
            (Some("4294967290"), None, &[], &["4294967290", "--gid"]),
            (Some("4294967295"), Some("0"), &[], &["4294967295"]),
            (Some("4294967290"), Some("no group"), &[], &["`no group`", "getent group"]),
            (Some("4294967290"), Some("4294967295"), &[], &["4294967295"]),
            (Some("root"), None, &[], &["all of root's rights", "leave --uid out"]),
            (Some("0"), Some("1"), &["./s"], &["all of root's rights"]),
            (None, Some("0"), &[], &["--uid"]),
            (None, None, &["./s"], &["--uid"]),
        ] {
            let text = refused(uid, gid, allow);
            assert!(parts.iter().all(|it| text.contains(it)), "{text}");
        }
    }

    #[test]
    fn without_root_only_the_own_user_can_be_meant() {
        let own = (geteuid().as_raw().to_string(), getegid().as_raw().to_string());
        assert_eq!(meant(Some(&own.0), Some(&own.1), &[]).is_ok(), !geteuid().is_root());
        if !geteuid().is_root() {
            assert!(refused(Some("4294967290"), Some("1"), &[]).contains("sudo"));
        }
        // Whose fault it is: the user's or the group's.
        let asked = |own, uid, group, gid| not_allowed(own, ("me", uid), (group, gid));
        assert_eq!(asked((7, 8), 7, Some("docker"), 9), Some(words::not_own_group("docker")));
        assert_eq!(asked((7, 8), 7, None, 9), Some(words::not_own_group("9")));
        assert_eq!(asked((7, 8), 6, Some("docker"), 9), Some(words::not_root("me")));
        assert_eq!(asked((7, 8), 7, None, 8), None);
        assert_eq!(asked((0, 0), 6, None, 9), None);
    }

    #[test]
    fn a_user_comes_with_its_group_its_groups_and_a_path_with_all_its_names() {
        if !geteuid().is_root() {
            return;
        }
        let mut settings = Settings::default();
        let identity = meant(Some("nobody"), None, &["./a.sock"]).unwrap();
        identity.apply(&mut settings);
        let entry = User::find("nobody").unwrap().unwrap();
        assert_eq!((settings.uid, settings.gid), (Some(entry.uid), Some(entry.gid)));
        assert_eq!(settings.groups, entry.groups(entry.gid).unwrap());
        let path = |it: &str| ListenerName::Path(it.to_owned());
        let all = [path("./a.sock"), path("/srv/app/a.sock"), path("a.sock")];
        assert_eq!(settings.allow.into_iter().collect::<Vec<_>>(), all);
        assert!(identity.env.contains(&("USER".into(), "nobody".into())));
        let by_number = meant(Some("4294967290"), Some("4294967291"), &[]).unwrap();
        assert_eq!(by_number.ids, Some((4_294_967_290, 4_294_967_291, Vec::new())));
        assert_eq!(by_number.env, []);
    }
}
