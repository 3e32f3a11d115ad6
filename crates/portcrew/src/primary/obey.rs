//! What is done about each command of the user.

use std::sync::Arc;

use portcrew_core::WorkerId;
use portcrew_core::primary::Event;

use super::Signal;
use super::command::Command;
use super::driver::Driver;
use super::ready::Source;
use crate::Error;

impl Driver {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::SetUp(settings) => {
                self.launcher.set_up(Arc::clone(&settings));
                self.events.push(crate::Event::Setup { settings });
            }
            Command::Fork { env, answer } => {
                let forked = self.fork(None, env);
                self.settle();
                // Who asked may have gone: the worker runs all the same and is in the events.
                let _ = answer.send(forked);
            }
            Command::Disconnect { worker } => self.tell(Event::Disconnect { worker }),
            Command::CloseChannel { worker } => self.hang_up(worker),
            Command::DisconnectAll { answer } => {
                self.end_crew();
                self.disconnect_all();
                self.all_gone.push(answer);
                self.close_unserved();
                self.settle();
            }
            Command::Kill { worker, signal } => self.signal(worker, signal),
            Command::Sign { worker, sign } => self.sign(worker, sign),
            Command::Examined { worker, diagnosis } => self.examined(worker, diagnosis),
            Command::LookAtMemory => self.look_at_memory(),
            Command::Crew(command) => self.command_crew(command),
            Command::Reload { answer } => {
                let generation = self.reload_crew();
                // Who asked may have gone: the reload goes on all the same.
                let _ = answer.send(generation);
            }
            Command::SetRules(changes) => self.set_rules(changes),
            Command::Snapshot { answer } => {
                let _ = answer.send(self.snapshot());
            }
            Command::Abandon => self.abandon(),
        }
    }

    /// The user dropped the cluster: nobody hears events any more, and no worker is wanted. Those who hold a
    /// worker's handle may still kill it.
    pub(super) fn abandon(&mut self) {
        self.abandoned = true;
        self.end_crew();
        self.disconnect_all();
    }

    pub(super) fn disconnect_all(&mut self) {
        let workers: Vec<_> = self.links.keys().copied().collect();
        for worker in workers {
            self.tell(Event::Disconnect { worker });
        }
    }

    /// What the worker has said already counts, and so does what was said to it: both are on their way.
    fn hang_up(&mut self, worker: WorkerId) {
        self.flush_link(worker);
        self.visit(Source::Lane(worker));
        self.visit(Source::Channel(worker));
        self.close_channel(worker);
        self.settle();
    }

    pub(super) fn signal(&mut self, worker: WorkerId, signal: Signal) {
        let Some(link) = self.links.get(&worker) else {
            return;
        };
        let sent = match signal {
            // Whatever it has started goes with it.
            Signal::Kill => link.process.signal_group(signal.number()),
            _ => link.process.signal(signal.number()),
        };
        match sent {
            Ok(()) => {}
            // It has ended: there is nobody to signal, and nobody else gets it (pidfd).
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {}
            Err(source) => {
                let error = Error::Io { doing: "signal a worker", source };
                self.events.push(crate::Event::Error { worker: Some(worker), error });
            }
        }
    }
}
