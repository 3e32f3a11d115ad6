//! What every recipe goes through: all workers answer, a reload, kills, the end. Under load, with nobody refused.

use std::collections::BTreeSet;

use portcrew_testkit::process::{Signal, eventually, proc_fs, wait_dead};

use super::all::{Leaves, Recipe};
use super::table;
use super::traffic::{Books, Traffic};
use super::world::{World, whole};
use crate::crew::{Crew, HANG};

/// As many as the page's command lines ask for.
const WORKERS: usize = 4;

/// Answers before the next thing happens.
const BETWEEN: usize = 50;

/// What came out.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) reload: Books,
    pub(crate) kills: Books,
}

/// Goes through it by both policies, and remembers a whole run for the page.
pub(crate) fn holds(recipe: &Recipe, world: &World) {
    let trials = ["shared", "kernel"].map(|policy| Trial::run(recipe, world, policy));
    if whole() {
        table::passed(recipe, trials);
    }
}

impl Trial {
    /// By this policy.
    pub(crate) fn run(recipe: &Recipe, world: &World, policy: &str) -> Self {
        let crew = world.start(policy);
        crew.says("listening on ");
        let traffic = || Traffic::start(recipe.protocol, world.address);
        all_answer(&crew, traffic);
        let reload = reload(&crew, traffic());
        if recipe.leaves == Leaves::Clean {
            assert_eq!(reload.cut, 0, "{}", reload.text);
        }
        let kills = kills(&crew, traffic(), if whole() { 10 } else { 2 });
        stop(crew);
        Self { reload, kills }
    }
}

/// Each worker answers, sooner or later: who is first has the connection.
fn all_answer(crew: &Crew, traffic: impl Fn() -> Traffic) {
    let workers = crew.pids_when(WORKERS);
    let mut seen = BTreeSet::new();
    eventually("an answer of each worker", HANG, || {
        let traffic = traffic();
        traffic.wait_answered(BETWEEN);
        let books = traffic.finish();
        books.assert_served();
        assert_eq!(books.cut, 0, "{}", books.text);
        seen.extend(books.of_workers(&workers));
        (seen == workers).then_some(())
    });
}

fn reload(crew: &Crew, traffic: Traffic) -> Books {
    traffic.wait_answered(BETWEEN);
    let old = crew.pids_when(WORKERS);
    crew.process.signal(Signal::Hup);
    crew.says("reload: done in ");
    let new = crew.pids_when(WORKERS);
    assert!(old.is_disjoint(&new), "{old:?} {new:?}");
    traffic.wait_answered(BETWEEN);
    let books = traffic.finish();
    books.assert_served();
    books
}

/// So many times the oldest worker is killed, and the next thing is waited for: its successor is ready.
fn kills(crew: &Crew, traffic: Traffic, times: usize) -> Books {
    for _ in 0..times {
        traffic.wait_answered(BETWEEN);
        let before = crew.pids_when(WORKERS);
        let oldest = *before.first().unwrap();
        let below = proc_fs::descendants(oldest);
        let mark = crew.process.mark();
        crew.process.signal_descendant(oldest, Signal::Kill).unwrap();
        crew.process.wait_line_after(mark, |line| line.ends_with(" is ready"), HANG);
        // Nothing of it serves on.
        assert!(below.iter().all(|it| wait_dead(*it, HANG)), "{below:?}");
    }
    traffic.wait_answered(BETWEEN);
    let books = traffic.finish();
    books.assert_served();
    books
}

/// Everybody leaves by itself, and nobody stays behind.
fn stop(mut crew: Crew) {
    let pids = proc_fs::descendants(crew.process.pid());
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    assert!(pids.iter().all(|it| wait_dead(*it, HANG)), "{pids:?}");
    let said = crew.said();
    assert!(!said.iter().any(|line| line.contains("has not left")), "{said:?}");
}
