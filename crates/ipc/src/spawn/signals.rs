//! Signal dispositions that a process inherits and that would break the supervision of children.

use std::io;

use nix::sys::signal::SigSet;

/// Restores the default action for SIGCHLD when this process was started with SIGCHLD ignored
/// (some init scripts and shells do that).
///
/// While SIGCHLD is ignored the kernel reaps children by itself: their exit status is lost, and
/// their pids may be given to strangers at once. [`spawn`](super::spawn) therefore calls this each
/// time; a program that forks children by other means calls it once at start. A handler that was
/// installed is left alone.
///
/// # Errors
///
/// None is known to occur on Linux; the system's answer is passed on.
pub fn reset_inherited_signals() -> io::Result<()> {
    let current = disposition(libc::SIGCHLD)?;
    // SA_NOCLDWAIT has the same effect as ignoring, also beside a handler.
    if current.sa_sigaction == libc::SIG_IGN || current.sa_flags & libc::SA_NOCLDWAIT != 0 {
        restore_default(libc::SIGCHLD)?;
    }
    Ok(())
}

/// Lets every signal through to the calling thread, and to those that it starts.
///
/// A mask outlives exec: whoever blocks signals while it starts a process leaves that one deaf, also to the word to
/// end. To be called once, before any thread exists.
///
/// # Errors
///
/// None is known to occur on Linux; the system's answer is passed on.
pub fn unblock_inherited_signals() -> io::Result<()> {
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Gives a signal its default action in this process.
pub(crate) fn restore_default(signal: libc::c_int) -> io::Result<()> {
    // SAFETY: `sigaction` is plain data for which zero is a value: SIG_DFL, no flags, empty mask.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `default` lives through the call, SIG_DFL runs no code of ours, and a null third
    // argument asks for nothing back.
    let result = unsafe { libc::sigaction(signal, &raw const default, std::ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn disposition(signal: libc::c_int) -> io::Result<libc::sigaction> {
    // SAFETY: as above, zero is a value of this plain structure.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `current` is writable through the call, and a null second argument changes nothing.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut current) };
    if result == 0 { Ok(current) } else { Err(io::Error::last_os_error()) }
}
