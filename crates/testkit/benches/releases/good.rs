//! Good releases under load, by the hundred: no request may fail, also on connections that clients keep.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::args::Counts;
use crate::crew::{self, Crew, gone_by};
use crate::place::{Answer, HANG, Place};
use crate::release::{Kind, Release};
use crate::series::Series;
use crate::traffic::{self, Traffic};
use crate::world::World;
use crate::{Failure, peer};

/// How long a newcomer must serve here. A second each, as by default, would take an hour.
pub(crate) const STABLE: &str = "100ms";

/// Answers that are awaited between two reloads.
pub(crate) const BETWEEN: u64 = 20;

/// All reloads of one crew.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) who: &'static str,
    pub(crate) load: traffic::Kind,
    pub(crate) reloads: u64,
    /// The command ended with status 0.
    pub(crate) committed: u64,
    pub(crate) traffic: Traffic,
    pub(crate) took: Option<Series>,
    #[serde(skip)]
    times: Vec<Duration>,
}

/// What a crew runs.
#[derive(Debug, Clone, Copy)]
enum Program {
    Node,
    Rust,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    use traffic::Kind::{Close, Kept};
    let mut rows = Vec::new();
    if world.ours {
        rows = vec![
            ours(world, "Node", Program::Node, &[], Close, counts.node)?,
            ours(world, "Rust", Program::Rust, &[], Close, counts.rust)?,
            ours(world, "Rust", Program::Rust, &[], Kept, counts.kept)?,
            ours(world, "Node, --register", Program::Node, &["--register"], Kept, counts.kept)?,
            ours(world, "Node", Program::Node, &[], Kept, counts.good_pm2)?,
        ];
    }
    if let Some(cli) = &world.pm2 {
        rows.push(peer::good(world, cli, Close, counts.good_pm2)?);
        rows.push(peer::good(world, cli, Kept, counts.good_pm2)?);
    }
    Ok(rows)
}

fn ours(
    world: &World,
    who: &'static str,
    program: Program,
    options: &[&str],
    load: traffic::Kind,
    reloads: u32,
) -> Result<Row, Failure> {
    let place = Place::new(&world.built.portcrew)?;
    let release = Release::new(place.path(), Kind::Good)?;
    let command = crew::command(&place, &["--stable", STABLE, "--surge", "2"]);
    let command = command.args(options).arg("--");
    let command = match program {
        Program::Node => command.arg(world.node()?.path()).arg(release.script()),
        Program::Rust => command.arg(&world.built.hello).env("PORT", "0"),
    };
    let crew = Crew::start(&place, command);
    let running = load.begin(crew.address()?);
    let mut row = Row::new(who, load);
    for _ in 0..reloads {
        world.interrupt.check()?;
        running.wait_answered(BETWEEN, HANG);
        let old = crew.workers()?;
        row.book(&crew.reload());
        let deadline = Instant::now() + HANG;
        if !old.into_iter().all(|pid| gone_by(pid, deadline)) {
            return Err("an old worker has stayed after a reload".into());
        }
    }
    running.wait_answered(BETWEEN, HANG);
    row.traffic.add(&running.finish());
    crew.stop();
    Ok(row.finished())
}

impl Row {
    pub(crate) fn new(who: &'static str, load: traffic::Kind) -> Self {
        let (traffic, took, times) = (Traffic::default(), None, Vec::new());
        Self { who, load, reloads: 0, committed: 0, traffic, took, times }
    }

    pub(crate) fn book(&mut self, answer: &Answer) {
        self.reloads += 1;
        self.committed += u64::from(answer.status == Some(0));
        self.times.push(answer.took);
    }

    pub(crate) fn finished(self) -> Self {
        Self { took: Series::of(&self.times), ..self }
    }
}
