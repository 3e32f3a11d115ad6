//! Many random walks through hostile worlds; a failing one says its seed.

use super::hostile::Hostile;
use super::*;

/// Each is a world of its own.
const SEEDS: u64 = 2_400;
const STEPS: usize = 200;

#[test]
fn whatever_workers_do_a_crew_keeps_its_rules_recovers_and_ends_in_time() {
    for seed in 0..SEEDS {
        let mut world = Hostile::new(seed, settings(seed));
        for _ in 0..STEPS {
            step(&mut world);
        }
        if seed % 2 == 0 {
            calm(&mut world);
        }
        stop(&mut world);
    }
}

fn settings(seed: u64) -> Settings {
    // Half of the worlds have the numbers that most crews have.
    let unusual = seed % 4 > 1;
    let number = |at: u64, below| if unusual { (seed / at) % below } else { 0 };
    Settings {
        surge: if unusual { usize::try_from(number(4, 4)).unwrap() } else { 1 },
        max_unavailable: usize::try_from(number(16, 4)).unwrap(),
        overlap: number(64, 3) != 1,
        workers: 1 + usize::try_from(seed % 5).unwrap(),
        readiness: match seed % 11 {
            0 => Readiness::Age,
            1 => Readiness::Told,
            _ => Readiness::ToldIfEver,
        },
        drain: match seed % 5 {
            0 => Drain::Text,
            1 => Drain::Signal,
            _ => Drain::Disconnect,
        },
        probe_failures: (seed % 4 == 1 || seed % 8 == 2).then_some(2),
        answer_within: (seed % 4 == 1).then_some(Duration::from_secs(5)),
        heartbeat: (seed % 4 == 1 || seed % 16 == 2).then_some(Duration::from_secs(8)),
        watchdog: (seed % 8 == 1 || seed % 8 == 2).then_some(Duration::from_secs(15)),
        max_age: (number(8, 3) == 1).then_some(Duration::from_secs(20)),
        max_connections: Some(100),
        max_memory: Some(1_000),
        stop_exit_codes: vec![78],
        exit_when_degraded: match seed % 7 {
            0 => ExitWhenDegraded::Always,
            1..=4 => ExitWhenDegraded::Never,
            _ => ExitWhenDegraded::IfNeverStarted,
        },
        seed,
        ..Settings::default()
    }
}

fn step(world: &mut Hostile) {
    if world.checker.finished.is_some() {
        return;
    }
    match world.draw(20) {
        0..=4 => {
            let failure = match world.draw(12) {
                0 => Some(false),
                1 => Some(world.draw(20) == 0),
                _ => None,
            };
            world.answer_fork(failure);
        }
        5..=13 => live(world),
        14 => match world.draw(8) {
            0 => burst(world),
            _ => {
                let wait = world.draw(40_000);
                world.waits(wait);
            }
        },
        15..=18 => {
            let wait = world.draw(1_500);
            world.waits(wait);
        }
        _ => command(world),
    }
}

/// For a while nothing lasts: what comes dies or leaves at once, and so does what was there. At a fine
/// pace that shows how often it comes again, at a coarse one what the crew makes of it.
fn burst(world: &mut Hostile) {
    let pace = if world.draw(2) == 0 { 40 } else { 4_000 };
    let (serves, planned) = (world.draw(2) == 0, world.draw(3) == 0);
    for _ in 0..world.draw(60) {
        world.answer_all();
        let all: Vec<_> = world.checker.alive.keys().copied().collect();
        for worker in all {
            if serves {
                world.ready(worker);
            }
            world.exit(worker, CRASH, planned);
        }
        let wait = world.draw(pace);
        world.waits(wait);
    }
}

