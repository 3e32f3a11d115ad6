//! Descriptors that are known by their number only: what a message or an environment names.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// A close-on-exec duplicate of a descriptor of this process.
///
/// # Errors
///
/// `EBADF` when no descriptor has this number, `EMFILE` when no further one may be opened.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC reads no memory; a number that is no descriptor is answered with EBADF.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_duplicate_is_another_number_and_close_on_exec() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let copy = duplicate(one.as_raw_fd()).unwrap();
        assert_ne!(copy.as_raw_fd(), one.as_raw_fd());
        assert!(rustix::io::fcntl_getfd(&copy).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    }

    #[test]
    fn a_number_that_is_no_descriptor_is_refused() {
        assert_eq!(duplicate(-1).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }
}
