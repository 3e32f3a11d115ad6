//! The built-in server of `portcrew demo`: each answer names the worker that gave it.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use portcrew::Worker;
use portcrew::hyper1::Graceful;

use crate::exit::ExitStatus;
use crate::output::say_plainly;
use crate::output::words::chain;

/// Serves as one worker until it is told to leave.
pub(crate) fn serve(worker: &Worker, port: u16) -> ExitStatus {
    match run(worker, port) {
        Ok(()) => ExitStatus::Stopped,
        // The primary was told the same and says it better.
        Err(error) if error.is::<portcrew::Error>() => ExitStatus::CrewFailed,
        Err(error) => {
            say_plainly(&chain(&*error));
            ExitStatus::Internal
        }
    }
}

fn run(worker: &Worker, port: u16) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let served = answer_all(worker, port).await;
        worker.disconnect().await;
        served
    })
}

async fn answer_all(worker: &Worker, port: u16) -> Result<(), Box<dyn Error>> {
    let listener = worker.listen(format!("{}:{port}", Ipv4Addr::LOCALHOST)).await?;
    let answer = Answer::new(worker)?;
    let graceful = Graceful::new(worker);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) if listener.is_closed() => break,
                // About one connection, which has gone.
                Err(_) => continue,
            },
            () = worker.draining() => break,
        };
        let answer = answer.clone();
        let respond = service_fn(move |_: Request<Incoming>| {
            let response = answer.response();
            async move { Ok::<_, Infallible>(response) }
        });
        let mut http = http1::Builder::new();
        // From the moment of leaving on, each answer announces `Connection: close`.
        let respond = graceful.announce(respond);
        let connection =
            http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), respond);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away early is its own business.
            let _ = connection.await;
        });
    }
    // Not bounded here: the primary's grace is the bound.
    graceful.complete().await;
    Ok(())
}

/// The answer, made once.
#[derive(Clone)]
struct Answer {
    body: Bytes,
    worker: HeaderValue,
}

impl Answer {
    fn new(worker: &Worker) -> Result<Self, Box<dyn Error>> {
        let body = format!("worker {} pid {}\n", worker.id(), std::process::id());
        let worker = HeaderValue::from_str(&worker.id().to_string())?;
        Ok(Self { body: Bytes::from(body), worker })
    }

    fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body.clone()));
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("x-worker"), self.worker.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}
