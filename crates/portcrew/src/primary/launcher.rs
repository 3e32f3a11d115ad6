//! From the settings to what is to be started: the program's file, its arguments, its environment.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcrew_core::WorkerId;
use portcrew_core::supervise::{Generation, SlotId};
use portcrew_ipc::contract::GRACE;
use portcrew_ipc::spawn::{self, SpawnSpec};

use super::inherited::{self, Given};
use super::node::{Inspector, Numbers, Wish};
use super::readiness::MEANT_FOR_ONE;
use super::rights;
use crate::{Error, ExtraFd, Result, Settings, Stdio};

/// Where in a crew a worker belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
}

/// The variable with a worker's slot, from 0: that of its predecessor and of its successor.
const SLOT: &str = "PORTCREW_SLOT";
/// The same under the name that programs know from PM2, whose slot 0 often runs what must run once.
const APP_INSTANCE: &str = "NODE_APP_INSTANCE";
/// The variable with the number of the release: 0, and more by each reload.
const GENERATION: &str = "PORTCREW_GENERATION";

impl Place {
    fn variables(self) -> [(OsString, OsString); 3] {
        let (slot, generation) = (self.slot.to_string(), self.generation.to_string());
        [(SLOT, slot.clone()), (APP_INSTANCE, slot), (GENERATION, generation)]
            .map(|(name, value)| (name.into(), value.into()))
    }
}

/// How workers are started, and the numbers given so far.
#[derive(Debug)]
pub(super) struct Launcher {
    /// For workers outside a crew, and what a reload begins with.
    present: Recipe,
    /// That of each generation that may still be wanted: a rollback starts the old program.
    generations: BTreeMap<Generation, Recipe>,
    own_executable: Option<PathBuf>,
    inspectors: Numbers,
    last_id: u32,
}

/// Settings, and the file that they were found to mean.
#[derive(Debug)]
struct Recipe {
    settings: Arc<Settings>,
    /// Found by the first worker: its successors run the same, whatever has become of `PATH`.
    program: Option<PathBuf>,
}

/// One worker that is about to be started.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) id: WorkerId,
    pub(super) spec: SpawnSpec,
    pub(super) inspector: Option<Inspector>,
}

impl Launcher {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            present: Recipe::new(settings),
            generations: BTreeMap::new(),
            // Found once: after a deploy has replaced the file, the kernel calls it "(deleted)".
            own_executable: std::env::current_exe().ok(),
            inspectors: Numbers::default(),
            last_id: 0,
        }
    }

    /// Settings for workers that are started from now on.
    pub(super) fn set_up(&mut self, settings: Arc<Settings>) {
        self.present = Recipe::new(settings);
    }

    /// The settings for workers outside a crew, and for the next generation of one.
    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.present.settings
    }

    /// Whether some workers may have fewer rights than this process.
    pub(super) fn lends(&self) -> bool {
        let mut recipes = self.generations.values().chain([&self.present]);
        recipes.any(|recipe| rights::are_fewer(&recipe.settings))
    }

    /// The settings of a worker that belongs there.
    pub(super) fn settings_of(&self, place: Option<Place>) -> &Arc<Settings> {
        let recipe = place.and_then(|it| self.generations.get(&it.generation));
        &recipe.unwrap_or(&self.present).settings
    }

    /// A generation begins with the settings as they are now.
    pub(super) fn begin(&mut self, generation: Generation) {
        self.generations.insert(generation, Recipe::new(Arc::clone(&self.present.settings)));
    }

    pub(super) fn forget(&mut self, generation: Generation) {
        self.generations.remove(&generation);
    }

    /// A worker with this id was started.
    pub(super) fn started(&mut self, id: WorkerId) {
        self.last_id = id.0;
    }

    /// The id of the next worker that is started.
    pub(super) const fn next_id(&self) -> WorkerId {
        WorkerId(self.last_id + 1)
    }

    /// What is to be started, with `env` for this worker alone. `inspected` has the numbers of the inspectors of
    /// living workers; one that is `given` sockets has no channel.
    pub(super) fn launch(
        &mut self,
        place: Option<Place>,
        env: Vec<(OsString, OsString)>,
        inspected: &BTreeSet<u32>,
        given: &[Given],
    ) -> Result<Launch> {
        let id = self.next_id();
        let recipe = match place.and_then(|it| self.generations.get_mut(&it.generation)) {
            Some(recipe) => recipe,
            None => &mut self.present,
        };
        let own = self.own_executable.as_deref();
        let program = recipe.program(own)?;
        let settings = &*recipe.settings;
        let own_place = place.map(Place::variables).into_iter().flatten();
        let grace = u64::try_from(settings.grace.as_millis()).unwrap_or(u64::MAX).to_string();
        let env = env.into_iter().chain(own_place).chain([(GRACE.into(), grace.into())]);
        let env = env.chain(inherited::variables(given));
        let (mut args, mut env) = (settings.args.clone(), merge(inherited(), &settings.env, env));
        let wish = Wish::of(&program, &args, &env);
        let inspector = wish.inspector.map(|base| {
            let (numbers, slot) = (&mut self.inspectors, place.map(|it| it.slot));
            Inspector::new(&settings.inspect_port, base, id, slot, numbers, inspected)
        });
        wish.tell(inspector.map(|it| it.port), &mut args, &mut env);
        if !given.is_empty() {
            args = inherited::filled(&args, given)?;
        }
        let spec = SpawnSpec::new(program).args(args).env(env).worker_id(id.0);
        let spec = with(spec, settings);
        let spec = if given.is_empty() { spec } else { inherited::give(spec, given) };
        Ok(Launch { id, spec: helped(spec, settings, own)?, inspector })
    }
}

