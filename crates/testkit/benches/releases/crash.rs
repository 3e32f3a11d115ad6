//! Workers that die: how soon there is another, and what a program costs that dies again and again.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Mark, Signal};
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::crew::{self, Crew, WORKERS};
use crate::place::{HANG, Place};
use crate::release::{Kind, Release};
use crate::series::Series;
use crate::world::World;

/// A worker that has served for so long is restarted after the shortest delay.
const STABLE: Duration = Duration::from_millis(100);

/// Between two looks at the port of a crew in a crash loop.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The longest delay of a restart is 30 s, spread by a fifth; then the worker boots.
pub(crate) const RECOVERED_WITHIN: Duration = Duration::from_secs(40);

/// What was seen.
#[derive(Debug, Serialize)]
pub(crate) struct Crash {
    pub(crate) killed: Vec<Killed>,
    pub(crate) loop_s: u32,
    /// Starts of the broken program in that time.
    pub(crate) starts: usize,
    /// Of one processor.
    pub(crate) cpu_percent: f64,
    pub(crate) looks: u32,
    /// So many of them found the port open.
    pub(crate) open: u32,
    /// From the mended file to the first answer; `None` when there was none in time.
    pub(crate) recovered_s: Option<f64>,
}

/// Workers of one crew that were killed, one after another.
#[derive(Debug, Serialize)]
pub(crate) struct Killed {
    pub(crate) workers: &'static str,
    pub(crate) kills: u32,
    /// From the kill to the line that tells the new pid, without the delay that was announced.
    pub(crate) beyond_delay: Series,
    pub(crate) delay: Series,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Crash, Failure> {
    let place = Place::new(&world.built.portcrew)?;
    let release = Release::new(place.path(), Kind::Good)?;
    let stable = format!("{}ms", STABLE.as_millis());
    let command = || crew::command(&place, &["--stable", &stable, "--events", "--"]);
    let rust = command().arg(&world.built.hello).env("PORT", "0");
    let crew = Crew::start(&place, rust);
    let rust = killed(world, &crew, "Rust", counts.kills)?;
    crew.stop();
    let crew = Crew::start(&place, command().arg(world.node()?.path()).arg(release.script()));
    let node = killed(world, &crew, "Node", counts.kills)?;
    let address = crew.address()?;
    let mut crash = Crash {
        killed: vec![rust, node],
        loop_s: counts.loop_s,
        starts: 0,
        cpu_percent: 0.0,
        looks: 0,
        open: 0,
        recovered_s: None,
    };
    crash.looping(world, &crew, &release, address)?;
    crash.recovered_s = recovered(world, &release, address)?;
    crew.stop();
    Ok(crash)
}

fn killed(
    world: &World,
    crew: &Crew<'_>,
    workers: &'static str,
    kills: u32,
) -> Result<Killed, Failure> {
    let (mut beyond, mut delays) = (Vec::new(), Vec::new());
    for _ in 0..kills {
        world.interrupt.check()?;
        let mark = crew.process.mark();
        let victim = *crew.workers()?.first().ok_or("no worker is left")?;
        let at = crew.started.elapsed();
        crew.process.signal_descendant(victim, Signal::Kill)?;
        let announced = crew.process.wait_line_after(mark, |it| it.contains("; a new one "), HANG);
        let fork = crew.process.wait_line_after(mark, |it| it.contains("\"fork\""), HANG);
        let delay = delay(&announced.text).ok_or("the delay is not announced")?;
        beyond.push((fork.at.saturating_sub(at)).as_secs_f64() * 1e3 - delay);
        delays.push(delay);
        outlive(crew, fork.mark);
    }
    let none = "no worker was killed";
    let beyond_delay = Series::of_ms(beyond).ok_or(none)?;
    Ok(Killed { workers, kills, beyond_delay, delay: Series::of_ms(delays).ok_or(none)? })
}

/// `…; a new one starts in 118 ms`, in milliseconds.
fn delay(line: &str) -> Option<f64> {
    let (_, span) = line.rsplit_once(" starts in ")?;
    let (number, unit) = span.trim().split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    (unit == "ms").then_some(number).or_else(|| (unit == "s").then_some(number * 1e3))
}

/// Waits until the new worker listens, and then for the time after which its death is the first of a row again.
fn outlive(crew: &Crew<'_>, after: Mark) {
    crew.process.wait_line_after(after, |it| it.contains("\"listening\""), HANG);
    std::thread::sleep(STABLE * 2);
}

impl Crash {
    /// The program breaks, and every worker dies.
    fn looping(
        &mut self,
        world: &World,
        crew: &Crew<'_>,
        release: &Release,
        address: SocketAddr,
    ) -> Result<(), Failure> {
        release.put(Kind::Throws)?;
        let (lines, used) = (crew.process.lines().len(), cpu_time(crew.pid())?);
        for worker in crew.workers()? {
            crew.process.signal_descendant(worker, Signal::Kill)?;
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(self.loop_s.into()) {
            world.interrupt.check()?;
            std::thread::sleep(LOOK_EVERY);
            self.looks += 1;
            self.open += u32::from(TcpStream::connect(address).is_ok());
        }
        let used = cpu_time(crew.pid())?.saturating_sub(used);
        self.cpu_percent = used.as_secs_f64() * 100.0 / begun.elapsed().as_secs_f64();
        let all = crew.process.lines();
        self.starts = all[lines..].iter().filter(|it| it.text.contains("\"fork\"")).count();
        if self.starts < WORKERS {
            return Err("the broken program was not started again: that is no crash loop".into());
        }
        Ok(())
    }
}

/// Mends the program, and waits for the first answer, within the time; nobody tells the crew.
fn recovered(
    world: &World,
    release: &Release,
    address: SocketAddr,
) -> Result<Option<f64>, Failure> {
    let begun = Instant::now();
    release.put(Kind::Good)?;
    while begun.elapsed() < RECOVERED_WITHIN {
        world.interrupt.check()?;
        // The primary holds the connection until a worker serves.
        let load = Load::new(address).requests(1).per_try_timeout(Duration::from_secs(5));
        if load.try_run()?.ok == 1 {
            let took = begun.elapsed();
            // The last try may have been answered too late.
            return Ok((took <= RECOVERED_WITHIN).then_some(took.as_secs_f64()));
        }
    }
    Ok(None)
}

/// All that a process has used, by threads that have ended too: in hundredths of a second, as `/proc` has it.
fn cpu_time(pid: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program stands in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(") ").ok_or("the kernel does not tell")?;
    let mut used = fields.split(' ').skip(11).take(2);
    let mut ticks = || used.next().and_then(|it| it.parse::<u64>().ok()).ok_or("no CPU time");
    Ok(Duration::from_millis(10) * u32::try_from(ticks()? + ticks()?)?)
}
