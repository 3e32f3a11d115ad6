//! axum 0.8: a worker's listener where `axum::serve` wants one.
//!
//! ```no_run
//! # async fn example(worker: portcrew::Worker, app: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
//! let listener = worker.listen("127.0.0.1:3000").await?;
//! axum::serve(listener, app).with_graceful_shutdown(worker.draining()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! For `ConnectInfo`, tap the listener, because only axum can implement its trait for a foreign one:
//! `axum::serve(listener.tap_io(|_| {}), app.into_make_service_with_connect_info::<SocketAddr>())`, with
//! `axum::serve::ListenerExt` in scope.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Connection, Listener};

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
        loop {
            match Self::accept(self).await {
                Ok(accepted) => return accepted,
                Err(_) if self.is_closed() => std::future::pending().await,
                Err(error) if is_about_one_connection(&error) => {}
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<S::Addr> {
        Self::local_addr(self)
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
