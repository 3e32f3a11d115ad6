//! Who could lead a path elsewhere: the owners of the directories on its way, and those whom they let write.
//!
//! A process with the rights of root that opens a path in a directory of somebody else does with these rights what that
//! one has put there: a link in place of a log, of a socket, of the directory itself.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::process::geteuid;

/// Links on one way. Beyond it the kernel would not follow either.
const MOST_LINKS: usize = 40;

/// What the owner is shown as who has no number in this user namespace (user_namespaces(7)), and which users have one.
const OVERFLOW_UID: &str = "/proc/sys/kernel/overflowuid";
const UID_MAP: &str = "/proc/self/uid_map";

/// Mode bits: group and others may write; entries belong to those who made them.
const WRITABLE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Somebody but root and this process's user, who could lead a path elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Where.
    pub at: PathBuf,
    /// To whom it belongs.
    pub owner: u32,
    /// Who may write there, as mode bits.
    pub mode: u32,
}

/// The first place on the way to an absolute path that a [`Stranger`] could change, without the file itself. What does
/// not exist yet ends the way: who makes it in a place that everybody writes (`/tmp`) is another question.
///
/// # Errors
///
/// A directory cannot be looked at; links lead in a circle.
pub fn stranger_on_the_way(path: &Path) -> io::Result<Option<Stranger>> {
    match stranger_on_the_whole_way(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found,
    }
}

/// As [`stranger_on_the_way`], for who goes that way next: it is all there, so nobody else can make a part of it
/// meanwhile.
///
/// # Errors
///
/// As there; and `NotFound` for a directory that is not there.
pub fn stranger_on_the_whole_way(path: &Path) -> io::Result<Option<Stranger>> {
    let mut way: VecDeque<OsString> = names(path.parent().unwrap_or(path)).collect();
    let (mut here, mut links) = (PathBuf::from("/"), 0);
    loop {
        let found = std::fs::symlink_metadata(&here)?;
        if is_strange(&found) {
            return Ok(Some(Stranger {
                at: here,
                owner: found.uid(),
                mode: found.mode() & 0o7777,
            }));
        }
        if found.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            let target = std::fs::read_link(&here)?;
            here.pop();
            if target.is_absolute() {
                here = PathBuf::from("/");
            }
            names(&target).rev().for_each(|name| way.push_front(name));
        }
        let Some(name) = way.pop_front() else {
            return Ok(None);
        };
        if name == ".." {
            here.pop();
        } else {
            here.push(name);
        }
    }
}

fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

/// A link's own mode says nothing: who may replace it is said by its directory.
fn is_strange(found: &Metadata) -> bool {
    let is_writable =
        !found.is_symlink() && found.mode() & WRITABLE != 0 && found.mode() & STICKY == 0;
    let owner = found.uid();
    is_writable || (owner != 0 && owner != geteuid().as_raw() && !is_unmapped(owner))
}

/// Inside a user namespace what belongs to nobody in it shows one number; nobody in it can change that.
fn is_unmapped(owner: u32) -> bool {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    is_nobody_here(owner, &read(OVERFLOW_UID), || read(UID_MAP))
}

/// Only where no user of the namespace has this number: where one has, it is that one's. What cannot be read is taken to
/// say so.
fn is_nobody_here(owner: u32, overflow: &str, map: impl FnOnce() -> String) -> bool {
    if overflow.trim().parse() != Ok(owner) {
        return false;
    }
    let map = map();
    let mut ranges = map.lines().map(|line| {
        let mut numbers = line.split_ascii_whitespace().map(|it| it.parse::<u64>().ok());
        let (first, _outside, count) = (numbers.next()??, numbers.next()??, numbers.next()??);
        Some(first..first.saturating_add(count))
    });
    !map.is_empty()
        && ranges.all(|range| range.is_some_and(|range| !range.contains(&u64::from(owner))))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn directory(at: &Path, mode: u32) -> PathBuf {
        fs::create_dir(at).unwrap();
        fs::set_permissions(at, Permissions::from_mode(mode)).unwrap();
        at.to_owned()
    }

    #[test]
    fn what_only_root_and_we_can_change_has_no_stranger() {
        let place = tempfile::tempdir().unwrap();
        let ours = directory(&place.path().join("ours"), 0o755);
        assert_eq!(stranger_on_the_way(&ours.join("file")).unwrap(), None);
        assert_eq!(stranger_on_the_way(&ours.join("none/file")).unwrap(), None);
        let sticky = directory(&place.path().join("sticky"), 0o1777);
        assert_eq!(stranger_on_the_way(&sticky.join("file")).unwrap(), None);
        assert_eq!(stranger_on_the_way(Path::new("/file")).unwrap(), None);
    }

    #[test]
    fn who_goes_the_way_at_once_is_told_of_a_directory_that_is_not_there() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("link");
        symlink("none", &link).unwrap();
        for missing in [place.path().join("none/file"), link.join("file")] {
            assert_eq!(stranger_on_the_way(&missing).unwrap(), None);
            let error = stranger_on_the_whole_way(&missing).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{}", missing.display());
        }
        assert_eq!(stranger_on_the_whole_way(&place.path().join("file")).unwrap(), None);
    }

    #[test]
    fn the_number_of_nobody_is_trusted_only_where_no_user_has_it() {
        let is_nobody = |owner, map: &str| is_nobody_here(owner, "65534\n", || map.to_owned());
        assert!(is_nobody(65_534, "         0       1000          1\n"));
        assert!(is_nobody(65_534, "0 1000 1\n1 100000 65533\n"));
        assert!(!is_nobody(65_533, "0 1000 1\n"));
        // The whole machine, Docker's userns-remap, rootless podman.
        for map in
            ["0 0 4294967295\n", "0 231072 65536\n", "0 1000 1\n1 100000 65536\n", "", "0 x 1"]
        {
            assert!(!is_nobody(65_534, map), "{map}");
        }
    }

    #[test]
    fn a_directory_that_others_can_write_is_named_wherever_it_is_on_the_way() {
        let place = tempfile::tempdir().unwrap();
        let open = directory(&place.path().join("open"), 0o777);
        let below = directory(&open.join("below"), 0o755);
        let link = place.path().join("link");
        symlink(&below, &link).unwrap();
        let relative = place.path().join("relative");
        symlink("open/../open/below", &relative).unwrap();
        for path in
            [open.join("file"), below.join("file"), link.join("file"), relative.join("file")]
        {
            let stranger = stranger_on_the_way(&path).unwrap().unwrap();
            assert_eq!((&stranger.at, stranger.mode & 0o777), (&open, 0o777), "{}", path.display());
        }
    }

    #[test]
    fn what_belongs_to_another_user_is_named_also_where_it_is_a_link() {
        let place = tempfile::tempdir().unwrap();
        let theirs = directory(&place.path().join("theirs"), 0o755);
        let link = place.path().join("link");
        symlink("/", &link).unwrap();
        if !geteuid().is_root() {
            return;
        }
        for path in [&theirs, &link] {
            std::os::unix::fs::lchown(path, Some(65_533), None).unwrap();
            let stranger = stranger_on_the_way(&path.join("file")).unwrap().unwrap();
            assert_eq!((&stranger.at, stranger.owner), (path, 65_533));
        }
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let place = tempfile::tempdir().unwrap();
        let (one, other) = (place.path().join("one"), place.path().join("other"));
        symlink(&other, &one).unwrap();
        symlink(&one, &other).unwrap();
        assert!(stranger_on_the_way(&one.join("file")).is_err());
    }
}
