//! What is answered at which address.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::channel::{Channel, Sender};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::{interval, timeout};

use super::figures::Looks;
use super::metrics;
use super::netstat::{listen_drops, listen_overflows};
use super::requests::{Answer, Desk, Request, Trouble};
use super::silence::STILL_THERE;
use super::v1;
use crate::output::events::{Event, json_line};
use crate::output::words::control as words;
use crate::output::{Feed, Piece, Subscription};

/// The longest body of a request, in bytes.
const MOST_BODY: usize = 4 * 1024;

/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// How long the crew's leader may take for an answer that needs no waiting.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Clients that wait for a verdict at once (reload, stop, policy), so that there is always room for another question.
const MOST_VERDICTS: usize = 16;

/// Pieces of an event stream that are on their way to the socket.
const ON_THEIR_WAY: usize = 4;

/// What all connections have in common.
#[derive(Debug)]
pub(super) struct Shared {
    desk: Desk,
    feed: Arc<Feed>,
    looks: Arc<Mutex<Looks>>,
    verdicts: Semaphore,
}

impl Shared {
    pub(super) fn new(desk: Desk, feed: Arc<Feed>) -> Self {
        Self { desk, feed, looks: Arc::default(), verdicts: Semaphore::new(MOST_VERDICTS) }
    }
}

type Crew = State<Arc<Shared>>;

/// An answer that is no success.
struct Refusal(StatusCode, v1::Problem);

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/workers", get(workers))
        .route("/v1/why", get(why))
        .route("/v1/metrics", get(openmetrics))
        .route("/v1/events", get(events))
        .route("/v1/reload", post(reload))
        .route("/v1/scale", post(scale))
        .route("/v1/stop", post(stop))
        .route("/v1/policy", post(policy))
        .route("/v1/signal", post(signal))
        .fallback(unknown)
        .method_not_allowed_fallback(not_so)
        .with_state(shared)
}

async fn status(State(crew): Crew) -> Result<Response, Refusal> {
    Ok(json(&look(&crew).await?.0))
}

async fn workers(State(crew): Crew) -> Result<Response, Refusal> {
    let (status, _) = *look(&crew).await?;
    Ok(json(&v1::Workers { api: v1::API, workers: status.workers }))
}

async fn openmetrics(State(crew): Crew) -> Result<Response, Refusal> {
    let (status, snapshot) = *look(&crew).await?;
    let content = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    Ok((content, metrics::text(&status, &snapshot.answers)).into_response())
}

async fn why(State(crew): Crew) -> Result<Response, Refusal> {
    Ok(json(&ask(&crew, |answer| Request::Why { answer }).await?))
}

async fn events(State(crew): Crew) -> Result<Response, Refusal> {
    let subscription = crew.feed.subscribe().ok_or_else(|| busy(words::too_many_readers()))?;
    let (sender, body) = Channel::<Bytes>::new(ON_THEIR_WAY);
    tokio::spawn(pass_on(subscription, sender));
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(body)).into_response())
}

async fn reload(State(crew): Crew, request: HttpRequest) -> Result<Response, Refusal> {
    nothing_in(request).await?;
    verdict(&crew, |answer| Request::Reload { answer }).await
}

async fn scale(State(crew): Crew, request: HttpRequest) -> Result<Response, Refusal> {
    let wish = read(request).await?;
    Ok(json(&ask(&crew, |answer| Request::Scale { wish, answer }).await?))
}

async fn stop(State(crew): Crew, request: HttpRequest) -> Result<Response, Refusal> {
    let wish = read(request).await?;
    verdict(&crew, |answer| Request::Stop { wish, answer }).await
}

async fn policy(State(crew): Crew, request: HttpRequest) -> Result<Response, Refusal> {
    let wish = read(request).await?;
    verdict(&crew, |answer| Request::Policy { wish, answer }).await
}

async fn signal(State(crew): Crew, request: HttpRequest) -> Result<Response, Refusal> {
    let wish = read(request).await?;
    Ok(json(&ask(&crew, |answer| Request::Signal { wish, answer }).await?))
}

async fn unknown(uri: Uri) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, words::no_such_address(uri.path()))
}

async fn not_so(method: Method, uri: Uri) -> Refusal {
    Refusal(StatusCode::METHOD_NOT_ALLOWED, words::no_such_method(method.as_str(), uri.path()))
}