/// Something happens to some worker.
fn live(world: &mut Hostile) {
    let Some(worker) = world.draw_worker() else {
        return;
    };
    match world.draw(24) {
        0..=2 => world.online(worker),
        3..=13 => world.ready(worker),
        14..=17 => world.exit(worker, CRASH, false),
        18 => world.exit(worker, Exit::Code(0), true),
        19 => world.disconnect(worker, false),
        20 => world.disconnect(worker, true),
        21 => world.tell(Event::Misbehaved { worker }),
        22 if world.draw(8) == 0 => {
            world.cannot_listen(worker);
        }
        22 if world.draw(4) == 0 => world.exit(worker, Exit::Code(78), false),
        22 => world.tell(Event::Used { worker, connections: 100 }),
        23 if world.draw(4) > 0 => watch(world, worker),
        _ => {
            let bytes = world.draw(2_000);
            world.tell(Event::Memory { worker, bytes });
        }
    }
}

/// Somebody looks whether it is still alive.
fn watch(world: &mut Hostile, worker: WorkerId) {
    let ago = Duration::from_millis(world.draw(8_000));
    let then = Time::from_origin(world.now.since_origin().saturating_sub(ago));
    world.examine();
    if !world.checker.alive.contains_key(&worker) {
        return;
    }
    match world.draw(12) {
        0 => world.probe(worker, then, true),
        1..=3 => world.probe(worker, then, false),
        4 => world.owes(worker, then),
        5..=6 => world.sign(worker),
        7..=8 => world.beats(worker),
        9..=10 => world.beat(worker),
        _ => {
            let length = world.draw(20_000);
            world.pause(length);
            // What was asked before the pause has found nobody to look at the answer.
            for _ in 0..2 {
                if world.checker.alive.contains_key(&worker) {
                    world.probe(worker, then, false);
                }
            }
        }
    }
}

fn command(world: &mut Hostile) {
    let event = match world.draw(5) {
        0..=2 => Event::Reload,
        3 => Event::Scale { by: if world.draw(2) == 0 { 1 } else { -1 } },
        _ => Event::Resize { workers: usize::try_from(world.draw(7)).unwrap() },
    };
    world.tell(event);
}

/// The faults end: what is started serves, what is told to leave leaves. Then the crew is whole again.
fn calm(world: &mut Hostile) {
    for _ in 0..600 {
        world.answer_all();
        let all: Vec<_> = world.checker.alive.iter().map(|it| (*it.0, *it.1)).collect();
        for (worker, process) in all {
            if process.told {
                world.exit(worker, Exit::Code(0), true);
            } else if !process.ready {
                world.ready(worker);
            } else {
                world.sign(worker);
                world.beat(worker);
            }
        }
        world.waits(500);
    }
    let seed = world.seed;
    world.checker.all_judged();
    if world.checker.finished.is_some() {
        return;
    }
    assert_eq!(world.crew.phase(), Phase::Running, "seed {seed}: {:?}", world.crew);
    let retired = world.crew.slots().filter(|it| it.state == SlotState::Retired).count();
    let ready = world.crew.ready_workers();
    // The successor of a worn worker may stand beside it, or come when it has gone.
    let expected = world.crew.wanted() - retired;
    let other = if settings(seed).overlap { expected + 1 } else { expected.saturating_sub(1) };
    assert!(ready == expected || ready == other, "seed {seed}: {ready} {:?}", world.crew);
    let generation = world.crew.generation();
    assert!(world.crew.slots().all(|it| it.generation == generation), "seed {seed}: mixed");
}

/// S5: nobody leaves before he is killed, and yet the end comes in time, and once.
pub(super) fn stop(world: &mut Hostile) {
    let at_once = world.draw(4) == 0;
    let begun = world.checker.finished.is_some();
    world.tell(if at_once { Event::StopNow } else { Event::Stop });
    world.answer_all();
    for event in [Event::Reload, Event::Scale { by: 1 }] {
        world.tell(event);
    }
    // The grace, the grace after SIGTERM, and the longest that the walk takes to reap what was killed.
    world.waits(if at_once { 501 } else { 12_501 });
    let seed = world.seed;
    let finished = world.checker.finished;
    assert!(finished.is_some(), "seed {seed}: {:?}", world.crew);
    assert!(begun || world.checker.alive.is_empty(), "seed {seed}: workers are left");
    assert_eq!(world.crew.phase(), Phase::Finished);
    assert_eq!(world.crew.next_timeout(), None, "seed {seed}");
    world.checker.all_judged();
}
