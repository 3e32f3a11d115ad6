//! hyper 1: a worker that leaves loses no request of a kept connection (feature `hyper1`).
//!
//! hyper's own graceful shutdown closes every connection that is idle at that moment, and a client whose next request
//! is on its way then has no answer. [`Graceful`] goes about it in the order that HTTP/1.1 wants (RFC 9112, section
//! 9.6): first it says `Connection: close` with each answer, then it ends what is still idle.
//!
//! ```no_run
//! use std::convert::Infallible;
//! use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
//! use hyper_util::rt::TokioIo;
//! use portcrew::hyper1::Graceful;
//!
//! # async fn example(worker: portcrew::Worker) -> portcrew::Result<()> {
//! let listener = worker.listen("127.0.0.1:3000").await?;
//! let graceful = Graceful::new(&worker);
//! while let Ok((stream, _peer)) = listener.accept().await {
//!     let answer = service_fn(async |_: Request<Incoming>| {
//!         Ok::<_, Infallible>(Response::new("hello\n".to_owned()))
//!     });
//!     let connection = http1::Builder::new()
//!         .serve_connection(TokioIo::new(stream), graceful.announce(answer));
//!     tokio::spawn(graceful.watch(connection));
//! }
//! graceful.complete().await;
//! # Ok(())
//! # }
//! ```

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderMap, HeaderValue};
use hyper::service::Service;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::watch;

use crate::{Draining, Worker};

/// How long a draining worker waits for the next request on a connection that is idle, unless it was told another
/// time: longer than a client under load pauses, and short beside a crew's grace of 10 s.
const LINGER: Duration = Duration::from_secs(1);

/// The connections of one worker, ended without loss once it is told to leave.
///
/// From that moment on each answer says `Connection: close`, and its connection ends with it. Idle connections are kept
/// for the [linger](Self::linger): a request that comes meanwhile is answered like that. What is idle after it is
/// closed, as by any server's idle timer; what is under way is finished, without a bound here: the crew's
/// [grace](crate::Settings::grace) is the bound. HTTP/2 connections get GOAWAY after the linger, which loses nothing.
///
/// Cheap to clone; clones watch over the same connections.
#[derive(Debug, Clone)]
pub struct Graceful {
    leaving: Draining,
    draining: Draining,
    linger: Duration,
    /// Each connection holds a receiver.
    open: watch::Sender<()>,
}

impl Graceful {
    /// For the connections of that worker, which it does not keep from finishing.
    #[must_use]
    pub fn new(worker: &Worker) -> Self {
        let (leaving, draining) = (worker.leaving(), worker.draining());
        Self { leaving, draining, linger: LINGER, open: watch::Sender::new(()) }
    }

    /// How long idle connections are kept once the worker drains. Default 1 s. It should be shorter than the crew's
    /// [grace](crate::Settings::grace), after which the worker gets SIGTERM.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// The service, whose answers say `Connection: close` once the worker is told to leave. Answers over HTTP/2 and
    /// those that switch protocols are left as they are.
    pub fn announce<S>(&self, service: S) -> Announcing<S> {
        Announcing { service, leaving: self.leaving.clone() }
    }

    /// Drives the connection to its end; the future is to be spawned. The service of the connection should be one of
    /// [`announce`](Self::announce).
    ///
    /// # Errors
    ///
    /// Those of the connection. A client that goes away early is one.
    ///
    /// # Panics
    ///
    /// In a runtime whose clock is not enabled, once the worker drains.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection at once.
    pub fn watch<C: GracefulConnection>(
        &self,
        connection: C,
    ) -> impl Future<Output = Result<(), C::Error>> + use<C> {
        self.watch_with(connection, C::graceful_shutdown)
    }

    /// As [`watch`](Self::watch), for a connection that hyper-util counts among the graceful ones only together with
    /// HTTP/2.
    pub(crate) fn watch_with<C: Future>(
        &self,
        connection: C,
        shutdown: fn(Pin<&mut C>),
    ) -> impl Future<Output = C::Output> + use<C> {
        let (draining, linger, open) = (self.draining.clone(), self.linger, self.open.subscribe());
        async move {
            let _open = open;
            let mut connection = pin!(connection);
            let silence = async {
                draining.await;
                tokio::time::sleep(linger).await;
            };
            tokio::select! {
                // First: a request that is here when the time is over is still read.
                biased;
                ended = connection.as_mut() => return ended,
                () = silence => {}
            }
            shutdown(connection.as_mut());
            connection.await
        }
    }

    /// Waits until no connection is left. To be called when none is accepted any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the wait and nothing else.
    pub async fn complete(&self) {
        self.open.closed().await;
    }
}

