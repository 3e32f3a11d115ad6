//! A log file that does not grow without end: at its cap it becomes the old one, and a new one begins.
//!
//! The old one of before goes. So a stream has twice its cap on disk at most, and the newest part of it is always
//! there.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// A file and how large it may become, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    pub(crate) file: PathBuf,
    pub(crate) most: u64,
}

impl Rotation {
    /// A new file in place of one that is full. What cannot be done is left as it is: output must not end a crew, and
    /// the next batch tries again.
    pub(super) fn turn(&self, fd: &mut OwnedFd) {
        let is_full = rustix::fs::fstat(&*fd)
            .is_ok_and(|it| u64::try_from(it.st_size).is_ok_and(|size| size >= self.most));
        if is_full {
            if let Ok(new) = self.begin() {
                *fd = new;
            }
        }
    }

    fn begin(&self) -> io::Result<OwnedFd> {
        let mut old = self.file.clone().into_os_string();
        old.push(".1");
        fs::rename(&self.file, old)?;
        let mut options = OpenOptions::new();
        Ok(options.append(true).create(true).mode(0o600).open(&self.file)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_becomes_the_old_one_and_the_one_before_goes() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("out.log");
        let rotation = Rotation { file: file.clone(), most: 4 };
        let mut options = OpenOptions::new();
        let mut fd: OwnedFd = options.append(true).create(true).open(&file).unwrap().into();
        for text in ["one\n", "two\n", "3\n", "4\n"] {
            rustix::io::write(&fd, text.as_bytes()).unwrap();
            rotation.turn(&mut fd);
        }
        rustix::io::write(&fd, b"5\n").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "5\n");
        assert_eq!(fs::read_to_string(place.path().join("out.log.1")).unwrap(), "3\n4\n");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }
}
