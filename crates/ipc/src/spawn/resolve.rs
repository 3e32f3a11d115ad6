//! Finding the file of a program once, so that every worker of a generation is started from the
//! same path and a mistake is explained before anything is started.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

use super::error::{SpawnError, SpawnErrorKind};

/// Where programs are looked for when there is no `PATH` at all.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Finds the file that `name` means: a name with a slash is a path, relative to `cwd`; any other
/// name is looked for in the directories of `path` (the value of `PATH`; `None` stands for a usual
/// default). An empty directory in `path` is `cwd`, as in a shell.
///
/// The answer is absolute when `cwd` is. Symbolic links in it stay: programs look at the name they
/// were started by, and a release directory may be a link on purpose.
///
/// # Errors
///
/// [`SpawnErrorKind::NotFound`] when nothing of that name exists, [`SpawnErrorKind::NotExecutable`]
/// when only a directory or a file without the executable bit does (it is named),
/// [`SpawnErrorKind::BadSpec`] for an empty name or one with a NUL byte.
pub fn resolve_program(
    name: &OsStr,
    path: Option<&OsStr>,
    cwd: &Path,
) -> Result<PathBuf, SpawnError> {
    let asked = Path::new(name);
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        let reason = "an empty name, or one with a NUL byte, names no program";
        return Err(SpawnError::new(SpawnErrorKind::BadSpec, asked, reason));
    }
    if bytes.contains(&b'/') {
        let file = cwd.join(asked);
        return match look_at(&file) {
            Candidate::Executable => Ok(file),
            Candidate::Missing => {
                Err(SpawnError::new(SpawnErrorKind::NotFound, &file, "not found"))
            }
            Candidate::Unusable(reason) => {
                Err(SpawnError::new(SpawnErrorKind::NotExecutable, &file, reason))
            }
        };
    }
    search(asked, path.unwrap_or(OsStr::new(DEFAULT_PATH)), cwd)
}

/// Walks the directories of `PATH`. A file that cannot be run does not end the search, but it is
/// the better explanation when nothing else is found.
fn search(name: &Path, path: &OsStr, cwd: &Path) -> Result<PathBuf, SpawnError> {
    let mut unusable = None;
    for directory in path.as_bytes().split(|byte| *byte == b':') {
        // Joining an empty path would leave a trailing slash, and with it a directory.
        let file = if directory.is_empty() {
            cwd.join(name)
        } else {
            cwd.join(OsStr::from_bytes(directory)).join(name)
        };
        match look_at(&file) {
            Candidate::Executable => return Ok(file),
            Candidate::Missing => (),
            Candidate::Unusable(reason) => {
                unusable.get_or_insert((file, reason));
            }
        }
    }
    Err(match unusable {
        Some((file, reason)) => SpawnError::new(SpawnErrorKind::NotExecutable, &file, reason),
        None => SpawnError::new(SpawnErrorKind::NotFound, name, "not found in PATH"),
    })
}

enum Candidate {
    Executable,
    Missing,
    Unusable(&'static str),
}

fn look_at(file: &Path) -> Candidate {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => Candidate::Unusable("it is a directory"),
        Ok(metadata) if !metadata.is_file() => Candidate::Unusable("it is not a regular file"),
        Ok(_) => match rustix::fs::accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS) {
            Ok(()) => Candidate::Executable,
            Err(_) => Candidate::Unusable("it is not executable (no x permission)"),
        },
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Candidate::Unusable("its directory may not be searched")
        }
        // A name that cannot exist (a file used as a directory, too long) is a missing one.
        Err(_) => Candidate::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(directory: &Path, name: &str, mode: u32) -> PathBuf {
        let path = directory.join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_first_executable_in_path_wins_over_an_earlier_file_that_is_not() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        file(one.path(), "tool", 0o644);
        let wanted = file(two.path(), "tool", 0o755);
        let path = std::env::join_paths([one.path(), two.path()]).unwrap();
        let found = resolve_program("tool".as_ref(), Some(&path), Path::new("/")).unwrap();
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_file_without_the_executable_bit_is_named_when_nothing_better_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let plain = file(directory.path(), "tool", 0o644);
        let path = directory.path().as_os_str();
        let error = resolve_program("tool".as_ref(), Some(path), Path::new("/")).unwrap_err();
        assert_eq!(error.kind(), SpawnErrorKind::NotExecutable);
        assert_eq!((error.path(), error.exit_status()), (plain.as_path(), 126));
    }

    #[test]
    fn a_missing_name_is_not_found_and_says_where_it_was_looked_for() {
        let error = resolve_program("no-such-tool".as_ref(), None, Path::new("/")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start no-such-tool: not found in PATH");
        assert_eq!((error.kind(), error.exit_status()), (SpawnErrorKind::NotFound, 127));
    }

    #[test]
    fn a_name_with_a_slash_is_relative_to_the_directory_and_ignores_path() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = file(directory.path(), "tool", 0o755);
        let path = Some(OsStr::new("/bin"));
        let found = resolve_program("./tool".as_ref(), path, directory.path()).unwrap();
        assert_eq!(std::fs::canonicalize(found).unwrap(), std::fs::canonicalize(wanted).unwrap());
    }

    #[test]
    fn a_directory_is_not_a_program() {
        let error = resolve_program("/tmp".as_ref(), None, Path::new("/")).unwrap_err();
        assert_eq!(error.kind(), SpawnErrorKind::NotExecutable);
        assert!(error.to_string().ends_with("it is a directory"), "{error}");
    }

    #[test]
    fn an_empty_entry_of_path_is_the_current_directory() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = file(directory.path(), "tool", 0o755);
        let found = resolve_program("tool".as_ref(), Some("".as_ref()), directory.path());
        assert_eq!(found.unwrap(), wanted);
    }

    #[test]
    fn an_empty_name_is_the_callers_mistake() {
        let error = resolve_program("".as_ref(), None, Path::new("/")).unwrap_err();
        assert_eq!(error.kind(), SpawnErrorKind::BadSpec);
    }
}
