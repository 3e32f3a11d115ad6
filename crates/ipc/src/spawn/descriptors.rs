//! Close-on-exec for descriptors that this process itself inherited, or that code outside Rust
//! opened without the flag.

use std::io;
use std::os::fd::RawFd;

/// Marks every open descriptor from `first` on close-on-exec, so that no child started later gets
/// it. Call it at start with 3 (after [`claim`](crate::inherit::claim), which needs its own to be
/// there; the mark does not close anything in this process).
///
/// # Errors
///
/// `InvalidInput` for a negative `first`; otherwise what the system says when neither
/// `close_range` nor `/proc/self/fd` is available.
pub fn close_on_exec_from(first: RawFd) -> io::Result<()> {
    let from = libc::c_uint::try_from(first)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a negative descriptor"))?;
    // The raw call and not libc's function, which a C library of before 2021 does not have.
    // SAFETY: with this flag the call changes one flag of descriptors and closes none, so no
    // owner of a descriptor can notice it before an exec.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            from,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC as libc::c_uint,
        )
    };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // Linux before 5.9 has no such call, before 5.11 not this flag, and a seccomp filter that
        // does not know it answers EPERM.
        Some(libc::ENOSYS | libc::EINVAL | libc::EPERM) => mark_one_by_one(first),
        _ => Err(error),
    }
}

fn mark_one_by_one(first: RawFd) -> io::Result<()> {
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        let Some(fd) = name.to_str().and_then(|name| name.parse::<RawFd>().ok()) else {
            continue;
        };
        if fd >= first {
            // A descriptor that another thread closed since the listing gives EBADF: nothing is
            // left to be marked.
            // SAFETY: F_SETFD changes one flag and closes nothing; a closed number is refused.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_getfd, fcntl_setfd};
    use std::os::fd::{AsFd, AsRawFd};

    // One test and not two: the call reaches over the whole process, tests share one.
    #[test]
    fn both_ways_mark_from_the_first_on_and_leave_all_open() {
        let ways: [fn(RawFd) -> io::Result<()>; 2] = [close_on_exec_from, mark_one_by_one];
        for mark in ways {
            let below = std::fs::File::open("/dev/null").unwrap();
            let above = fcntl_dupfd_cloexec(&below, below.as_raw_fd() + 1).unwrap();
            for file in [below.as_fd(), above.as_fd()] {
                fcntl_setfd(file, FdFlags::empty()).unwrap();
            }
            mark(above.as_raw_fd()).unwrap();
            assert_eq!(fcntl_getfd(&above).unwrap(), FdFlags::CLOEXEC);
            assert_eq!(fcntl_getfd(&below).unwrap(), FdFlags::empty());
        }
    }

    #[test]
    fn a_negative_number_is_refused() {
        assert_eq!(close_on_exec_from(-1).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