/// The status with the figures of every process. They are read on a thread of their own: reading the memory of a
/// large worker takes the kernel milliseconds, in which connections would wait.
async fn look(crew: &Shared) -> Result<super::requests::Status, Refusal> {
    let mut seen = ask(crew, |answer| Request::Status { answer }).await?;
    let looks = Arc::clone(&crew.looks);
    let looked = tokio::task::spawn_blocking(move || {
        let status = &mut seen.0;
        let pids: Vec<u32> =
            status.workers.iter().map(|it| it.pid).chain([std::process::id()]).collect();
        let found = looks.lock().unwrap_or_else(PoisonError::into_inner).look(&pids);
        let figures = |pid| found.get(&pid).copied().unwrap_or_default();
        status.figures = figures(std::process::id());
        status.listen_overflows = listen_overflows();
        status.listen_drops = listen_drops();
        for worker in &mut status.workers {
            worker.figures = figures(worker.pid);
        }
        seen
    });
    looked.await.map_err(|_| gone())
}

/// Asks the leader for what it knows at once.
async fn ask<T>(crew: &Shared, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, Refusal> {
    let answer = crew.desk.ask(request).ok_or_else(|| busy(words::too_many_requests()))?;
    match timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(answer)) => answer.map_err(Refusal::from),
        Ok(Err(_)) => Err(gone()),
        Err(_) => Err(busy(words::no_answer())),
    }
}

/// Asks for what takes its time. The client waits as long as it wants: when it goes, only its waiting ends.
async fn verdict<T: Serialize>(
    crew: &Shared,
    request: impl FnOnce(Answer<T>) -> Request,
) -> Result<Response, Refusal> {
    let _place = crew.verdicts.try_acquire().map_err(|_| busy(words::too_many_requests()))?;
    let answer = crew.desk.ask(request).ok_or_else(|| busy(words::too_many_requests()))?;
    Ok(json(&answer.await.map_err(|_| gone())?.map_err(Refusal::from)?))
}

async fn pass_on(mut events: Subscription, mut body: Sender<Bytes>) {
    let mut still_there = interval(STILL_THERE);
    loop {
        let text = tokio::select! {
            piece = events.next() => match piece {
                Some(Piece::Line(line)) => framed(&line),
                Some(Piece::Dropped(lines)) => framed(&json_line(&Event::Dropped { lines })),
                None => return,
            },
            // A comment; it finds out whether the client is there. The first comes at once.
            _ = still_there.tick() => Bytes::from_static(b":\n\n"),
        };
        if body.send_data(text).await.is_err() {
            return;
        }
    }
}

/// One event of the stream: a line and an empty one.
fn framed(line: &[u8]) -> Bytes {
    [b"data: ", line, b"\n"].concat().into()
}

/// A body of JSON; an empty one is an empty object.
async fn read<T: DeserializeOwned>(request: HttpRequest) -> Result<T, Refusal> {
    let bytes = body(request).await?;
    let text: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &bytes };
    serde_json::from_slice(text)
        .map_err(|error| Refusal(StatusCode::BAD_REQUEST, words::body_unreadable(&error)))
}

async fn nothing_in(request: HttpRequest) -> Result<(), Refusal> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    read::<Nothing>(request).await.map(|Nothing {}| ())
}

async fn body(request: HttpRequest) -> Result<Bytes, Refusal> {
    match timeout(BODY_WITHIN, to_bytes(request.into_body(), MOST_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, words::body_too_long(MOST_BODY))),
        Err(_) => Err(Refusal(StatusCode::REQUEST_TIMEOUT, words::body_too_slow(BODY_WITHIN))),
    }
}

fn json(value: &impl Serialize) -> Response {
    let mut text = serde_json::to_vec(value).expect("answers have text keys and finite numbers");
    text.push(b'\n');
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn busy(problem: v1::Problem) -> Refusal {
    Refusal(StatusCode::SERVICE_UNAVAILABLE, problem)
}

/// The crew has ended, or ends, and dropped what waited.
fn gone() -> Refusal {
    busy(words::crew_has_ended())
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Wrong(problem) => Self(StatusCode::BAD_REQUEST, problem),
            Trouble::Stopping(problem) => Self(StatusCode::CONFLICT, problem),
            Trouble::Failed(problem) => Self(StatusCode::UNPROCESSABLE_ENTITY, problem),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(&self.1);
        *response.status_mut() = self.0;
        response
    }
}
