//! An axum server as a crew: `worker.listen` in place of `TcpListener::bind`, `axum08::serve` of `axum::serve`.
//!
//! `cargo run -p portcrew --features axum08 --example axum_hello`, then `curl http://127.0.0.1:3000/`.

use axum::Router;
use axum::routing::get;
use portcrew::{Cluster, Worker};

fn main() -> portcrew::Result<()> {
    Cluster::builder().run(async |worker: Worker| {
        let name = format!("worker {} pid {}\n", worker.id(), std::process::id());
        let app = Router::new().route("/", get(move || async move { name }));
        let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
        let listener = worker.listen(format!("127.0.0.1:{port}")).await?;
        // Draining, it answers with `Connection: close`, also what is asked on connections that were idle.
        portcrew::axum08::serve(&worker, listener, app).await;
        Ok::<_, portcrew::Error>(())
    })
}
