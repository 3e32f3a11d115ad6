//! A worker against a primary that is played by hand, on real sockets.

mod channel;
mod data;
mod handover;
mod inflow;
#[cfg(feature = "axum08")]
mod kept;
mod leaving;
mod listen;
mod messages;
mod primary;
mod shared;
mod threads;
mod told;
mod udp;
mod udp_asking;

use std::future::Future;
use std::time::Duration;

/// Only to tell a hang from a slow machine.
const HANG: Duration = Duration::from_secs(20);

/// Waits, but not for ever.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// Lets everything that is ready run.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
