//! The child's descriptors: which of ours becomes which number, in an order that cannot go wrong.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::spawn::PosixSpawnFileActions;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;

use super::spec::{SpawnSpec, Stdio};

/// Both sides of everything that a child is given.
pub(super) struct Descriptors {
    /// `sources[n]` becomes descriptor `n` of the child.
    sources: Vec<OwnedFd>,
    pub(super) channel: Option<OwnedFd>,
    pub(super) lane: Option<OwnedFd>,
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
}

impl Descriptors {
    /// Opens all that `spec` asks for. What was opened before an error is closed again.
    pub(super) fn open(spec: &SpawnSpec) -> io::Result<Self> {
        let (stdin, in_ours) = standard(spec.stdin, io::stdin().as_fd(), Direction::ToChild)?;
        let (stdout, out_ours) = standard(spec.stdout, io::stdout().as_fd(), Direction::FromChild)?;
        let (stderr, err_ours) = standard(spec.stderr, io::stderr().as_fd(), Direction::FromChild)?;
        let mut descriptors = Self {
            sources: vec![stdin, stdout, stderr],
            channel: None,
            lane: None,
            stdin: in_ours,
            stdout: out_ours,
            stderr: err_ours,
        };
        if spec.channel {
            let (ours, theirs) = UnixStream::pair()?;
            ours.set_nonblocking(true)?;
            descriptors.channel = Some(ours.into());
            descriptors.sources.push(theirs.into());
        }
        if spec.lane {
            let (ours, theirs) = rustix::net::socketpair(
                AddressFamily::UNIX,
                SocketType::SEQPACKET,
                SocketFlags::CLOEXEC,
                None,
            )?;
            rustix::io::ioctl_fionbio(&ours, true)?;
            descriptors.lane = Some(ours);
            descriptors.sources.push(theirs);
        }
        for listener in &spec.listeners {
            descriptors.sources.push(listener.try_clone()?);
        }
        Ok(descriptors)
    }

    /// One `dup2` per descriptor. It also clears close-on-exec in the child, and only there.
    pub(super) fn actions(&mut self) -> io::Result<PosixSpawnFileActions> {
        self.lift()?;
        let mut actions = PosixSpawnFileActions::init()?;
        for (target, source) in self.targets().zip(&self.sources) {
            actions.add_dup2(source.as_raw_fd(), target)?;
        }
        Ok(actions)
    }

    /// How many descriptors the child has, which is also the first number it has not.
    pub(super) fn count(&self) -> RawFd {
        self.targets().end
    }

    fn targets(&self) -> std::ops::Range<RawFd> {
        0..RawFd::try_from(self.sources.len()).unwrap_or(RawFd::MAX)
    }

    /// Moves every source above all targets. A source that has the number of a target would be
    /// overwritten by an earlier `dup2` before its own turn came; and where it *is* its own
    /// target, the `dup2` would leave close-on-exec set on some C libraries.
    fn lift(&mut self) -> io::Result<()> {
        let count = self.count();
        for source in &mut self.sources {
            if source.as_raw_fd() < count {
                *source = rustix::io::fcntl_dupfd_cloexec(&*source, count)?;
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Direction {
    ToChild,
    FromChild,
}

/// The child's end and ours of one standard descriptor.
fn standard(
    stdio: Stdio,
    inherited: BorrowedFd<'_>,
    direction: Direction,
) -> io::Result<(OwnedFd, Option<OwnedFd>)> {
    match stdio {
        Stdio::Null => Ok((null()?, None)),
        Stdio::Inherit => match rustix::io::fcntl_dupfd_cloexec(inherited, 3) {
            Ok(copy) => Ok((copy, None)),
            Err(Errno::BADF) => Ok((null()?, None)),
            Err(error) => Err(error.into()),
        },
        Stdio::Piped => {
            let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
            Ok(match direction {
                Direction::ToChild => (reader, Some(writer)),
                Direction::FromChild => (writer, Some(reader)),
            })
        }
    }
}

fn null() -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().read(true).write(true).open("/dev/null")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::spawn::{PosixSpawnAttr, posix_spawn};
    use std::fmt::Write;
    use std::fs::File;

    /// In a threaded process the sources may have any numbers; here, those of each other's targets.
    #[test]
    fn every_source_becomes_its_target_whatever_its_number_is() {
        const COUNT: usize = 64;
        let directory = tempfile::tempdir().unwrap();
        let path = |n: usize| std::fs::canonicalize(&directory).unwrap().join(n.to_string());
        // The numbers are given in ascending order, so the last file gets the lowest one.
        let mut sources: Vec<OwnedFd> =
            (0..COUNT).rev().map(|n| File::create(path(n)).unwrap().into()).collect();
        sources.reverse();
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
        sources[1] = writer;
        let mut descriptors = Descriptors {
            sources,
            channel: None,
            lane: None,
            stdin: None,
            stdout: None,
            stderr: None,
        };
        let actions = descriptors.actions().unwrap();
        let (mut script, mut expected) = (String::new(), String::new());
        for n in (0..COUNT).filter(|n| *n != 1) {
            writeln!(script, "/bin/readlink /proc/$$/fd/{n}").unwrap();
            writeln!(expected, "{}", path(n).display()).unwrap();
        }
        let arguments =
            [c"sh".to_owned(), c"-c".to_owned(), std::ffi::CString::new(script).unwrap()];
        let attributes = PosixSpawnAttr::init().unwrap();
        let environment: [std::ffi::CString; 0] = [];
        let pid = posix_spawn(c"/bin/sh", &actions, &attributes, &arguments, &environment).unwrap();
        drop(descriptors);
        let answer = io::read_to_string(File::from(reader)).unwrap();
        nix::sys::wait::waitpid(pid, None).unwrap();
        assert_eq!(answer, expected);
    }
}
