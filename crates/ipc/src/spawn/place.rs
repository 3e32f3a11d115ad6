//! The child's descriptors: which of ours becomes which number, in an order that cannot go wrong.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::spawn::PosixSpawnFileActions;
use rustix::fs::Uid;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;

use super::spec::{Extra, FIRST_EXTRA_FD, SpawnSpec, Stdio};

/// Both sides of everything that a child is given.
pub(super) struct Descriptors {
    /// By the number that each has in the child.
    sources: BTreeMap<RawFd, OwnedFd>,
    pub(super) channel: Option<OwnedFd>,
    pub(super) lane: Option<OwnedFd>,
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
    /// Our ends of extra sockets.
    pub(super) extra: BTreeMap<RawFd, OwnedFd>,
}

impl Descriptors {
    /// Opens all that `spec` asks for. What was opened before an error is closed again.
    pub(super) fn open(spec: &SpawnSpec) -> io::Result<Self> {
        let (stdin, in_ours) = standard(spec.stdin, io::stdin().as_fd(), Direction::ToChild)?;
        let (stdout, out_ours) = standard(spec.stdout, io::stdout().as_fd(), Direction::FromChild)?;
        let (stderr, err_ours) = standard(spec.stderr, io::stderr().as_fd(), Direction::FromChild)?;
        let mut descriptors = Self {
            sources: [(0, stdin), (1, stdout), (2, stderr)].into(),
            channel: None,
            lane: None,
            stdin: in_ours,
            stdout: out_ours,
            stderr: err_ours,
            extra: BTreeMap::new(),
        };
        descriptors.give_pipes_to(spec)?;
        if spec.channel {
            let (ours, theirs) = stream_pair()?;
            descriptors.channel = Some(ours);
            descriptors.sources.insert(spec.channel_number(), theirs);
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
            descriptors.sources.insert(spec.lane_number(), theirs);
        }
        for (number, listener) in (FIRST_EXTRA_FD..).zip(&spec.listeners) {
            descriptors.sources.insert(number, listener.try_clone()?);
        }
        for (number, extra) in &spec.extra {
            let theirs = descriptors.open_extra(*number, extra)?;
            descriptors.sources.insert(*number, theirs);
        }
        Ok(descriptors)
    }

    /// A pipe belongs to its maker, and a program that opens it anew (by `/dev/stdout`) needs to be that user.
    fn give_pipes_to(&self, spec: &SpawnSpec) -> io::Result<()> {
        let Some(user) = spec.uid.map(Uid::from_raw) else {
            return Ok(());
        };
        for (number, ours) in [(0, &self.stdin), (1, &self.stdout), (2, &self.stderr)] {
            // Only what was made for it: what it inherits is somebody else's.
            let (Some(_), Some(theirs)) = (ours, self.sources.get(&number)) else { continue };
            match rustix::fs::fchown(theirs, Some(user), None) {
                // Without privileges there is no other user that the program could run as.
                Ok(()) | Err(Errno::PERM) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn open_extra(&mut self, number: RawFd, extra: &Extra) -> io::Result<OwnedFd> {
        match extra {
            Extra::Null => null(),
            Extra::Given(given) => given.try_clone(),
            Extra::Socket => {
                let (ours, theirs) = stream_pair()?;
                self.extra.insert(number, ours);
                Ok(theirs)
            }
        }
    }

    /// One `dup2` per descriptor. It also clears close-on-exec in the child, and only there.
    pub(super) fn actions(&mut self) -> io::Result<PosixSpawnFileActions> {
        self.lift()?;
        let mut actions = PosixSpawnFileActions::init()?;
        for number in 0..self.end() {
            match self.sources.get(&number) {
                Some(source) => actions.add_dup2(source.as_raw_fd(), number)?,
                // Something of ours may be open there without close-on-exec; what is not is no error.
                None => actions.add_close(number)?,
            }
        }
        Ok(actions)
    }

    /// The first number above all that the child has.
    pub(super) fn end(&self) -> RawFd {
        self.sources.keys().next_back().map_or(0, |last| last + 1)
    }

    /// Moves every source above all targets. A source that has the number of a target would be
    /// overwritten by an earlier `dup2` before its own turn came; and where it *is* its own
    /// target, the `dup2` would leave close-on-exec set on some C libraries.
    fn lift(&mut self) -> io::Result<()> {
        let end = self.end();
        for source in self.sources.values_mut() {
            if source.as_raw_fd() < end {
                *source = rustix::io::fcntl_dupfd_cloexec(&*source, end)?;
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

/// Our end, in non-blocking mode, and the child's.
fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((ours.into(), theirs.into()))
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
        const COUNT: RawFd = 64;
        let directory = tempfile::tempdir().unwrap();
        let path = |n: RawFd| std::fs::canonicalize(&directory).unwrap().join(n.to_string());
        // Numbers are given in ascending order, so the highest target gets the lowest one.
        let mut sources: BTreeMap<RawFd, OwnedFd> =
            (0..COUNT).rev().map(|n| (n, File::create(path(n)).unwrap().into())).collect();
        let expected: String =
            (0..COUNT).filter(|n| *n != 1).map(|n| format!("{}\n", path(n).display())).collect();
        assert_eq!(seen_by_child(&mut sources, 0..COUNT), expected);
    }

    #[test]
    fn a_number_without_a_source_is_closed_in_the_child() {
        let leak = File::open("/dev/zero").unwrap();
        rustix::io::fcntl_setfd(&leak, rustix::io::FdFlags::empty()).unwrap();
        let number = leak.as_raw_fd();
        let mut sources: BTreeMap<RawFd, OwnedFd> =
            [0, 1, 2, number + 1].into_iter().map(|n| (n, null().unwrap())).collect();
        let seen = seen_by_child(&mut sources, number..number + 2);
        assert_eq!(seen, "none\n/dev/null\n");
    }

    /// A line for each of these numbers with what a child has there. Its 1 is taken for the answer.
    fn seen_by_child(
        sources: &mut BTreeMap<RawFd, OwnedFd>,
        numbers: std::ops::Range<RawFd>,
    ) -> String {
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
        sources.insert(1, writer);
        let mut descriptors = Descriptors {
            sources: std::mem::take(sources),
            channel: None,
            lane: None,
            stdin: None,
            stdout: None,
            stderr: None,
            extra: BTreeMap::new(),
        };
        let actions = descriptors.actions().unwrap();
        let mut script = String::new();
        for n in numbers.filter(|n| *n != 1) {
            writeln!(script, "/bin/readlink /proc/$$/fd/{n} || echo none").unwrap();
        }
        let arguments =
            [c"sh".to_owned(), c"-c".to_owned(), std::ffi::CString::new(script).unwrap()];
        let attributes = PosixSpawnAttr::init().unwrap();
        let environment: [std::ffi::CString; 0] = [];
        let pid = posix_spawn(c"/bin/sh", &actions, &attributes, &arguments, &environment).unwrap();
        drop(descriptors);
        let answer = io::read_to_string(File::from(reader)).unwrap();
        nix::sys::wait::waitpid(pid, None).unwrap();
        answer
    }
}
