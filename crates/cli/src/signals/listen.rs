//! Waiting for signals, in the tokio runtime.

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

use tokio::signal::unix::{self, SignalKind};

use super::disposition::{Disposition, has_terminal};
use super::{Command, Signal, Situation};

/// How long after a hang-up signal the terminal may still be there: when a session's leader dies, the kernel sends
/// the signal a few instructions before it takes the terminal away.
const HANGUP_SETTLES: Duration = Duration::from_millis(50);

/// The commands that arrive as signals.
#[derive(Debug)]
pub(crate) struct Signals {
    streams: Vec<(Signal, unix::Signal)>,
    had_terminal: bool,
    stopping: bool,
    /// A signal that was taken and not yet understood, so that a dropped `next` loses none.
    taken: Option<Signal>,
}

impl Signals {
    /// Starts to listen; from now on these signals no longer do what the kernel does by default. Must be called in a
    /// runtime whose I/O is enabled, and before the first worker is started.
    ///
    /// # Errors
    /// When a handler cannot be installed.
    pub(crate) fn listen() -> io::Result<Self> {
        let disposition = Disposition::read();
        let mut streams = Vec::new();
        for signal in Signal::ALL {
            if disposition.is_ours(signal) {
                let kind = SignalKind::from_raw(signal.number());
                streams.push((signal, unix::signal(kind)?));
            }
        }
        let had_terminal = disposition.had_terminal();
        Ok(Self { streams, had_terminal, stopping: false, taken: None })
    }

    /// The next command; never ends. Signals of one kind that come together are one, as the kernel has it.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Command {
        loop {
            let signal = match self.taken {
                Some(signal) => signal,
                None => self.received().await,
            };
            self.taken = Some(signal);
            let situation = Situation {
                stopping: self.stopping,
                terminal_gone: signal == Signal::HangUp && self.terminal_is_gone().await,
            };
            self.taken = None;
            if let Some(command) = signal.meaning(situation) {
                self.stopping |= command.stops();
                return command;
            }
        }
    }

    async fn received(&mut self) -> Signal {
        poll_fn(|context| {
            for (signal, stream) in &mut self.streams {
                if let Poll::Ready(Some(())) = stream.poll_recv(context) {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }

    async fn terminal_is_gone(&self) -> bool {
        if !self.had_terminal {
            return false;
        }
        if has_terminal() {
            tokio::time::sleep(HANGUP_SETTLES).await;
        }
        !has_terminal()
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal as Kernel, getpid, kill_process};

    use super::*;

    /// One test for all: signals belong to the whole test process.
    #[test]
    fn signals_to_this_process_become_commands() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut signals = Signals::listen().unwrap();
            for (kernel, command) in [
                (Kernel::TTIN, Command::More),
                (Kernel::TTOU, Command::Fewer),
                (Kernel::TERM, Command::Stop),
                (Kernel::TERM, Command::StopNow),
            ] {
                let ours = signals.streams.iter().any(|(s, _)| s.number() == kernel.as_raw());
                if !ours {
                    // This test run was itself started with the signal ignored.
                    continue;
                }
                kill_process(getpid(), kernel).unwrap();
                let next = tokio::time::timeout(Duration::from_secs(20), signals.next());
                assert_eq!(next.await.expect("the signal arrives"), command);
            }
        });
    }
}
