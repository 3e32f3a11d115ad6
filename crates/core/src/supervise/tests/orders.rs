//! Everything that can happen to a crew of two, in every order: what seeds may miss is not missed here.
//!
//! The checker of the walks looks at each step. States that are alike are followed up once, and from each the crew must
//! come to its end.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::hostile::Hostile;
use super::walk::stop;
use super::*;

/// How many things happen in one test run. `PORTCREW_ORDERS` says how many otherwise, when this is compiled: core does
/// not see the environment.
const DEPTH: usize = 5;

/// States that these lead to at least. Where there are fewer, something does not happen any more.
const STATES: usize = 1_000;

/// Workers that may be there at once: two slots, each with a successor.
const WORKERS: u8 = 4;

/// One thing that happens. Workers are counted by age.
#[derive(Debug, Clone, Copy)]
enum Letter {
    /// The next process that was asked for is there.
    Spawned,
    /// It could not be started.
    Failed,
    Ready(u8),
    /// Its process ends: as it was told, or by a crash.
    Exits(u8),
    /// Its channel ends.
    Closes(u8),
    /// The next time-out comes, or the end of one that was killed.
    Time,
    Reload,
    Stop,
}

impl Letter {
    fn alphabet() -> Vec<Self> {
        let mut all = vec![Self::Spawned, Self::Failed, Self::Time, Self::Reload, Self::Stop];
        for at in 0..WORKERS {
            all.extend([Self::Ready(at), Self::Exits(at), Self::Closes(at)]);
        }
        all
    }

    /// It happens. False when it cannot.
    fn happens(self, world: &mut Hostile) -> bool {
        let nth = |at: u8| {
            let found = world.checker.alive.iter().nth(usize::from(at));
            found.map(|it| (*it.0, *it.1))
        };
        match self {
            Self::Spawned | Self::Failed if world.checker.asked.is_empty() => return false,
            Self::Spawned => world.answer_fork(None),
            Self::Failed => world.answer_fork(Some(false)),
            Self::Ready(at) => match nth(at) {
                Some((worker, process)) if !process.ready => world.ready(worker),
                Some(_) | None => return false,
            },
            Self::Exits(at) => match nth(at) {
                Some((worker, process)) if process.told => {
                    world.exit(worker, Exit::Code(0), true);
                }
                Some((worker, _)) => world.exit(worker, CRASH, false),
                None => return false,
            },
            Self::Closes(at) => match nth(at) {
                Some((worker, process)) => world.disconnect(worker, process.told),
                None => return false,
            },
            Self::Time => world.next(),
            Self::Reload => world.tell(Event::Reload),
            Self::Stop => world.tell(Event::Stop),
        }
        true
    }
}

/// Two workers that have served for long, and then what this word says. None when it cannot happen.
fn said(word: &[Letter]) -> Option<Hostile> {
    let head_start = Duration::ZERO;
    let mut world = Hostile::new(0, Settings { workers: 2, head_start, ..Settings::default() });
    world.answer_all();
    for worker in [W1, W2] {
        world.ready(worker);
    }
    world.waits(60_000);
    word.iter().all(|it| it.happens(&mut world)).then_some(world)
}

/// A number for this state, and then its end, which must come from anywhere.
fn state_and_end(mut world: Hostile) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{world:?}").hash(&mut hasher);
    stop(&mut world);
    hasher.finish()
}

#[test]
fn a_crew_keeps_its_rules_in_every_order_in_which_a_few_things_can_happen() {
    let depth = option_env!("PORTCREW_ORDERS").map_or(DEPTH, |it| it.parse().expect("a number"));
    let (mut known, mut frontier) = (HashSet::new(), vec![Vec::new()]);
    for so_far in 1..=depth {
        let mut next = Vec::new();
        for word in &frontier {
            for letter in Letter::alphabet() {
                let mut word: Vec<Letter> = Vec::clone(word);
                word.push(letter);
                let state = catch_unwind(AssertUnwindSafe(|| said(&word).map(state_and_end)));
                // What was broken stands in the panic before this.
                let state = state.unwrap_or_else(|_| panic!("{word:?} breaks it"));
                if state.is_some_and(|it| known.insert(it)) && so_far < depth {
                    next.push(word);
                }
            }
        }
        frontier = next;
        println!("{so_far} things in every order: {} states", known.len());
    }
    assert!(depth < DEPTH || known.len() >= STATES, "only {} states", known.len());
}
