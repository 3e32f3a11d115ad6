//! Frameworks of HTTP/1.1: who answers, and what becomes of every request.

use std::collections::BTreeSet;

use portcrew_testkit::http::Load;
use portcrew_testkit::require_node;

use super::page;
use super::project::{Project, WORKERS, reload, stop};
use crate::crew::{Crew, HANG};

/// Requests that each worker has when they come one after another.
const EACH: u64 = 100;
/// Requests of many clients at once.
const AT_ONCE: u64 = 2_000;

#[test]
fn express_serves_as_a_crew_without_a_change() {
    serves("express", &["express"]);
}

#[test]
fn fastify_serves_as_a_crew_without_a_change() {
    serves("fastify", &["fastify"]);
}

#[test]
fn koa_serves_as_a_crew_without_a_change() {
    serves("koa", &["koa"]);
}

#[test]
fn hono_serves_as_a_crew_without_a_change() {
    serves("hono", &["hono", "@hono/node-server"]);
}

fn serves(name: &'static str, packages: &[&str]) {
    let _node = require_node!();
    let Some(project) = Project::with_packages(name, packages) else { return };
    let crew = project.run();
    let load = Load::new(crew.serving(WORKERS)).worker_key("pid").per_try_timeout(HANG);
    in_turn(&crew, load.clone());
    load.clone().clients(16).requests(AT_ONCE).run().assert_all_ok();
    load.clone().clients(8).keep_alive(50).requests(AT_ONCE).run().assert_all_ok();
    let answered = through_a_reload(&crew, load);
    stop(crew);
    page::passed(page::Row {
        name,
        packages: project.packages,
        in_turn: format!("{EACH} requests each"),
        at_once: format!("{AT_ONCE} and, kept alive, {AT_ONCE}"),
        reload: format!("{answered} requests"),
    });
}

/// One after another, each worker has as many as every other.
fn in_turn(crew: &Crew, load: Load) {
    let report = load.requests(EACH * WORKERS as u64).run();
    report.assert_all_ok();
    let workers = crew.pids().iter().map(|pid| (pid.to_string(), EACH)).collect();
    assert_eq!(report.by_worker, workers);
}

/// How many were answered, which is all that were asked, while every worker was replaced.
fn through_a_reload(crew: &Crew, load: Load) -> u64 {
    let load = load.clients(8).background();
    load.wait_answered(100, HANG);
    let new = reload(crew);
    load.wait_answered(100, HANG);
    let report = load.finish();
    report.assert_all_ok();
    let answered: BTreeSet<_> = report.by_worker.keys().map(|pid| pid.parse().unwrap()).collect();
    assert!(answered.is_superset(&new), "{answered:?} {new:?}");
    report.ok
}
