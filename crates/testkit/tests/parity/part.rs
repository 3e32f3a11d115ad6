//! A Rust process that a row started: this very program, told which part to play.

use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use portcrew::{Cluster, Connection, Listener, Parent, Received, Role, Worker};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

use crate::row::Part;
use crate::rows;

/// The argument behind which the part is named, as `test-cluster-basic/worker`.
pub(crate) const FLAG: &str = "--part";

/// The part that does nothing, of every row: shows that this program can be started.
pub(crate) const NOTHING: &str = "nothing";

/// The part that this process was started for.
pub(crate) fn asked_for() -> Option<String> {
    let mut args = std::env::args().skip(1);
    (args.next()? == FLAG).then(|| args.next().unwrap_or_default())
}

/// Plays it.
pub(crate) fn play(name: &str) -> ExitCode {
    if name == NOTHING {
        return ExitCode::SUCCESS;
    }
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

/// Plays a plain child: `live` runs on a runtime of one thread with the channel to the parent. What it sent is
/// written before the process ends.
///
/// # Panics
/// When this process has no parent of that kind: then the row started it wrongly.
pub(crate) fn child<F: Future<Output = ()>>(role: Role, live: impl FnOnce(Parent) -> F) {
    let Role::Primary(mut primary) = role else { panic!("started as a worker") };
    let parent = primary.take_parent().expect("started with a channel");
    runtime().block_on(async {
        live(parent.clone()).await;
        parent.disconnect().await;
    });
}

/// Plays a primary with a process of its own, for rows that are about the primary's own life.
///
/// # Panics
/// When this process is no primary.
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

/// Says `text` to every client, until the listener is closed.
pub(crate) async fn serve<S>(listener: &Listener<S>, text: &str)
where
    S: Connection + AsyncWrite,
{
    while let Ok((mut client, _)) = listener.accept().await {
        // A client that has gone hears nothing, and its test fails by that.
        let _ = client.write_all(text.as_bytes()).await;
    }
}

/// As [`serve`] by a task of its own.
pub(crate) fn serving<S>(listener: Listener<S>, text: &'static str) -> Arc<Listener<S>>
where
    S: Connection + AsyncWrite,
    Listener<S>: Send + Sync,
{
    let listener = Arc::new(listener);
    let served = Arc::clone(&listener);
    tokio::spawn(async move { serve(&served, text).await });
    listener
}

/// Reads one request of HTTP and answers it.
///
/// # Panics
/// When the client goes before.
pub(crate) async fn answer_http(client: impl AsyncRead + AsyncWrite + Unpin, text: &str) {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        client.read_line(&mut line).await.expect("the client asks to the end");
        assert_ne!(line, "", "the client asks to the end");
    }
    let length = text.len();
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    client.write_all(format!("{head}{text}").as_bytes()).await.expect("the client reads");
}

/// The value of a variable that the row set.
///
/// # Panics
/// When it is not set, or no such value.
pub(crate) fn variable<T: FromStr>(name: &str) -> T {
    let text = std::env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.parse().unwrap_or_else(|_| panic!("{name}: {text:?}"))
}

/// The next word that the primary sends.
///
/// # Panics
/// When none comes.
pub(crate) async fn word(worker: &Worker) -> String {
    match worker.recv().await {
        Some(Received::Message { message, .. }) => message.json().expect("a text"),
        other => panic!("no word came: {other:?}"),
    }
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
