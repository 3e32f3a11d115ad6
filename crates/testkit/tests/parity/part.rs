//! A Rust process that a row started: this very program, told which part to play.

use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use portcrew::{Cluster, Role, Worker};

use crate::row::Part;
use crate::rows;

/// The argument behind which the part is named, as `test-cluster-basic/worker`.
pub(crate) const FLAG: &str = "--part";

/// The part that this process was started for.
pub(crate) fn asked_for() -> Option<String> {
    let mut args = std::env::args().skip(1);
    (args.next()? == FLAG).then(|| args.next().unwrap_or_default())
}

/// Plays it.
pub(crate) fn play(name: &str) -> ExitCode {
    let role = match portcrew::role() {
        Ok(role) => role,
        Err(error) => {
            complain(&format!("{name}: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let Some(part) = find(name) else {
        complain(&format!("no row has a part {name:?}"));
        return ExitCode::from(64);
    };
    (part.main)(role);
    ExitCode::SUCCESS
}

/// Plays a worker: `serve` runs on a runtime of one thread, and its end is the end of the process.
///
/// # Panics
/// When this process is no worker: then the row started it wrongly.
pub(crate) fn worker<F: Future<Output = ()>>(role: Role, serve: impl FnOnce(Worker) -> F) {
    let Role::Worker(worker) = role else { panic!("not started as a worker") };
    runtime().block_on(async {
        worker.start().expect("there is a runtime");
        serve(worker).await;
    });
}

/// Plays a primary with a process of its own, for rows that are about the primary's own life.
///
/// # Panics
/// When this process is no primary.
#[allow(dead_code, reason = "only some rows are about the primary's own life")]
pub(crate) fn primary<F: Future<Output = ()>>(
    role: Role,
    settings: portcrew::Settings,
    lead: impl FnOnce(Cluster) -> F,
) {
    let Role::Primary(primary) = role else { panic!("not started as a primary") };
    runtime().block_on(async {
        lead(primary.cluster(settings).expect("there is a runtime")).await;
    });
}

/// Settings for workers that play another part of the same row.
#[allow(dead_code, reason = "only some rows are about the primary's own life")]
pub(crate) fn settings(part: &str) -> portcrew::Settings {
    let own = asked_for().expect("this process plays a part");
    let row = own.split('/').next().unwrap_or_default();
    portcrew::Settings::program(
        std::env::current_exe().expect("the system knows it"),
        [FLAG.to_owned(), format!("{row}/{part}")],
    )
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("descriptors are left")
}

fn complain(text: &str) {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn find(name: &str) -> Option<&'static Part> {
    let (row, part) = name.split_once('/')?;
    let row = rows::all().into_iter().find(|it| it.name == row)?;
    row.parts.iter().find(|it| it.name == part)
}
