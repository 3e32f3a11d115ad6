//! Where the sockets of a user's crews lie, and where their other files do.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use portcrew::rights::stranger_on_the_way;
use rustix::fs::Access;
use rustix::process::geteuid;

use crate::output::words::{control as words, identity};

/// Mode bits that belong to others than the owner.
const OTHERS: u32 = 0o077;

/// The directory of all sockets of this user.
#[derive(Debug, Clone)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// `$XDG_RUNTIME_DIR/portcrew`; else `/run/portcrew` for root, when that can be written; else `/tmp/portcrew-UID`.
    pub(crate) fn of_this_user() -> Self {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let user = geteuid().as_raw();
        Self(place(runtime.as_deref(), user, |path| {
            rustix::fs::access(path, Access::WRITE_OK).is_ok()
        }))
    }

    /// Makes it if need be. Whatever it finds must be a directory, ours, and closed to all others: whoever could write
    /// there could play a crew.
    ///
    /// # Errors
    /// The reason and the next step, in words.
    pub(crate) fn prepare(&self) -> Result<(), String> {
        let path = &self.0;
        refuse_strangers(path)?;
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(words::no_directory(path, &error)),
        }
        self.check().map(drop)
    }

    /// Whether it is there and as it must be. `false` when there is none.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub(crate) fn check(&self) -> Result<bool, String> {
        let path = &self.0;
        // A symbolic link of somebody else's making is not followed.
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(words::no_directory(path, &error)),
        };
        if !found.is_dir() {
            return Err(words::not_a_directory(path));
        }
        if found.uid() != geteuid().as_raw() {
            return Err(words::not_our_directory(path, found.uid()));
        }
        if found.mode() & OTHERS != 0 {
            return Err(words::open_directory(path, found.mode() & 0o777));
        }
        refuse_strangers(path).map(|()| true)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.sock"))
    }

    pub(super) fn lock(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.lock"))
    }
}

/// `$XDG_STATE_HOME/portcrew/NAME`, else `~/.local/state/portcrew/NAME`: the output of a crew that runs detached.
///
/// # Errors
/// The reason and the next step, in words.
pub(crate) fn state_directory(name: &str) -> Result<PathBuf, String> {
    let directory = states()?.join(name);
    refuse_strangers(&directory.join("out.log"))?;
    Ok(directory)
}

/// For root alone: whoever can change a directory on the way could put a link there, and root would write, or listen,
/// where that leads. Nobody else gains anything by leading another user about his own files.
///
/// # Errors
/// The reason and the next step, in words.
pub(crate) fn refuse_strangers(path: &Path) -> Result<(), String> {
    if !geteuid().is_root() {
        return Ok(());
    }
    match stranger_on_the_way(path) {
        Ok(None) => Ok(()),
        Ok(Some(it)) => Err(identity::strange_place(path, &it.at, it.owner, it.mode)),
        Err(error) => Err(identity::strange_way(path, &error)),
    }
}

/// Where those of all crews lie.
///
/// # Errors
/// As [`state_directory`].
pub(crate) fn states() -> Result<PathBuf, String> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/state"));
    let base = absolute("XDG_STATE_HOME").or_else(home).ok_or_else(words::no_home)?;
    Ok(base.join("portcrew"))
}

fn place(runtime: Option<&Path>, user: u32, writable: impl Fn(&Path) -> bool) -> PathBuf {
    // The specification of these directories says to ignore what is not absolute.
    if let Some(runtime) = runtime.filter(|it| it.is_absolute()) {
        return runtime.join("portcrew");
    }
    let run = Path::new("/run");
    if user == 0 && writable(run) {
        return run.join("portcrew");
    }
    PathBuf::from(format!("/tmp/portcrew-{user}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_place_is_the_users_runtime_directory_then_run_then_tmp() {
        let of = |runtime: Option<&str>, user, writable| {
            place(runtime.map(Path::new), user, |_| writable)
        };
        assert_eq!(of(Some("/run/user/7"), 7, true), Path::new("/run/user/7/portcrew"));
        assert_eq!(of(Some("here"), 7, true), Path::new("/tmp/portcrew-7"));
        assert_eq!(of(None, 0, true), Path::new("/run/portcrew"));
        assert_eq!(of(None, 0, false), Path::new("/tmp/portcrew-0"));
    }

    #[test]
    fn a_directory_that_others_can_enter_a_link_and_a_file_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let ours = Directory(place.path().join("ours"));
        assert_eq!(ours.check(), Ok(false));
        ours.prepare().unwrap();
        ours.prepare().unwrap();
        assert_eq!(fs::metadata(ours.path()).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(ours.path(), PermissionsExt::from_mode(0o750)).unwrap();
        assert!(ours.prepare().unwrap_err().contains("chmod 700"));
        fs::set_permissions(ours.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let link = Directory(place.path().join("link"));
        symlink(ours.path(), link.path()).unwrap();
        assert!(link.prepare().is_err());
        if geteuid().is_root() {
            let theirs = place.path().join("theirs");
            fs::create_dir(&theirs).unwrap();
            std::os::unix::fs::chown(&theirs, Some(65_533), None).unwrap();
            let refusal = Directory(theirs.join("portcrew")).prepare().unwrap_err();
            assert!(refusal.contains("user 65533") && refusal.contains("XDG_"), "{refusal}");
            assert!(!theirs.join("portcrew").exists());
        }
        let file = Directory(place.path().join("file"));
        fs::write(file.path(), "").unwrap();
        assert!(file.prepare().is_err());
    }
}
