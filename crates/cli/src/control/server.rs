//! The server on the control socket: who is let in, how many, and for how long.
//!
//! It runs in the primary's runtime as tasks of its own. Nothing here waits for a client on the primary's behalf: a
//! client that is slow, silent or stuck keeps nobody but itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use portcrew::{Loan, Reserve};
use rustix::io::Errno;
use rustix::process::geteuid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::claim::Claim;
use super::patient::Patient;
use super::requests::{Requests, channel};
use super::routes::{Shared, router};
use crate::output::Feed;
use crate::output::words::control as words;

/// Connections at once. Beyond it clients wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 32;

/// How long a client may take for the head of a request, and be silent between two.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// The longest head of a request, in bytes.
const MOST_HEAD: usize = 16 * 1024;

/// Header lines of a request.
const MOST_HEADERS: usize = 32;

/// How long a refusal may take to be written, and the client to read it.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

/// Refusals at once. Beyond it strangers are cut off without a word: they take no place from others.
const MOST_REFUSED: usize = 8;

/// How long the end of the crew waits until the last answers are taken.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// How long it waits after an accept that failed although a descriptor was lent for it: the next would fail too.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// A server that runs. Dropping it stops it without waiting.
#[derive(Debug)]
pub(crate) struct Server {
    claim: Claim,
    feed: Arc<Feed>,
    over: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Serves on the claim's socket, in the runtime of the caller. A client for whom no descriptor is left gets one of the
/// reserve.
///
/// # Errors
/// When the runtime cannot take the socket.
pub(crate) fn serve(
    mut claim: Claim,
    feed: Arc<Feed>,
    reserve: Reserve,
) -> io::Result<(Server, Requests)> {
    let listener = claim.take_listener().expect("a claim is served once");
    let listener = UnixListener::from_std(listener)?;
    let (desk, requests) = channel();
    let shared = Arc::new(Shared::new(desk, Arc::clone(&feed)));
    let (over, ends) = watch::channel(false);
    let task = tokio::spawn(accept_all(listener, shared, reserve, ends));
    Ok((Server { claim, feed, over, task }, requests))
}

impl Server {
    /// Takes no more clients, and waits for a short time until those that are there have their answers.
    pub(crate) async fn end(self) {
        self.feed.close();
        self.over.send_replace(true);
        // Beyond the bound they end with the process.
        let _ = timeout(LAST_ANSWERS_WITHIN, self.task).await;
        // Nobody is answered any more: now the name is free.
        drop(self.claim);
    }
}

async fn accept_all(
    listener: UnixListener,
    shared: Arc<Shared>,
    reserve: Reserve,
    mut over: watch::Receiver<bool>,
) {
    let mut loan: Option<Loan> = None;
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let strangers = Arc::new(Semaphore::new(MOST_REFUSED));
    let graceful = GracefulShutdown::new();
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let (place, stream) = tokio::select! {
            _ = over.changed() => break,
            next = async { (place.await, listener.accept().await) } => next,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                let has_failed_with_it = loan.take().is_some();
                loan = (is_want(&error) && !has_failed_with_it).then(|| reserve.lend(1));
                if loan.as_ref().is_none_or(|it| it.count() == 0) {
                    sleep(AFTER_FAILURE).await;
                }
                continue;
            }
        };
        let lent = loan.take();
        if !is_allowed(&stream) {
            if let Ok(stranger) = Arc::clone(&strangers).try_acquire_owned() {
                tokio::spawn(async move {
                    // Whoever does not want to hear it has its answer all the same.
                    let _ = timeout(REFUSED_WITHIN, refuse(stream)).await;
                    drop((lent, stranger));
                });
            }
            continue;
        }
        let service = TowerToHyperService::new(router(Arc::clone(&shared)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .max_buf_size(MOST_HEAD)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(Patient::new(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // What a client does wrong is answered, or ends its connection; there is nobody else to tell.
            let _ = connection.await;
            // Its descriptor is closed by now.
            drop((lent, place));
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Whether no descriptor was left.
fn is_want(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].iter().any(|it| error.raw_os_error() == Some(it.raw_os_error()))
}

/// The same user, or root. File modes say the same; this holds also where somebody has changed them.
fn is_allowed(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == geteuid().as_raw() || peer.uid() == 0)
}

/// A client that is still writing its question would not find the answer if the socket were closed before its end.
async fn refuse(mut stream: UnixStream) -> io::Result<()> {
    stream.write_all(words::not_allowed_answer().as_bytes()).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}
