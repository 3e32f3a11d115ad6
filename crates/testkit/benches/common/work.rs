//! What a request costs the server, by its path: `/spin/100` is 100 µs of CPU, `/block/50000` holds the thread for
//! 50 ms without using it. Every other path costs nothing. `fixtures/tail.js` does the same in Node.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// More is not done, whatever the path says.
const MOST: Duration = Duration::from_secs(1);

/// Steps between two looks at the clock: some microseconds.
const STEPS: u64 = 2000;

/// Does it, on this thread.
pub(crate) fn perform(path: &str) {
    if let Some(time) = path.strip_prefix("/spin/").and_then(microseconds) {
        spin(time);
    } else if let Some(time) = path.strip_prefix("/block/").and_then(microseconds) {
        // To the kernel's scheduler the worker is idle, to its clients it is busy: a slow query without async.
        thread::sleep(time);
    }
}

/// Nanoseconds of the clock that all processes of the machine share.
pub(crate) fn moment() -> u128 {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::try_from(now).unwrap_or_default().as_nanos()
}

fn microseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(|it| Duration::from_micros(it).min(MOST))
}

/// CPU of this thread, not time on the wall: who else is on the machine does not make the request cheaper.
fn spin(time: Duration) {
    let until = used() + time;
    while used() < until {
        black_box((0..STEPS).fold(0, |sum, step| black_box(sum ^ step)));
    }
}

fn used() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}
