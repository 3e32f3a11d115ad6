//! What the primary weighs, and how long a command takes.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Process, eventually, proc_fs};
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::crew::{self, Crew, NAME};
use crate::place::{HANG, Place};
use crate::release::{Kind, Release};
use crate::series::Series;
use crate::world::World;

/// Requests before the primary is weighed: what is allocated once is there then.
const REQUESTS: u64 = 2000;

/// Everything that is small, or is to be.
#[derive(Debug, Serialize)]
pub(crate) struct Small {
    pub(crate) primaries: Vec<Weight>,
    pub(crate) commands: Vec<Ask>,
    /// `list` of many crews.
    pub(crate) list: Ask,
    pub(crate) crews: u32,
}

/// A primary with two workers, in KiB as `smaps_rollup` has them.
#[derive(Debug, Serialize)]
pub(crate) struct Weight {
    pub(crate) workers: &'static str,
    pub(crate) rss: u64,
    pub(crate) pss: u64,
    /// In no file: what only this process has and what is not the program itself.
    pub(crate) anonymous: u64,
}

/// A command with its time, its process included.
#[derive(Debug, Serialize)]
pub(crate) struct Ask {
    pub(crate) command: String,
    pub(crate) took: Series,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Small, Failure> {
    let place = Place::new(&world.built.portcrew)?;
    let release = Release::new(place.path(), Kind::Good)?;
    let mut primaries = Vec::new();
    let crew = Crew::start(&place, crew::command(&place, &[]).arg(release.script()));
    primaries.push(weight(&crew, "Node")?);
    let size = crew::WORKERS.to_string();
    let words: [&[&str]; 4] =
        [&["list"], &["describe", NAME], &["scale", NAME, &size], &["why", NAME]];
    let commands = words.into_iter().map(|words| ask(world, &place, words, counts.asks));
    let commands = commands.collect::<Result<_, _>>()?;
    crew.stop();
    let rust = crew::command(&place, &["--"]).arg(&world.built.hello).env("PORT", "0");
    let crew = Crew::start(&place, rust);
    primaries.push(weight(&crew, "Rust")?);
    crew.stop();
    let list = list(world, counts)?;
    Ok(Small { primaries, commands, list, crews: counts.crews })
}

fn weight(crew: &Crew<'_>, workers: &'static str) -> Result<Weight, Failure> {
    Load::new(crew.address()?).clients(8).requests(REQUESTS).reset_on_close(true).try_run()?;
    let proc_fs::Memory { rss, pss, anonymous } = proc_fs::memory(crew.pid())?;
    Ok(Weight { workers, rss: rss >> 10, pss: pss >> 10, anonymous: anonymous >> 10 })
}

fn ask(world: &World, place: &Place, words: &[&str], times: u32) -> Result<Ask, Failure> {
    let mut took = Vec::new();
    for _ in 0..times {
        world.interrupt.check()?;
        let answer = place.ask(words);
        if answer.status != Some(0) {
            return Err(format!("{words:?}: {}", answer.err).into());
        }
        took.push(answer.took);
    }
    let took = Series::of(&took).ok_or("no command was run")?;
    Ok(Ask { command: words.join(" "), took })
}

/// Crews of one worker each, as many as are to be listed.
fn list(world: &World, counts: &Counts) -> Result<Ask, Failure> {
    let place = Place::new(&world.built.portcrew)?;
    let mut crews: Vec<Process> = Vec::new();
    for number in 0..counts.crews {
        world.interrupt.check()?;
        let name = format!("crew-{number}");
        let args = ["run", "--name", &name, "-w", "1", "--ready", "alive", "sleep", "1000"];
        crews.push(place.command(args).start());
    }
    eventually("all crews are listed", HANG, || {
        let out = place.ask(&["list", "--json"]).out;
        let all: serde_json::Value = serde_json::from_str(&out).ok()?;
        let running = all["crews"].as_array()?.iter().filter(|it| it["phase"] == "running");
        (running.count() == crews.len()).then_some(())
    });
    ask(world, &place, &["list"], counts.asks)
}
