//! Stops of workers that do not want to leave: each in time, and nothing is left of the crew.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use portcrew_testkit::process::wait_dead;
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::crew::{self, Crew, NAME, WORKERS};
use crate::hostile::{self, Hostile};
use crate::left::{carriers, reap};
use crate::place::{HANG, Place};
use crate::series::Series;
use crate::world::World;

/// How long a worker has to finish its connections.
pub(crate) const GRACE: Duration = Duration::from_millis(200);

/// How long it then has to end by SIGTERM.
pub(crate) const KILL_AFTER: Duration = Duration::from_millis(300);

/// Within which a stop has to be over: the grace, and what everything else may take.
pub(crate) const ALLOWED: Duration = GRACE.saturating_add(Duration::from_millis(500));

/// Crews at once.
pub(crate) const SIDE_BY_SIDE: u32 = 6;

/// All stops of one kind.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) said: &'static str,
    pub(crate) stops: usize,
    pub(crate) took: Series,
    pub(crate) allowed_ms: f64,
    /// Stops that took longer than that.
    pub(crate) late: usize,
    /// Processes that were still alive then.
    pub(crate) alive: usize,
    /// Sockets and locks that were still there.
    pub(crate) files: usize,
    /// Statuses other than 0 and 4.
    pub(crate) wrong_status: usize,
}

struct Stop {
    kind: usize,
    took: Duration,
    alive: usize,
    files: usize,
    status: Option<i32>,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    let next = AtomicU32::new(0);
    let several = || -> Result<Vec<Stop>, Failure> {
        let mut stops = Vec::new();
        loop {
            world.interrupt.check()?;
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= counts.stops {
                return Ok(stops);
            }
            stops.push(stop(world, number)?);
        }
    };
    let stops = std::thread::scope(|scope| -> Result<Vec<Stop>, Failure> {
        let threads: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(several)).collect();
        let mut all = Vec::new();
        for thread in threads {
            // What it panicked with has been printed.
            all.extend(thread.join().map_err(|_| "a crew did not do what it was to do")??);
        }
        Ok(all)
    })?;
    Ok(hostile::ALL.iter().enumerate().filter_map(|(kind, it)| row(it, kind, &stops)).collect())
}

/// One crew from its start to its end.
fn stop(world: &World, number: u32) -> Result<Stop, Failure> {
    let kind = number as usize % hostile::ALL.len();
    let hostile = &hostile::ALL[kind];
    let place = Place::new(&world.built.portcrew)?;
    let mark = ("PORTCREW_RELEASES_STOP", format!("{}-{number}", std::process::id()));
    let [grace, kill] = [GRACE, KILL_AFTER].map(|it| format!("{}ms", it.as_millis()));
    let program = crew::command(&place, &["--grace", &grace, "--kill-after", &kill, "--"]);
    let program = program.args(hostile.words(world, &place)?).env(mark.0, &mark.1);
    let mut crew = Crew::begin(&place, program);
    let mut up = 0;
    let mut is_last = |line: &str| {
        up += usize::from(hostile.is_up(line));
        up == WORKERS
    };
    crew.process.wait_line(&mut is_last, HANG);
    let mark = format!("{}={}", mark.0, mark.1);
    let before = carriers(&mark);
    let begun = Instant::now();
    let answer = place.ask(&["stop", NAME]);
    crew.process.wait_exit(HANG);
    let took = begun.elapsed();
    let deadline = begun + ALLOWED;
    let mut after = carriers(&mark);
    // Killed is not yet gone: the kernel takes a moment, and the time that is allowed counts that too.
    after.retain(|pid| !wait_dead(*pid, deadline.saturating_duration_since(Instant::now())));
    reap(&before);
    let files = place.left_over()?.len();
    Ok(Stop { kind, took, alive: after.len(), files, status: answer.status })
}

fn row(hostile: &Hostile, kind: usize, stops: &[Stop]) -> Option<Row> {
    let of_kind: Vec<_> = stops.iter().filter(|it| it.kind == kind).collect();
    let times: Vec<_> = of_kind.iter().map(|it| it.took).collect();
    Some(Row {
        said: hostile.said,
        stops: of_kind.len(),
        took: Series::of(&times)?,
        allowed_ms: ALLOWED.as_secs_f64() * 1e3,
        late: times.iter().filter(|it| **it > ALLOWED).count(),
        alive: of_kind.iter().map(|it| it.alive).sum(),
        files: of_kind.iter().map(|it| it.files).sum(),
        wrong_status: of_kind.iter().filter(|it| !matches!(it.status, Some(0 | 4))).count(),
    })
}