/// A service whose answers say `Connection: close` while its worker leaves. Made by [`Graceful::announce`].
#[derive(Debug, Clone)]
pub struct Announcing<S> {
    service: S,
    leaving: Draining,
}

impl<S, B, R> Service<Request<B>> for Announcing<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Announced<S::Future>;

    fn call(&self, request: Request<B>) -> Self::Future {
        // Neither has the header: HTTP/2 forbids it (RFC 9113, section 8.2.2), HTTP/3 too.
        let is_kept_by_header = request.version() <= Version::HTTP_11;
        let leaving = is_kept_by_header.then(|| self.leaving.clone());
        Announced { answer: Box::pin(self.service.call(request)), leaving }
    }
}

/// The answer of an [`Announcing`] service.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Announced<F> {
    answer: Pin<Box<F>>,
    /// None where no header says so.
    leaving: Option<Draining>,
}

impl<F, R, E> Future for Announced<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = ready!(self.answer.as_mut().poll(cx));
        // Looked at when the answer is there: the worker may have been told meanwhile.
        let leaves = self.leaving.as_ref().is_some_and(Draining::is_resolved);
        if let (true, Ok(response)) = (leaves, &mut answer) {
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                say_close(response.headers_mut());
            }
        }
        Poll::Ready(answer)
    }
}

/// In place of `keep-alive`, beside whatever else the header names.
fn say_close(headers: &mut HeaderMap) {
    let is = |value: &HeaderValue, word| value.as_bytes().eq_ignore_ascii_case(word);
    match headers.get(CONNECTION) {
        Some(value) if !is(value, b"keep-alive") => {
            headers.append(CONNECTION, HeaderValue::from_static("close"));
        }
        Some(_) | None => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{pending, ready};
    use std::task::Waker;

    use hyper::service::service_fn;

    use super::*;
    use crate::worker::{Life, LifeCell};

    fn graceful(life: &LifeCell, linger: Duration) -> Graceful {
        let (leaving, draining) = (life.reached(Life::Leaving), life.reached(Life::Draining));
        Graceful { leaving, draining, linger, open: watch::Sender::new(()) }
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test);
    }

    #[test]
    fn a_silent_connection_is_told_to_end_after_the_linger_and_an_ended_one_is_waited_for_no_longer()
     {
        run(async {
            let life = LifeCell::default();
            let graceful = graceful(&life, Duration::from_millis(1));
            let watched = tokio::spawn(graceful.watch_with(Silent(false, None), Silent::end));
            drop(graceful.watch_with(pending::<()>(), |_| ()));
            tokio::task::yield_now().await;
            assert!(!watched.is_finished());
            life.advance(Life::Draining);
            graceful.complete().await;
            watched.await.unwrap();
        });
    }

    /// A connection that ends by being told to, and by nothing else.
    struct Silent(bool, Option<Waker>);

    impl Silent {
        fn end(mut self: Pin<&mut Self>) {
            self.0 = true;
            self.1.take().expect("it was waited for").wake();
        }
    }

    impl Future for Silent {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            self.1 = Some(cx.waker().clone());
            if self.0 { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    #[test]
    fn an_answer_says_close_from_the_moment_of_leaving_on_where_a_header_can() {
        run(async {
            let life = LifeCell::default();
            let answer = |status| {
                let response = Response::builder().status(status).body(String::new()).unwrap();
                ready(Ok::<_, Infallible>(response))
            };
            let says_close = async |version, status| {
                let service = graceful(&life, LINGER)
                    .announce(service_fn(move |_: Request<String>| answer(status)));
                let request = Request::builder().version(version).body(String::new()).unwrap();
                service.call(request).await.unwrap().headers().contains_key(CONNECTION)
            };
            assert!(!says_close(Version::HTTP_11, 200).await);
            life.advance(Life::Leaving);
            assert!(says_close(Version::HTTP_10, 200).await);
            assert!(says_close(Version::HTTP_11, 404).await);
            assert!(!says_close(Version::HTTP_11, 101).await);
            assert!(!says_close(Version::HTTP_2, 200).await);
        });
    }

    fn said(before: Option<&'static str>) -> Vec<HeaderValue> {
        let mut headers = HeaderMap::new();
        if let Some(value) = before {
            headers.insert(CONNECTION, HeaderValue::from_static(value));
        }
        say_close(&mut headers);
        headers.get_all(CONNECTION).into_iter().cloned().collect()
    }

    #[test]
    fn close_takes_the_place_of_keep_alive_and_stands_beside_all_else() {
        assert_eq!(said(None), ["close"]);
        assert_eq!(said(Some("Keep-Alive")), ["close"]);
        assert_eq!(said(Some("upgrade")), ["upgrade", "close"]);
    }
}
