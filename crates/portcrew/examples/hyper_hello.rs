//! A hyper server with its own accept loop as a crew.
//!
//! `cargo run -p portcrew --features hyper1 --example hyper_hello`, then `curl http://127.0.0.1:3000/`.

use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use portcrew::hyper1::Graceful;
use portcrew::{Cluster, Worker};

fn main() -> portcrew::Result<()> {
    Cluster::builder().run(serve)
}

async fn serve(worker: Worker) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let name = format!("worker {} pid {}\n", worker.id(), std::process::id());
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = worker.listen(format!("127.0.0.1:{port}")).await?;
    let graceful = Graceful::new(&worker);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            () = worker.draining() => break,
        };
        let name = name.clone();
        let answer = service_fn(move |_: Request<Incoming>| {
            let name = name.clone();
            async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(name)))) }
        });
        // Draining, it says `Connection: close` with each answer, and waits a moment for one more request.
        let answer = graceful.announce(answer);
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away early is its own business.
            let _ = connection.await;
        });
    }
    graceful.complete().await;
    Ok(())
}
