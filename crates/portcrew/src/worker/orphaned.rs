//! A worker whose primary has died, and what becomes of one that does not finish by itself.
//!
//! It was told to finish by the end of its channel, but nobody is left who would make it: a client that keeps its
//! connection would keep the process for ever. So it does to itself what its primary would have done, after the same
//! grace. It has to learn of the death for that, by the task on the program's runtime that reads the channel: a runtime
//! that hangs before then is ended by nobody.

use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

/// The grace where nobody has told one, as under Node's primary: that of [`Settings`](crate::Settings::grace).
pub(super) const UNTOLD: Duration = Duration::from_secs(10);

/// From SIGTERM to SIGKILL.
const KILL_AFTER: Duration = Duration::from_secs(2);

/// Ends this process if it is still there after `grace`: SIGTERM, then SIGKILL.
pub(super) fn end_after(grace: Duration) {
    // From here on the program's runtime is not needed any more: it may hang, or end before the process does.
    let escalate = move || {
        thread::sleep(grace);
        signal(Signal::TERM);
        thread::sleep(KILL_AFTER);
        signal(Signal::KILL);
    };
    if thread::Builder::new().name("portcrew-orphaned".to_owned()).spawn(escalate).is_err() {
        // Without a thread there is nobody to wait: rather no grace than no end.
        signal(Signal::TERM);
    }
}

/// A process may always signal itself.
fn signal(signal: Signal) {
    let _ = kill_process(getpid(), signal);
}