/// What is to be started for a child that is no worker. It is what the settings say: Node, too, gives a plain fork no
/// port of its own for its inspector.
pub(crate) fn plain_child(settings: Settings) -> Result<SpawnSpec> {
    settings.check()?;
    if !settings.listen.is_empty() {
        let reason = "a plain child has a channel, and asks for what it listens on; leave it out";
        return Err(Error::Setting { setting: "listen", reason });
    }
    let own = std::env::current_exe().ok();
    let mut recipe = Recipe::new(Arc::new(settings));
    let program = recipe.program(own.as_deref())?;
    let settings = &*recipe.settings;
    let spec = SpawnSpec::new(program).args(settings.args.clone());
    let spec = spec.env(merge(inherited(), &settings.env, []));
    helped(with(spec, settings).lane(false), settings, own.as_deref())
}

impl Recipe {
    fn new(settings: Arc<Settings>) -> Self {
        Self { settings, program: None }
    }

    fn program(&mut self, own: Option<&Path>) -> Result<PathBuf> {
        if let Some(program) = &self.program {
            return Ok(program.clone());
        }
        let program = match &self.settings.exec {
            Some(program) => resolve(program, self.settings.cwd.as_deref())?,
            None => own_executable(own)?,
        };
        Ok(self.program.insert(program).clone())
    }
}

/// What the settings say beyond the program, its arguments and its environment.
fn with(mut spec: SpawnSpec, settings: &Settings) -> SpawnSpec {
    spec = spec
        .stdio(stdio(settings.stdin), stdio(settings.stdout), stdio(settings.stderr))
        .channel(true)
        .lane(settings.lane);
    for (number, what) in &settings.fds {
        spec = spec.extra(*number, extra(what));
    }
    spec.cwd.clone_from(&settings.cwd);
    (spec.uid, spec.gid) = (settings.uid, settings.gid);
    spec.groups.clone_from(&settings.groups);
    spec.no_new_privs = settings.no_new_privs.unwrap_or(rights::is_no_root(settings));
    spec
}

/// With the executable that does what only a child can, where there is something of that.
fn helped(mut spec: SpawnSpec, settings: &Settings, own: Option<&Path>) -> Result<SpawnSpec> {
    if spec.needs_helper() {
        spec.helper = Some(match &settings.helper {
            Some(helper) => helper.clone(),
            None => own_executable(own)?,
        });
    }
    Ok(spec)
}

fn own_executable(own: Option<&Path>) -> Result<PathBuf> {
    own.map(Path::to_owned)
        .ok_or_else(|| Error::OwnExecutable(io::Error::from(io::ErrorKind::NotFound)))
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

/// What is inherited, then the settings', then the fork's.
fn merge(
    inherited: impl Iterator<Item = (OsString, OsString)>,
    settings: &[(OsString, OsString)],
    fork: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let merged: BTreeMap<_, _> = inherited.chain(settings.iter().cloned()).chain(fork).collect();
    merged.into_iter().collect()
}

/// This process's environment, as far as it is anybody else's.
fn inherited() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| !is_meant_for_us(name))
}

/// Variables of this process that would say something wrong to its worker.
fn is_meant_for_us(name: &OsStr) -> bool {
    let is_of_descriptors = |it: &str| name.as_encoded_bytes().starts_with(it.as_bytes());
    MEANT_FOR_ONE.iter().chain(&[SLOT, GENERATION, GRACE]).any(|it| name == *it)
        || inherited::OF_DESCRIPTORS.into_iter().any(is_of_descriptors)
}

const fn stdio(stdio: Stdio) -> spawn::Stdio {
    match stdio {
        Stdio::Inherit => spawn::Stdio::Inherit,
        Stdio::Piped => spawn::Stdio::Piped,
        Stdio::Null => spawn::Stdio::Null,
    }
}

fn extra(what: &ExtraFd) -> spawn::Extra {
    match what {
        ExtraFd::Piped => spawn::Extra::Socket,
        ExtraFd::Null => spawn::Extra::Null,
        ExtraFd::Given(fd) => spawn::Extra::Given(Arc::clone(fd)),
    }
}
