//! The Rust program of the crews here: a hello in hyper that says `Connection: close` while it drains.

use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use portcrew::hyper1::Graceful;
use portcrew::{Cluster, Worker};

use crate::Failure;

/// Serves on `PORT`, as a worker of the crew that has started this program.
pub(crate) fn serve() -> Result<(), Failure> {
    Ok(Cluster::builder().run(answer_all)?)
}

async fn answer_all(worker: Worker) -> Result<(), Failure> {
    let name = format!("worker {} pid {}\n", worker.id(), std::process::id());
    let port = std::env::var("PORT").unwrap_or_else(|_| "0".into());
    let listener = worker.listen(format!("127.0.0.1:{port}")).await?;
    let graceful = Graceful::new(&worker);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            () = worker.draining() => break,
        };
        let name = name.clone();
        let hello = service_fn(move |_: Request<Incoming>| {
            let body = Full::new(Bytes::from(name.clone()));
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), graceful.announce(hello));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away early is its own business.
            let _ = connection.await;
        });
    }
    graceful.complete().await;
    Ok(())
}
