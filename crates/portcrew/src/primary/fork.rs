//! Starting a worker: from what is to be started to a process with a channel.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use portcrew_core::WorkerId;
use portcrew_core::primary::{Event, Origin};
use portcrew_core::scheduler::Seat;
use portcrew_ipc::channel::{Channel, ChannelSettings};
use portcrew_ipc::lane::LanePrimary;
use portcrew_ipc::spawn::{self, Spawned};

use super::WorkerHandle;
use super::driver::Driver;
use super::handle::Shared;
use super::launcher::{Launch, Place};
use super::link::Link;
use super::{reserve, rights};
use crate::link::farewell_settings;
use crate::pipes::Pipes;
use crate::{Error, Result};

/// Connections under way at a time to a worker without a lane. How many are given to it is the machine's decision
/// (`Limits::channel_window`); this is as many as it ever leaves unanswered for one listener.
const HANDLE_WINDOW: usize = 16;

impl Driver {
    /// Starts one worker, also when no descriptor is left but those that were kept for it. Nothing is left behind when
    /// it fails.
    pub(super) fn fork(
        &mut self,
        place: Option<Place>,
        env: Vec<(OsString, OsString)>,
    ) -> Result<WorkerHandle> {
        // Node's `fork` sets up what nobody has set up, and says so each time.
        let settings = Arc::clone(self.launcher.settings_of(place));
        self.events.push(crate::Event::Setup { settings });
        match self.try_fork(place, env.clone()) {
            Err(error) if reserve::is_want(&error) => {
                let _until_it_runs = self.reserve.lend_all();
                self.try_fork(place, env)
            }
            outcome => outcome,
        }
    }

    fn try_fork(
        &mut self,
        place: Option<Place>,
        env: Vec<(OsString, OsString)>,
    ) -> Result<WorkerHandle> {
        // Nobody is left to whom a new worker could matter.
        let Some(commands) = self.command_sender.upgrade() else { return Err(Error::Disconnected) };
        let living = self.links.values().filter(|link| !link.shared.has_exited());
        let inspected = living.filter_map(|link| link.shared.inspector?.number).collect();
        let notify = self.notify_socket(place)?;
        let mut env = env;
        if let Some(socket) = &notify {
            let watchdog = self.crew.settings().and_then(|it| it.liveness.watchdog);
            env.extend(socket.variables(watchdog));
        }
        let seat = origin(self.launcher.next_id(), place).seat;
        self.seat(seat);
        let given = self.given(Some(seat))?;
        let launch = self.launcher.launch(place, env, &inspected, &given)?;
        let Launch { id, spec, inspector } = launch;
        let mut spawned = spawn::spawn(&spec).map_err(Error::Spawn)?;
        self.launcher.started(id);
        let (channel, lane, pipes) = match sockets(&mut spawned) {
            Ok(sockets) => sockets,
            Err(error) => {
                // It runs already, with nobody to talk to.
                let _ = spawned.process.signal_group(super::Signal::Kill.number());
                self.reap_later(spawned.process);
                return Err(Error::io("watch a worker's sockets")(error));
            }
        };
        let process = spawned.process;
        let shared = Arc::new(Shared::new(id, process.pid(), inspector, pipes, channel.is_some()));
        let mut link = Link::new(Arc::clone(&shared), process, channel, lane, &self.ready);
        link.place = place;
        link.watch = self.watch(id, place, notify);
        self.links.insert(id, link);
        let handle = WorkerHandle { shared, commands };
        self.registry.lock().insert(id, handle.clone());
        self.then(Event::Forked { worker: id, origin: origin(id, place) });
        if rights::are_fewer(self.launcher.settings_of(place)) {
            self.then(Event::Confined { worker: id });
        }
        if !given.is_empty() {
            self.then(Event::Inherits { worker: id });
            // Nobody finds out when one is ready that belongs to no crew.
            if place.is_none() {
                self.then(Event::Serves { worker: id });
            }
        }
        Ok(handle)
    }
}

impl Driver {
    /// A worker is to be started there: it finds its sockets made.
    fn seat(&mut self, seat: Seat) {
        if self.opened.is_empty() {
            return;
        }
        // These alone, and not what else waits to be performed: this may be asked for in the middle of that.
        let mut wanted = Vec::new();
        self.machine.handle(self.now, Event::Seats { seat }, &mut wanted);
        wanted.into_iter().for_each(|action| self.perform(action));
    }
}

fn origin(worker: WorkerId, place: Option<Place>) -> Origin {
    place.map_or(Origin::alone(worker), |Place { slot, generation }| Origin {
        seat: Seat::Slot(slot),
        generation,
    })
}

/// Our ends, registered with the runtime.
fn sockets(spawned: &mut Spawned) -> io::Result<(Option<Channel>, Option<LanePrimary>, Pipes)> {
    spawned.process.register()?;
    let channel = spawned.channel.take();
    let settings = ChannelSettings { handle_window: HANDLE_WINDOW, ..farewell_settings() };
    let channel = channel.map(|fd| Channel::from_fd(fd, settings)).transpose()?;
    let lane = spawned.lane.take().map(LanePrimary::from_fd).transpose()?;
    let pipes = Pipes::of(spawned)?;
    Ok((channel, lane, pipes))
}
