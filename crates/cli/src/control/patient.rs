//! A client's socket with a limit to how long it may leave an answer unread.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long nothing of an answer may be taken before the client counts as gone.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// Writes fail when the client takes nothing for that long. Reads are as they are: the protocol limits them.
#[derive(Debug)]
pub(super) struct Patient {
    stream: UnixStream,
    /// Set while a write waits.
    until: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, until: None }
    }

    fn waited(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(TAKEN_WITHIN)));
        if until.deadline() > Instant::now() {
            ready!(until.as_mut().poll(cx));
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(written) => {
                self.until = None;
                Poll::Ready(written)
            }
            Poll::Pending => self.waited(cx).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[test]
    fn a_client_that_takes_nothing_of_its_answer_is_given_up() {
        // The clock stands still while anything can happen, and leaps when nothing can.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (ours, _theirs) = UnixStream::pair().unwrap();
            let (mut ours, began) = (Patient::new(ours), Instant::now());
            let error = loop {
                if let Err(error) = ours.write_all(&[0; 64 * 1024]).await {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(began.elapsed() >= TAKEN_WITHIN);
        });
    }
}
