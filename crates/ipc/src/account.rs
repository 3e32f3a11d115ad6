//! Users and groups as the system's databases know them: passwd(5), group(5), and what else nsswitch.conf names.
//!
//! They may be asked over a network, so these calls are for the time before anything is served.

use std::ffi::CString;
use std::io;
use std::path::PathBuf;

use nix::unistd::{self, Gid, Uid};

/// A user with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its own group.
    pub gid: u32,
    /// Its directory.
    pub home: PathBuf,
}

impl User {
    /// The user of this name, or else of this number. `None` when there is no entry.
    ///
    /// # Errors
    ///
    /// A database cannot be asked.
    pub fn find(name_or_number: &str) -> io::Result<Option<Self>> {
        let mut found = unistd::User::from_name(name_or_number)?;
        if found.is_none() {
            if let Some(uid) = number(name_or_number).map(Uid::from_raw) {
                found = unistd::User::from_uid(uid)?;
            }
        }
        Ok(found.map(|it| Self {
            uid: it.uid.as_raw(),
            gid: it.gid.as_raw(),
            name: it.name,
            home: it.dir,
        }))
    }

    /// The groups that a login of this user has, with `gid` in place of its own: those of initgroups(3).
    ///
    /// # Errors
    ///
    /// There are more than a process can have.
    pub fn groups(&self, gid: u32) -> io::Result<Vec<u32>> {
        let name = CString::new(self.name.as_str())?;
        let groups = unistd::getgrouplist(&name, Gid::from_raw(gid))?;
        Ok(groups.into_iter().map(Gid::as_raw).collect())
    }
}

/// The group of this name, or else this number, which needs no entry. `None` for a name without one.
///
/// # Errors
///
/// A database cannot be asked.
pub fn group(name_or_number: &str) -> io::Result<Option<u32>> {
    let found = unistd::Group::from_name(name_or_number)?;
    Ok(found.map(|it| it.gid.as_raw()).or_else(|| number(name_or_number)))
}

/// A number that somebody can have: to the system the last one means none.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|it| *it != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_by_its_name_and_by_its_number() {
        let root = User::find("root").unwrap().unwrap();
        assert_eq!((root.uid, root.name.as_str()), (0, "root"));
        assert_eq!(User::find("0").unwrap(), Some(root.clone()));
        assert!(root.groups(65_530).unwrap().contains(&65_530));
    }

    #[test]
    fn what_has_no_entry_is_none_and_a_groups_number_needs_none() {
        assert_eq!(User::find("no such user").unwrap(), None);
        assert_eq!(User::find("4294967290").unwrap(), None);
        assert_eq!(group("no such group").unwrap(), None);
        assert_eq!(User::find("4294967295").unwrap(), None);
        assert_eq!(group("4294967295").unwrap(), None);
        assert_eq!(group("4294967290").unwrap(), Some(4_294_967_290));
    }
}
