//! Starting a worker: from the settings to a process with a channel.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcrew_core::WorkerId;
use portcrew_core::primary::Event;
use portcrew_core::supervise::{Generation, SlotId};
use portcrew_ipc::channel::{Channel, ChannelSettings};
use portcrew_ipc::lane::LanePrimary;
use portcrew_ipc::spawn::{self, SpawnSpec};

use super::WorkerHandle;
use super::driver::Driver;
use super::handle::Shared;
use super::link::Link;
use crate::pipes::Pipes;
use crate::{Error, Result, Settings, Stdio};

/// Where in a crew a worker belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
}

/// How workers are started, and the numbers given so far.
#[derive(Debug)]
pub(crate) struct Launcher {
    /// For workers of generation 0 and those outside a crew, and what a reload begins with.
    pub(super) settings: Settings,
    /// The settings of each generation that may still be wanted: a rollback starts the old program.
    pub(super) generations: BTreeMap<Generation, Settings>,
    own_executable: Option<PathBuf>,
    last_id: u32,
}

impl Launcher {
    pub(crate) fn new(settings: Settings) -> Self {
        // Found once: after a deploy has replaced the file, the kernel calls it "(deleted)".
        let own_executable = std::env::current_exe().ok();
        Self { settings, generations: BTreeMap::new(), own_executable, last_id: 0 }
    }

    fn settings_of(&self, place: Option<Place>) -> &Settings {
        place.and_then(|it| self.generations.get(&it.generation)).unwrap_or(&self.settings)
    }

    pub(crate) fn spec(
        &self,
        id: WorkerId,
        place: Option<Place>,
        env: Vec<(OsString, OsString)>,
    ) -> Result<SpawnSpec> {
        let settings = self.settings_of(place);
        let own = || {
            self.own_executable
                .clone()
                .ok_or_else(|| Error::OwnExecutable(io::Error::from(io::ErrorKind::NotFound)))
        };
        let program = match &settings.exec {
            Some(program) => resolve(program, settings.cwd.as_deref())?,
            None => own()?,
        };
        let mut spec = SpawnSpec::new(program)
            .args(settings.args.clone())
            .env(merge(settings.env.clone(), env))
            .stdio(stdio(settings.stdin), stdio(settings.stdout), stdio(settings.stderr))
            .channel(true)
            .lane(settings.lane)
            .worker_id(id.0);
        if let Some(cwd) = &settings.cwd {
            spec = spec.cwd(cwd);
            spec = spec.helper(match &settings.helper {
                Some(helper) => helper.clone(),
                None => own()?,
            });
        }
        Ok(spec)
    }
}

impl Driver {
    /// Starts one worker. Nothing is left behind when it fails.
    pub(super) fn fork(
        &mut self,
        place: Option<Place>,
        env: Vec<(OsString, OsString)>,
    ) -> Result<WorkerHandle> {
        // Nobody is left to whom a new worker could matter.
        let Some(commands) = self.command_sender.upgrade() else { return Err(Error::Disconnected) };
        let id = WorkerId(self.launcher.last_id + 1);
        let spec = self.launcher.spec(id, place, env)?;
        let spawned = spawn::spawn(&spec).map_err(Error::Spawn)?;
        self.launcher.last_id = id.0;
        let doing = Error::io("watch a worker's sockets");
        let mut process = spawned.process;
        let sockets = || -> io::Result<_> {
            process.register()?;
            let channel = spawned
                .channel
                .map(|fd| Channel::from_fd(fd, ChannelSettings::default()))
                .transpose()?;
            let lane = spawned.lane.map(LanePrimary::from_fd).transpose()?;
            let pipes = Pipes::new(spawned.stdin, spawned.stdout, spawned.stderr)?;
            Ok((channel, lane, pipes))
        };
        let (channel, lane, pipes) = match sockets() {
            Ok(sockets) => sockets,
            Err(error) => {
                // It runs already, with nobody to talk to.
                let _ = process.signal_group(super::Signal::Kill.number());
                self.reap_later(process);
                return Err(doing(error));
            }
        };
        let shared = Arc::new(Shared::new(id, process.pid(), pipes));
        let mut link = Link::new(Arc::clone(&shared), process, channel, lane, &self.ready);
        link.place = place;
        self.links.insert(id, link);
        let handle = WorkerHandle { shared, commands };
        self.registry.lock().insert(id, handle.clone());
        self.then(Event::Forked { worker: id });
        Ok(handle)
    }
}

fn resolve(program: &Path, cwd: Option<&Path>) -> Result<PathBuf> {
    let path = std::env::var_os("PATH");
    let here;
    let cwd = match cwd {
        Some(cwd) => cwd,
        None => {
            here = std::env::current_dir().map_err(Error::io("find the working directory"))?;
            &here
        }
    };
    spawn::resolve_program(program.as_os_str(), path.as_deref(), cwd).map_err(Error::Spawn)
}

/// This process's environment, then the settings', then the fork's.
fn merge(
    settings: Vec<(OsString, OsString)>,
    fork: Vec<(OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let merged: BTreeMap<_, _> = std::env::vars_os().chain(settings).chain(fork).collect();
    merged.into_iter().collect()
}

const fn stdio(stdio: Stdio) -> spawn::Stdio {
    match stdio {
        Stdio::Inherit => spawn::Stdio::Inherit,
        Stdio::Piped => spawn::Stdio::Piped,
        Stdio::Null => spawn::Stdio::Null,
    }
}
