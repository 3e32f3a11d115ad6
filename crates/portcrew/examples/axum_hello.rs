//! An axum server, made into a crew by one changed line: `worker.listen` in place of `TcpListener::bind`.
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
        // Draining, axum answers what is under way with `Connection: close`.
        axum::serve(listener, app).with_graceful_shutdown(worker.draining()).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })
}
