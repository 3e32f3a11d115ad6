//! axum 0.8: [`serve`] for a worker's router, and a worker's listener where `axum::serve` wants one (feature `axum08`).
//!
//! ```no_run
//! # async fn example(worker: portcrew::Worker, app: axum::Router) -> portcrew::Result<()> {
//! let listener = worker.listen("127.0.0.1:3000").await?;
//! portcrew::axum08::serve(&worker, listener, app).await;
//! # Ok(())
//! # }
//! ```
//!
//! `axum::serve(listener, app).with_graceful_shutdown(worker.draining())` does too, but closes connections that are
//! idle when the worker is told to leave, and a client that asks at that very moment has no answer. For `ConnectInfo`
//! tap the listener there, because only axum can implement its trait for a foreign one:
//! `axum::serve(listener.tap_io(|_| {}), app.into_make_service_with_connect_info::<SocketAddr>())`, with
//! `axum::serve::ListenerExt` in scope.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::hyper1::Graceful;
use crate::{Connection, Listener, Worker};

/// Serves the router until the worker is told to leave, and then until its last connection has ended: no request is
/// lost, also of clients that keep their connections; see [`Graceful`] for how, and for the bounds.
///
/// Handlers may ask for [`ConnectInfo`] with the listener's kind of address. Never fails: what cannot be accepted is
/// tried again.
///
/// # Cancel safety
///
/// Dropping the future stops accepting; connections that were accepted go on.
pub async fn serve<S>(worker: &Worker, listener: Listener<S>, router: Router)
where
    S: Connection + AsyncRead + AsyncWrite,
    S::Addr: Clone + Sync,
{
    serve_with(Graceful::new(worker), listener, router).await;
}

/// As [`serve`], with a [linger](Graceful::linger) of your own.
///
/// # Cancel safety
///
/// As [`serve`].
pub async fn serve_with<S>(graceful: Graceful, listener: Listener<S>, router: Router)
where
    S: Connection + AsyncRead + AsyncWrite,
    S::Addr: Clone + Sync,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    while let Some((stream, peer)) = accepted(&listener).await {
        let router = TowerToHyperService::new(router.clone());
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer.clone()));
            router.call(request)
        });
        let (builder, graceful) = (builder.clone(), graceful.clone());
        tokio::spawn(async move {
            let service = graceful.announce(answer);
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            // A client that goes away early is its own business.
            let _ = graceful
                .watch_with(connection, auto::UpgradeableConnection::graceful_shutdown)
                .await;
        });
    }
    graceful.complete().await;
}

/// How long it rests when a connection cannot be accepted for want of descriptors or memory, as axum does
/// with its own listeners.
const REST: Duration = Duration::from_secs(1);

impl<S> axum::serve::Listener for Listener<S>
where
    S: Connection + AsyncRead + AsyncWrite,
{
    type Io = S;
    type Addr = S::Addr;

    /// Never fails: errors are met by trying again, after a rest where that helps. Once the listener is
    /// closed it stays pending.
    async fn accept(&mut self) -> (S, S::Addr) {
        match accepted(self).await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<S::Addr> {
        Self::local_addr(self)
    }
}

/// The next connection, with errors met by trying again, after a rest where that helps; none once it is closed.
async fn accepted<S: Connection>(listener: &Listener<S>) -> Option<(S, S::Addr)> {
    loop {
        match listener.accept().await {
            Ok(accepted) => return Some(accepted),
            Err(_) if listener.is_closed() => return None,
            Err(error) if is_about_one_connection(&error) => {}
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
