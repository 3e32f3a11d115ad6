//! What happens to one worker.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus as Status;

use portcrew::{AddressType, Event, ListenAddress, ListenerName, WorkerHandle, WorkerId};
use portcrew_core::primary::Exit;
use serde_json::value::RawValue;

use super::{Hearing, number, say};
use crate::crew::Kind;
use crate::crew::causes::how_it_ended;
use crate::exit::ExitStatus;
use crate::output::events;
use crate::output::words::{chain, notices, signal_name};

impl Hearing<'_> {
    /// What happens to one worker.
    pub(super) fn worker(&mut self, event: Event) {
        match event {
            Event::Online { worker } => {
                self.report.event(&events::Event::Online { worker: number(worker) });
            }
            Event::Opened { address, .. } => self.opened(&address),
            Event::Listening { worker, address } => self.listening(worker, &address),
            Event::SelfBound { worker, address } => self.self_bound(worker, &address),
            Event::ListenFailed { worker, address, error, lacks: None } => {
                self.cannot_listen(worker, &address, &error);
            }
            Event::ListenFailed { worker, address, lacks: Some(name), .. } => {
                self.may_not_listen(worker, &address, &name);
            }
            Event::Message { worker, message, handle, .. } => {
                self.message(worker, message.as_str(), handle.is_some());
            }
            // Nobody here can answer; the asker's deadline ends its wait.
            Event::Request { worker, request } => self.message(worker, request.as_str(), false),
            Event::Disconnect { worker, .. } => {
                self.report.event(&events::Event::Disconnect { worker: number(worker) });
            }
            Event::Exit { worker, status, planned } => self.exited(worker, status, planned),
            Event::DiedInside { worker, open, planned: asked } => {
                let worker = number(worker);
                self.report.event(&events::Event::DiedInside { worker, open, asked });
            }
            Event::Error { worker, error } => self.error(worker, &error),
            Event::Misbehaved { worker } => {
                self.trouble(Some(worker), &notices::misbehaved(&worker));
            }
            Event::Lagged { dropped } => {
                self.report.notice(&notices::events_dropped(dropped));
                self.report.event(&events::Event::Dropped { lines: dropped });
            }
            // Said before the first worker already, or heard in `hear`.
            Event::Setup { .. }
            | Event::Fork { .. }
            | Event::Scheduling { .. }
            | Event::Crew(_)
            | Event::Finished(_) => {}
            // An event of a newer library.
            _ => {}
        }
    }

    pub(super) fn forked(&self, worker: WorkerId, process: &WorkerHandle) {
        let (worker, pid) = (number(worker), process.pid());
        self.report.event(&events::Event::Fork { worker, pid });
    }

    fn listening(&mut self, worker: WorkerId, address: &ListenAddress) {
        let address = address.to_string();
        let (worker, text) = (number(worker), address.as_str());
        self.report.event(&events::Event::Listening { worker, address: text });
        let text = match self.kind {
            Kind::Run => notices::listening(&address),
            Kind::Demo => notices::demo_open(&address),
        };
        say(self.report, self.told_listening.look(&address), &text);
    }

    fn opened(&mut self, address: &ListenAddress) {
        let address = address.to_string();
        self.report.event(&events::Event::Opened { address: &address });
        say(self.report, self.told_listening.look(&address), &notices::listening(&address));
    }

    /// Said once: each of the program's workers does the same, and so do those that come after.
    fn self_bound(&mut self, worker: WorkerId, address: &ListenAddress) {
        let text = match address.address_type {
            AddressType::Unix => notices::self_bound_path(&worker, address),
            AddressType::Tcp4
            | AddressType::Tcp6
            | AddressType::Udp4
            | AddressType::Udp6
            | AddressType::Fd => notices::self_bound(&worker, address),
        };
        let address = address.to_string();
        let (worker, address) = (number(worker), address.as_str());
        self.report.event(&events::Event::SelfBound { worker, address });
        if !std::mem::replace(&mut self.told_self_bound, true) {
            self.report.notice(&text);
        }
    }

    fn cannot_listen(&mut self, worker: WorkerId, address: &ListenAddress, error: &io::Error) {
        self.no_listener = match error.kind() {
            io::ErrorKind::AddrInUse => Some(notices::is_taken(address)),
            io::ErrorKind::PermissionDenied if address.port.is_some() => {
                Some(notices::needs_rights(address))
            }
            _ => None,
        };
        if error.kind() != io::ErrorKind::AddrInUse {
            return self.trouble(Some(worker), &notices::cannot_listen(&worker, address, error));
        }
        let text = notices::address_in_use(address);
        let worker = Some(number(worker));
        self.report.event(&events::Event::Error { worker, reason: &text });
        // All workers ask for the same address.
        say(self.report, self.told_taken.look(&text), &text);
    }

    /// All workers ask for the same. It is said once, and counts as an error of each.
    fn may_not_listen(&mut self, worker: WorkerId, address: &ListenAddress, lacks: &ListenerName) {
        self.no_listener = Some(notices::needs_leave(address, lacks));
        let text = notices::may_not_listen(&worker, address, lacks);
        let reason = text.as_str();
        self.report.event(&events::Event::Error { worker: Some(number(worker)), reason });
        say(self.report, self.told_denied.look(&lacks.to_string()), &text);
    }

    fn message(&self, worker: WorkerId, text: &str, has_handle: bool) {
        // It was parsed when it came, so it is JSON.
        if let Ok(message) = serde_json::from_str::<&RawValue>(text) {
            let worker = number(worker);
            self.report.event(&events::Event::Message { worker, message, has_handle });
        }
    }

    fn exited(&mut self, worker: WorkerId, status: Status, planned: bool) {
        let ended = exit_of(status);
        let (code, signal) = match ended {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal_name(signal))),
        };
        let number = number(worker);
        let signal = signal.as_deref();
        let core = status.core_dumped().then_some(true);
        let exit = events::Event::Exit { worker: number, code, signal, asked: planned, core };
        self.report.event(&exit);
        if !planned {
            self.deaths += 1;
            self.gone = Some((worker, how_it_ended(ended)));
        }
    }

    fn error(&mut self, worker: Option<WorkerId>, error: &portcrew::Error) {
        if let portcrew::Error::Spawn(failure) = error {
            self.spawn_failure = Some(match failure.exit_status() {
                127 => ExitStatus::NotFound,
                _ => ExitStatus::NotExecutable,
            });
            // Its text is complete: the path, the reason and the system's answer.
            return self.trouble(worker, &failure.to_string());
        }
        let text = chain(error);
        self.trouble(worker, &worker.map_or(text.clone(), |it| notices::about(&it, &text)));
    }
}

pub(in crate::crew) fn exit_of(status: Status) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    // A process that has ended has one of them.
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}
