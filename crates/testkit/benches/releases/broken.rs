//! Broken releases under load: each must be rolled back, with its reason, and nobody may notice.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::args::Counts;
use crate::crew::{self, Crew};
use crate::health::Health;
use crate::place::{Answer, HANG, Place};
use crate::release::{Kind, Release};
use crate::series::Series;
use crate::traffic::{self, Traffic};
use crate::world::World;
use crate::{Failure, peer};

/// How long a newcomer must serve: several times what the one that dies lives.
pub(crate) const STABLE: &str = "800ms";

/// A newcomer that was rolled back has so long to leave, and then gets two signals.
const GRACE: &str = "300ms";

/// Answers that are awaited between two reloads.
const BETWEEN: u64 = 20;

/// All reloads of one kind.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) who: &'static str,
    pub(crate) kind: Kind,
    pub(crate) reloads: u64,
    /// The release that served before goes on.
    pub(crate) rolled_back: u64,
    pub(crate) failed_status: u64,
    /// The command said what was wrong with the release.
    pub(crate) reasons: u64,
    /// Exactly the processes from before.
    pub(crate) untouched: u64,
    /// Somebody accepts on the port after it.
    pub(crate) open: u64,
    pub(crate) traffic: Traffic,
    pub(crate) took: Option<Series>,
    /// What the command said last.
    pub(crate) said: String,
    #[serde(skip)]
    times: Vec<Duration>,
}

/// One reload of a broken release, as it was seen.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) answer: &'a Answer,
    pub(crate) before: &'a BTreeSet<u32>,
    pub(crate) after: &'a BTreeSet<u32>,
    pub(crate) rolled_back: bool,
    pub(crate) open: bool,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for kind in Kind::BROKEN.into_iter().filter(|_| world.ours) {
        rows.push(ours(world, kind, counts.broken)?);
    }
    if let Some(cli) = &world.pm2 {
        for kind in Kind::BROKEN {
            rows.push(peer::broken(world, cli, kind, counts.broken_pm2)?);
        }
    }
    Ok(rows)
}

fn ours(world: &World, kind: Kind, reloads: u32) -> Result<Row, Failure> {
    let place = Place::new(&world.built.portcrew)?;
    let release = Release::new(place.path(), kind.predecessor())?;
    let health = Health::new(place.path())?;
    let probe = format!("http://{}/health", health.address);
    let options: &[&str] = match kind {
        Kind::Hangs => &["--start-deadline", "1500ms"],
        Kind::Unhealthy => &["--start-deadline", "2s", "--ready", &probe, "--probe-every", "100ms"],
        Kind::Good | Kind::Healthy | Kind::Throws | Kind::Dies => &[],
    };
    let program = crew::command(&place, &["--stable", STABLE, "--grace", GRACE]).args(options);
    let program = program.arg(release.script()).env("HEALTH_FILE", health.file());
    let crew = Crew::start(&place, program);
    let address = crew.address()?;
    let load = traffic::Kind::Close.begin(address);
    let old = crew.workers()?;
    let mut row = Row::new("portcrew", kind);
    for _ in 0..reloads {
        world.interrupt.check()?;
        load.wait_answered(BETWEEN, HANG);
        let generation = crew.generation()?;
        health.forget()?;
        release.put(kind)?;
        let answer = crew.reload();
        if answer.status != Some(0) {
            crew.settles(&old, HANG);
        }
        let rolled_back =
            crew.generation()? == generation && answer.err.contains("the reload was rolled back");
        let open = std::net::TcpStream::connect(address).is_ok();
        let after = &crew.workers()?;
        row.book(&Seen { answer: &answer, before: &old, after, rolled_back, open });
    }
    load.wait_answered(BETWEEN, HANG);
    row.traffic.add(&load.finish());
    crew.stop();
    Ok(row.finished())
}

impl Row {
    pub(crate) fn new(who: &'static str, kind: Kind) -> Self {
        Self {
            who,
            kind,
            reloads: 0,
            rolled_back: 0,
            failed_status: 0,
            reasons: 0,
            untouched: 0,
            open: 0,
            traffic: Traffic::default(),
            took: None,
            said: String::new(),
            times: Vec::new(),
        }
    }

    pub(crate) fn book(&mut self, seen: &Seen<'_>) {
        let Answer { out, err, status, took } = seen.answer;
        let said = format!("{out}{err}");
        let has_reason = self.kind.reasons().iter().all(|it| said.contains(it));
        self.reloads += 1;
        self.rolled_back += u64::from(seen.rolled_back);
        self.failed_status += u64::from(*status != Some(0));
        self.reasons += u64::from(has_reason);
        self.untouched += u64::from(seen.before == seen.after);
        self.open += u64::from(seen.open);
        self.times.push(*took);
        self.said = said;
    }

    pub(crate) fn finished(self) -> Self {
        Self { took: Series::of(&self.times), ..self }
    }
}
