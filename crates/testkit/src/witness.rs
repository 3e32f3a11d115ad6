//! What a program is really started with: descriptors, variables, signals, rights, before the program itself has run.
//!
//! A shell under another name notes what the kernel says of it, in a file named after its pid, and becomes the program by
//! `exec`: pid, descriptors and the rest are the program's own. A shell opens nothing for `-c`, changes no signal, and
//! passes on what it does not know.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// In a child of the shell: where its output goes changes nothing of the shell's own. The name shows at last, when all is
/// in it.
const SCRIPT: &str = "\
( ls -l /proc/$$/fd > \"$0/.$$\" && \
cat /proc/$$/status >> \"$0/.$$\" && \
tr '\\0\\n' '\\n ' < /proc/$$/environ >> \"$0/.$$\" && \
mv \"$0/.$$\" \"$0/$$\" ) && \
exec \"$@\"";

/// A place for notes, and the shell that writes them.
#[derive(Debug)]
pub struct Witness {
    directory: TempDir,
}

/// What one process was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Descriptors and what they are.
    pub fds: BTreeMap<u32, String>,
    /// The fields of `/proc/PID/status`, their values with single blanks.
    pub status: BTreeMap<String, String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
}

impl Witness {
    /// A place that every user can write to.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory for temporary files");
        let open = Permissions::from_mode(0o1777);
        std::fs::set_permissions(directory.path(), open).expect("it is ours");
        // A binary like any other, as far as its name tells: portcrew looks through shells.
        symlink("/bin/sh", directory.path().join("program")).expect("a name for the shell");
        Self { directory }
    }

    /// What is to be started in place of a program.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.directory.path().join("program")
    }

    /// With these arguments, for that program and its own arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(
        &self,
        program: impl AsRef<Path>,
        args: impl IntoIterator<Item = A>,
    ) -> Vec<OsString> {
        let own = ["-c".into(), SCRIPT.into(), self.directory.path().into()];
        let program = program.as_ref().as_os_str().to_owned();
        own.into_iter().chain([program]).chain(args.into_iter().map(Into::into)).collect()
    }

    /// A copy of a program where every user can look.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn copy(&self, program: impl AsRef<Path>) -> PathBuf {
        let program = program.as_ref();
        let copy = self.directory.path().join(program.file_name().unwrap_or_default());
        // By another process: a file that this one writes stays busy while any other test starts a child.
        let copied = Command::new("cp").arg("-L").arg(program).arg(&copy).status();
        assert!(copied.is_ok_and(|it| it.success()), "{} can be copied", program.display());
        std::fs::set_permissions(&copy, Permissions::from_mode(0o755)).expect("it is ours");
        copy
    }

    /// Where the notes are: a directory that every user can write to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What every process so far was started with, by pid.
    ///
    /// # Panics
    /// When a note cannot be read.
    #[must_use]
    pub fn all(&self) -> BTreeMap<u32, Sight> {
        let notes = std::fs::read_dir(self.directory.path()).expect("the directory is there");
        let numbers = notes.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
        numbers.map(|pid| (pid, self.read(pid).expect("a note is complete"))).collect()
    }

    /// What this one was started with, if it has noted it.
    #[must_use]
    pub fn read(&self, pid: u32) -> Option<Sight> {
        let text = std::fs::read_to_string(self.directory.path().join(pid.to_string())).ok()?;
        let mut sight =
            Sight { fds: BTreeMap::new(), status: BTreeMap::new(), env: BTreeMap::new() };
        for line in text.lines() {
            if let Some((words, is)) = line.split_once(" -> ") {
                if let Some(number) = words.rsplit(' ').next().and_then(|it| it.parse().ok()) {
                    sight.fds.insert(number, is.to_owned());
                }
            } else if let Some((field, value)) = line.split_once(":\t") {
                let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
                sight.status.insert(field.to_owned(), value);
            } else if let Some((name, value)) = line.split_once('=') {
                sight.env.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(sight)
    }
}

impl Default for Witness {
    fn default() -> Self {
        Self::new()
    }
}

impl Sight {
    /// A field of `/proc/PID/status`; empty where there is none.
    #[must_use]
    pub fn says(&self, field: &str) -> &str {
        self.status.get(field).map_or("", String::as_str)
    }

    /// Whether it has the rights of this user and these groups, and not one beyond.
    ///
    /// # Panics
    /// When it has others.
    pub fn assert_rights(&self, uid: u32, gid: u32, groups: &str) {
        let four = |id: u32| [id; 4].map(|it| it.to_string()).join(" ");
        let none = "0000000000000000".to_owned();
        let expected = [
            ("Uid", four(uid)),
            ("Gid", four(gid)),
            ("Groups", groups.to_owned()),
            ("CapInh", none.clone()),
            ("CapPrm", none.clone()),
            ("CapEff", none.clone()),
            ("CapAmb", none),
        ];
        for (field, value) in expected {
            assert_eq!(self.says(field), value, "{field}: {self:#?}");
        }
    }

    /// The numbers of its descriptors.
    #[must_use]
    pub fn numbers(&self) -> Vec<u32> {
        self.fds.keys().copied().collect()
    }
}
