//! A server of actix-web. It leaves on SIGTERM by itself, and answers what it has.

use std::{io, process};

use actix_web::{App, HttpServer, web};
use listenfd::ListenFd;

#[actix_web::main]
async fn main() -> io::Result<()> {
    let listener = ListenFd::from_env().take_tcp_listener(0)?;
    let listener = listener.ok_or_else(|| io::Error::other("started without a socket"))?;
    HttpServer::new(|| {
        App::new().route("/", web::get().to(|| async { format!("worker {}\n", process::id()) }))
    })
    .workers(1)
    .listen(listener)?
    .run()
    .await
}
