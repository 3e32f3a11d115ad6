//! A gRPC server: the health service, which says in a header who answers.

use std::error::Error;
use std::process;

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tower_http::set_header::SetResponseHeaderLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = ListenFd::from_env().take_tcp_listener(0)?.ok_or("started without a socket")?;
    // Tokio asks for this, and does not do it by itself.
    listener.set_nonblocking(true)?;
    let incoming = TcpListenerStream::new(TcpListener::from_std(listener)?);
    let mut told = signal(SignalKind::terminate())?;
    let (_reporter, health) = tonic_health::server::health_reporter();
    let name = process::id().to_string().parse::<tonic::codegen::http::HeaderValue>()?;
    Server::builder()
        .layer(SetResponseHeaderLayer::overriding(
            tonic::codegen::http::HeaderName::from_static("x-worker"),
            name,
        ))
        .add_service(health)
        .serve_with_incoming_shutdown(incoming, async move {
            told.recv().await;
        })
        .await?;
    Ok(())
}
