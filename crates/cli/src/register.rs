//! The module that `run --register` has Node programs preload: where it lies, and the variables that name it.
//!
//! Node loads it before the program, from a file: it takes no other form without changing how the program itself is
//! loaded. The file has to be there as long as workers are started, weeks later too. So it is in the user's directory
//! of state, which nobody clears, under a name that its contents give it, and stays there for the next crew.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::control::refuse_strangers;
use crate::output::words::register as words;
use crate::plan::Host;

/// The module itself, as it is in `node/` of the repository.
const MODULE: &str = include_str!("../register.cjs");

/// How long a leaving worker keeps idle connections; less where the grace is shorter than twice that.
const LINGER: Duration = Duration::from_secs(1);

/// Where it lies for workers of another user, who cannot enter the directory of ours. It goes with the next boot, and
/// so do the crews that were started with it.
const FOR_OTHERS: &str = "/run/portcrew-register";

/// Variables with their values.
type Variables = Vec<(OsString, OsString)>;

/// The variables of a worker that preloads the module, whatever `before` had Node do, and leaves within `grace`; of one
/// that runs as another user, where it `is_for_others`.
///
/// # Errors
/// In words, when there is no place for the file or it cannot be written.
pub(crate) fn variables(
    host: &Host,
    is_for_others: bool,
    before: Option<&OsStr>,
    grace: Duration,
) -> Result<Variables, String> {
    let directory = if is_for_others { Some(FOR_OTHERS.into()) } else { directory(host) };
    let directory = directory.ok_or_else(words::no_place)?;
    let modes = if is_for_others { (0o755, 0o644) } else { (0o700, 0o600) };
    // The directory itself is looked at with the file.
    refuse_strangers(&directory)?;
    let file = put(&directory, modes).map_err(|error| words::cannot_put(&directory, &error))?;
    let option = option(&file);
    let mut options = before.unwrap_or_default().to_owned();
    options.push(&option);
    let linger = LINGER.min(grace / 2).as_millis().to_string();
    Ok(vec![
        ("NODE_OPTIONS".into(), options),
        // The module takes its own option out of the first, by this.
        ("PORTCREW_REGISTER".into(), option),
        ("PORTCREW_LINGER_MS".into(), linger.into()),
    ])
}

/// What to say of a program that the module is not for. Deno would load it, and its workers get no listener then.
pub(crate) fn note(executable: &Path) -> Option<String> {
    let name = executable.file_name()?.to_str()?;
    matches!(name, "bun" | "deno").then(|| words::only_for_node(name))
}

/// systemd's directory for this service, else that of the user, by the rules of XDG.
fn directory(host: &Host) -> Option<PathBuf> {
    let absolute = |path: &Path| path.is_absolute().then(|| path.to_owned());
    let of = |name: &str| host.variable(name).map(Path::new).and_then(absolute);
    // systemd names several with colons between them.
    let service = host.variable("STATE_DIRECTORY").and_then(|it| std::env::split_paths(it).next());
    service
        .or_else(|| Some(of("XDG_STATE_HOME")?.join("portcrew")))
        .or_else(|| Some(of("HOME")?.join(".local/state/portcrew")))
}

/// The file in that directory, made if it is not there.
fn put(directory: &Path, (of_directory, of_file): (u32, u32)) -> io::Result<PathBuf> {
    let file = directory.join(format!("register-{:016x}.cjs", hash(MODULE.as_bytes())));
    if !directory.is_dir() {
        DirBuilder::new().recursive(true).mode(of_directory).create(directory)?;
        // Whatever this process's mask leaves.
        fs::set_permissions(directory, fs::Permissions::from_mode(of_directory))?;
    }
    // Whoever could write here could have every worker run what he likes.
    for path in [directory, &file] {
        match fs::metadata(path) {
            Ok(found) if !is_our_own(&found) => {
                return Err(io::Error::other(words::not_ours(path)));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    if fs::read(&file).is_ok_and(|found| found == MODULE.as_bytes()) {
        return Ok(file);
    }
    // Complete or not there at all: others may be starting with it.
    let draft = directory.join(format!(".register-{}", std::process::id()));
    let written = write(&draft, of_file).and_then(|()| fs::rename(&draft, &file));
    if written.is_err() {
        // The first error is the one that counts.
        let _ = fs::remove_file(&draft);
    }
    written.map(|()| file)
}

fn write(path: &Path, mode: u32) -> io::Result<()> {
    // A draft is left behind by a process of our number that was killed, and by nobody else.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(MODULE.as_bytes())
}

fn is_our_own(found: &fs::Metadata) -> bool {
    let us = rustix::process::geteuid().as_raw();
    (found.uid() == us || found.uid() == 0) && found.mode() & 0o022 == 0
}

/// In the form of NODE_OPTIONS, where a quoted word may have blanks, and a backslash takes the next character as it is.
fn option(file: &Path) -> OsString {
    let mut words = b" --require \"".to_vec();
    for byte in file.as_os_str().as_bytes() {
        if matches!(byte, b'"' | b'\\') {
            words.push(b'\\');
        }
        words.push(*byte);
    }
    words.push(b'"');
    OsString::from_vec(words)
}

/// FNV-1a: the same in every build, which std's is not.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn host(directory: &Path) -> Host {
        Host::of(Path::new("/srv"), &[("HOME", directory.as_os_str())])
    }

    #[test]
    fn the_file_is_put_where_state_belongs_and_found_there_the_next_time() {
        let home = tempfile::tempdir().unwrap();
        let variables = |grace| {
            let before = Some(OsStr::new("--enable-source-maps"));
            variables(&host(home.path()), false, before, Duration::from_secs(grace)).unwrap()
        };
        let first = variables(10);
        let state = home.path().join(".local/state/portcrew");
        let files: Vec<_> = fs::read_dir(&state).unwrap().map(|it| it.unwrap().path()).collect();
        let [file] = &files[..] else { panic!("{files:?}") };
        assert_eq!(fs::read_to_string(file).unwrap(), MODULE);
        let expected = format!("--enable-source-maps --require \"{}\"", file.display());
        assert_eq!(first[0], ("NODE_OPTIONS".into(), expected.into()));
        assert_eq!(first[2].1, "1000");
        let made = fs::metadata(file).unwrap().ino();
        assert_eq!(variables(1)[2].1, "500");
        assert_eq!(fs::metadata(file).unwrap().ino(), made, "it was made anew");
        fs::write(file, "not what it was").unwrap();
        variables(1);
        assert_eq!(fs::read_to_string(file).unwrap(), MODULE);
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused_and_so_is_no_directory() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join(".local/state/portcrew");
        fs::create_dir_all(&state).unwrap();
        fs::set_permissions(&state, PermissionsExt::from_mode(0o777)).unwrap();
        let refused = variables(&host(home.path()), false, None, LINGER).unwrap_err();
        assert!(refused.contains("others may write"), "{refused}");
        let nowhere = Host::of(Path::new("/srv"), &[]);
        assert_eq!(variables(&nowhere, false, None, LINGER).unwrap_err(), words::no_place());
    }

    #[test]
    fn other_runtimes_are_told_apart_by_their_name() {
        assert_eq!(note(Path::new("/usr/bin/node")), None);
        assert_eq!(note(Path::new("/srv/api")), None);
        assert_eq!(note(Path::new("/opt/deno")), Some(words::only_for_node("deno")));
    }

    #[test]
    fn a_path_with_blanks_and_quotes_is_one_word_for_node() {
        assert_eq!(option(Path::new("/a b/\"c\\.cjs")), " --require \"/a b/\\\"c\\\\.cjs\"");
    }
}
