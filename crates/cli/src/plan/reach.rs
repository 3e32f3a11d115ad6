//! What a user cannot reach by its modes. Access lists may say otherwise, so it is worth a word and no refusal.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Mode bits, of everybody: to read a file, to go through a directory.
const READ: u32 = 0o4;
const THROUGH: u32 = 0o1;

/// Somebody who wants to read a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: &'a [u32],
}

impl Reader<'_> {
    /// The first place on the way to a file, or the file itself, that does not let this user on.
    pub(super) fn kept_out_by(self, path: &Path) -> Option<PathBuf> {
        // Links lead elsewhere, and what counts is there.
        let path = std::fs::canonicalize(path).ok()?;
        let mut way: Vec<_> = path.ancestors().skip(1).collect();
        way.reverse();
        let mut all = way.into_iter().map(|it| (it, THROUGH)).chain([(path.as_path(), READ)]);
        all.find(|(place, wanted)| !self.may(place, *wanted)).map(|(place, _)| place.to_owned())
    }

    /// What cannot be looked at is not known to keep anybody out.
    fn may(self, place: &Path, wanted: u32) -> bool {
        let Ok(found) = std::fs::metadata(place) else {
            return true;
        };
        let is_in = found.gid() == self.gid || self.groups.contains(&found.gid());
        let shift = match (found.uid() == self.uid, is_in) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 0,
        };
        self.uid == 0 || (found.mode() >> shift) & wanted != 0
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use rustix::process::{getegid, geteuid};

    use super::*;

    #[test]
    fn the_first_place_that_lets_somebody_not_on_is_named() {
        let place = tempfile::tempdir().unwrap();
        let directory = fs::canonicalize(place.path()).unwrap();
        let file = directory.join("server.js");
        fs::write(&file, "").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        let stranger = Reader { uid: 65_533, gid: 65_532, groups: &[] };
        let member = Reader { groups: &[getegid().as_raw()], ..stranger };
        let owner = Reader { uid: geteuid().as_raw(), ..stranger };
        for (of_directory, of_file, reader, kept) in [
            (0o755, 0o644, stranger, None),
            (0o700, 0o644, stranger, Some(&directory)),
            (0o750, 0o644, stranger, Some(&directory)),
            (0o750, 0o640, member, None),
            (0o711, 0o640, stranger, Some(&file)),
            (0o705, 0o644, member, Some(&directory)),
            (0o700, 0o600, owner, None),
        ] {
            set(&directory, of_directory).unwrap();
            set(&file, of_file).unwrap();
            assert_eq!(reader.kept_out_by(&file).as_ref(), kept, "{of_directory:o} {of_file:o}");
            set(&directory, 0o755).unwrap();
        }
        let root = Reader { uid: 0, ..stranger };
        set(&file, 0).unwrap();
        assert_eq!(root.kept_out_by(&file), None);
        assert_eq!(stranger.kept_out_by(&directory.join("none")), None);
    }
}
