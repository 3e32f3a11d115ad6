//! What a plan may look at besides the arguments: the environment and the current directory, taken once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::refusal::Refusal;

/// A snapshot of this process's surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    directory: PathBuf,
    environment: BTreeMap<OsString, OsString>,
}

impl Host {
    /// The surroundings of this process.
    ///
    /// # Errors
    /// [`Refusal::NoCurrentDirectory`] when the directory was removed or may not be read.
    pub(crate) fn current() -> Result<Self, Refusal> {
        let directory = std::env::current_dir().map_err(Refusal::NoCurrentDirectory)?;
        Ok(Self { directory, environment: std::env::vars_os().collect() })
    }

    /// The same for those who may need no directory. Where it was removed and is not needed there is none: an empty
    /// path.
    ///
    /// # Errors
    /// As [`current`](Self::current), where it is needed.
    pub(crate) fn current_where(needs_directory: bool) -> Result<Self, Refusal> {
        match Self::current() {
            Err(Refusal::NoCurrentDirectory(_)) if !needs_directory => {
                Ok(Self { directory: PathBuf::new(), environment: std::env::vars_os().collect() })
            }
            host => host,
        }
    }

    /// Surroundings made up for a test.
    #[cfg(test)]
    pub(crate) fn of(directory: &Path, environment: &[(&str, &OsStr)]) -> Self {
        let environment = environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Self { directory: directory.to_owned(), environment }
    }

    /// The current directory, absolute.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let value = self.environment.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// A path as seen from the current directory. Symbolic links stay: a link that points to the present release
    /// must be followed anew by each worker.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        // `components` leaves `.` out, which reads better in messages and in `ps`.
        self.directory.join(path).components().collect()
    }

    /// The directories in which a program without a slash is looked for, in order.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let path = self.variable("PATH").unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
        std::env::split_paths(path).map(|directory| self.absolute(&directory)).collect()
    }

    /// The same surroundings with another directory, and one more directory before `PATH`.
    pub(crate) fn inside(&self, directory: &Path, before_path: &Path) -> Self {
        let mut search = vec![before_path.to_owned()];
        search.extend(self.search_path());
        let mut environment = self.environment.clone();
        // A directory with a colon in its name cannot stand in PATH; then the package's own programs are not found.
        if let Ok(path) = std::env::join_paths(search) {
            environment.insert("PATH".into(), path);
        }
        Self { directory: directory.to_owned(), environment }
    }
}
