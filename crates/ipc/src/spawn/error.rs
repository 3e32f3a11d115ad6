//! What went wrong when a program was to be started, and whose fault it is.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

/// How many scripts may be each other's interpreters: beyond, the kernel gives up.
const NESTED_SCRIPTS: usize = 5;

/// A failed start. Nothing is left of it: no process, no descriptor.
#[derive(Debug)]
pub struct SpawnError {
    kind: SpawnErrorKind,
    path: PathBuf,
    reason: String,
    source: Option<io::Error>,
}

/// Whose fault a failed start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpawnErrorKind {
    /// The program, or the interpreter its first line names, does not exist.
    NotFound,
    /// The file exists and the system will not run it: no permission, a directory, no known format.
    NotExecutable,
    /// The caller asked for something that cannot be.
    BadSpec,
    /// The system lacks something at this moment: processes, memory, descriptors. A later try may
    /// succeed.
    System,
}

impl SpawnError {
    pub(crate) fn new(kind: SpawnErrorKind, path: &Path, reason: impl Into<String>) -> Self {
        Self { kind, path: path.to_owned(), reason: reason.into(), source: None }
    }

    pub(crate) fn because(mut self, source: io::Error) -> Self {
        self.source = Some(source);
        self
    }

    /// The system refused `what` while `path` was being started.
    pub(crate) fn system(path: &Path, what: &str, source: impl Into<io::Error>) -> Self {
        Self::new(SpawnErrorKind::System, path, what).because(source.into())
    }

    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> SpawnErrorKind {
        self.kind
    }

    /// The program that was to be started, as it was asked for.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The system's error number, when the system was asked at all.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.as_ref().and_then(io::Error::raw_os_error)
    }

    /// The exit status that shells use for this failure: 127 when the program does not exist,
    /// 126 when it exists or may exist and could not be started.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self.kind {
            SpawnErrorKind::NotFound => 127,
            SpawnErrorKind::NotExecutable | SpawnErrorKind::BadSpec | SpawnErrorKind::System => 126,
        }
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot start {}: {}", self.path.display(), self.reason)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> Self {
        let kind = match error.kind {
            SpawnErrorKind::NotFound => io::ErrorKind::NotFound,
            SpawnErrorKind::NotExecutable => io::ErrorKind::PermissionDenied,
            SpawnErrorKind::BadSpec => io::ErrorKind::InvalidInput,
            SpawnErrorKind::System => {
                error.source.as_ref().map_or(io::ErrorKind::Other, Self::kind)
            }
        };
        Self::new(kind, error)
    }
}

/// Says why an `execve` of `program` failed, looking at the file where the number alone misleads:
/// ENOENT is also what a missing interpreter gives, EACCES also a directory.
pub(crate) fn explain_exec(program: &Path, errno: i32) -> SpawnError {
    let source = io::Error::from_raw_os_error(errno);
    let error = match errno {
        libc::ENOENT => match interpreters(program).find(|it| !it.exists()) {
            Some(interpreter) => SpawnError::new(
                SpawnErrorKind::NotFound,
                program,
                format!("its interpreter {} was not found", interpreter.display()),
            ),
            None if program.exists() => {
                let reason = "the loader that it needs was not found";
                SpawnError::new(SpawnErrorKind::NotFound, program, reason)
            }
            None => SpawnError::new(SpawnErrorKind::NotFound, program, "not found"),
        },
        libc::ENOTDIR => SpawnError::new(SpawnErrorKind::NotFound, program, "not found"),
        libc::EACCES if program.is_dir() => {
            SpawnError::new(SpawnErrorKind::NotExecutable, program, "it is a directory")
        }
        libc::EACCES if is_executable(program) => {
            let reason = match interpreters(program).find(|it| !is_executable(it)) {
                Some(interpreter) => {
                    format!("its interpreter {} is not executable", interpreter.display())
                }
                None => "not executable".to_owned(),
            };
            SpawnError::new(SpawnErrorKind::NotExecutable, program, reason)
        }
        libc::ENOEXEC => SpawnError::new(
            SpawnErrorKind::NotExecutable,
            program,
            "neither a program for this machine nor a script with a #! line",
        ),
        libc::EACCES
        | libc::EPERM
        | libc::ELOOP
        | libc::ENAMETOOLONG
        | libc::ETXTBSY
        | libc::EISDIR
        | libc::ELIBBAD
        | libc::EINVAL => SpawnError::new(SpawnErrorKind::NotExecutable, program, "not executable"),
        libc::E2BIG => SpawnError::new(
            SpawnErrorKind::BadSpec,
            program,
            "the arguments and the environment together are too long",
        ),
        // What is left (EAGAIN, ENOMEM, EMFILE, EIO …) says nothing about the program.
        _ => SpawnError::new(SpawnErrorKind::System, program, "the system refused"),
    };
    error.because(source)
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// The interpreter that a script names, and, since that may be a script too, its interpreter, and so on.
fn interpreters(program: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::successors(interpreter(program), |script| interpreter(script)).take(NESTED_SCRIPTS)
}

fn interpreter(script: &Path) -> Option<PathBuf> {
    use std::io::Read;
    use std::os::unix::ffi::OsStringExt;

    // A FIFO would block the reader; only a regular file has a first line worth a look.
    if !script.is_file() {
        return None;
    }
    // The kernel itself looks at 256 bytes.
    let mut head = Vec::with_capacity(256);
    std::fs::File::open(script).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let name = line.trim_ascii().split(|byte| matches!(byte, b' ' | b'\t')).next()?;
    (!name.is_empty()).then(|| PathBuf::from(std::ffi::OsString::from_vec(name.to_vec())))
}
