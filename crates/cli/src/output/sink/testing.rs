//! A sink that writes into a pipe with a thread that reads it, for tests.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::{Limits, Marks, Sink};

pub(crate) struct Pipe {
    pub(crate) sink: Arc<Sink>,
    pub(crate) reader: JoinHandle<Vec<u8>>,
}

/// The lines of these tests for those that are missing.
pub(crate) const MARKS: Marks = Marks {
    unread: |count| format!("({count} dropped)\n").into_bytes(),
    unwritten: |count| format!("({count} lost)\n").into_bytes(),
};

/// A sink whose reader reads until the end and gives what it read.
pub(crate) fn piped() -> Pipe {
    let (reader, sink) = pipe(Limits::default());
    Pipe { sink, reader: read_all(reader) }
}

/// A sink and the end from which nobody reads yet.
pub(crate) fn pipe(limits: Limits) -> (OwnedFd, Arc<Sink>) {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    (reader, Arc::new(Sink::new(writer, limits, MARKS, None).unwrap()))
}

pub(crate) fn read_all(reader: OwnedFd) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        File::from(reader).read_to_end(&mut bytes).unwrap();
        bytes
    })
}
