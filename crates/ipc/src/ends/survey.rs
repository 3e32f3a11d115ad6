//! Which connections are over, asked of the kernel: after messages were lost.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle as RuntimeHandle;
use tokio::task::JoinHandle;

use super::cookie::Cookie;
use super::layout::{INET, INET6};
use super::question::{Answer, Asker};

/// The walks through the kernel's table, one after another.
///
/// A walk alone is not certain. Between two pieces of its answer the kernel remembers by counting how far it was: a
/// socket that leaves the table just then makes it pass over another one. So what was missing is looked for again.
const WALKS: [u8; 4] = [INET, INET6, INET, INET6];

/// How often the kernel may say that its table changed during a walk, 8. Such a walk does not count. Beyond it the
/// survey fails.
const INTERRUPTIONS: u32 = 8;

/// The states of a connection that somebody may hold: ESTABLISHED, SYN_RECV (in which fast open lets one be
/// accepted), FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING. One in CLOSE is not in the table.
const STATES: u32 = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11;

/// A future that finds out which of many connections are over. It needs no memory beyond that of the question.
///
/// The kernel walks its table of all connections, strangers' and those in TIME_WAIT included, four times and on
/// behalf of the thread that asks. That is one of the runtime's for blocking work: nobody is held up by it. Dropped
/// early, it goes on to its end and nobody hears of it.
#[derive(Debug)]
#[must_use = "nobody else hears which connections are over"]
pub struct Survey {
    walking: JoinHandle<io::Result<HashSet<Cookie>>>,
}

impl Survey {
    /// Asks for these connections, whose local ports are all in `ports` (none, and more than
    /// [`FILTERED_PORTS`](super::FILTERED_PORTS), mean every port). Connections that are accepted after this are none
    /// of its business.
    ///
    /// # Errors
    /// No tokio runtime is current.
    pub fn start(connections: HashSet<Cookie>, ports: &[u16]) -> io::Result<Self> {
        let ports = ports.to_vec();
        let runtime = RuntimeHandle::try_current().map_err(io::Error::other)?;
        Ok(Self { walking: runtime.spawn_blocking(move || walk(connections, &ports)) })
    }
}

/// Resolves to those that are over: nobody holds them, or the other end has reset them. [`Ends`](super::Ends) may tell
/// some of them as well, before or after. Everything else was open at some moment since the start; what ended later is
/// told by `Ends`.
///
/// Fails when the kernel does not answer to the end, or when the runtime shuts down: then nothing is known.
impl Future for Survey {
    type Output = io::Result<HashSet<Cookie>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let walking = Pin::new(&mut self.walking);
        walking.poll(cx).map(|outcome| outcome.map_err(io::Error::other)?)
    }
}

/// Takes away whatever is seen to be open.
fn walk(mut connections: HashSet<Cookie>, ports: &[u16]) -> io::Result<HashSet<Cookie>> {
    let mut asker = Asker::new()?;
    let (mut walked, mut interruptions) = (0, 0);
    while !connections.is_empty() && walked < WALKS.len() {
        let answer = asker.ask(WALKS[walked], STATES, ports, |cookie, held| {
            if held {
                connections.remove(&cookie);
            }
        });
        match answer? {
            Answer::Complete => walked += 1,
            Answer::Interrupted if interruptions < INTERRUPTIONS => interruptions += 1,
            Answer::Interrupted => {
                let reason = "the kernel's table of connections never kept still";
                return Err(io::Error::other(reason));
            }
        }
    }
    Ok(connections)
}
