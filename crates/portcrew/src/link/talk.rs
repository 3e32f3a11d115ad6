//! The driver's half of a channel: reads, sorts, writes, and keeps user messages from delaying others.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use portcrew_ipc::channel::{Channel, Incoming, OutgoingHandle};
use portcrew_ipc::handle::Handle as WireHandle;
use portcrew_ipc::message::{ClusterMessage, Packet};

use super::Mailbox;
use super::outgoing::Post;

/// Bytes of user messages that are given to the channel at a time: a cluster message waits behind these at
/// most.
const BATCH_BYTES: usize = 64 * 1024;

/// How often a socket is sent anew that did not arrive, as in Node.
const MOST_RETRIES: u32 = 3;

/// A channel with its mailbox.
#[derive(Debug)]
pub(crate) struct Talk {
    channel: Channel,
    mailbox: Arc<Mailbox>,
    /// The user's message whose socket the other end has not confirmed.
    unconfirmed: Option<Unconfirmed>,
}

#[derive(Debug)]
struct Unconfirmed {
    post: Post,
    retries: u32,
}

/// What the driver itself has to look at.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A message of the cluster.
    Cluster { message: ClusterMessage, socket: Option<OwnedFd> },
    /// The other end has closed the channel, or broke it.
    End,
}

impl Talk {
    pub(crate) fn new(channel: Channel, mailbox: Arc<Mailbox>) -> Self {
        Self { channel, mailbox, unconfirmed: None }
    }

    /// Reads on until there is something for the driver.
    pub(crate) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        loop {
            let incoming = match self.channel.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                // What cannot be read any further is as good as its end.
                Poll::Ready(None | Some(Err(_))) => return Poll::Ready(Heard::End),
                Poll::Ready(Some(Ok(incoming))) => incoming,
            };
            match incoming {
                Incoming::Cluster { message, handle } => {
                    let socket = handle.map(|handle| handle.fd);
                    return Poll::Ready(Heard::Cluster { message, socket });
                }
                other => self.take(other),
            }
        }
    }

    /// Everything that is no business of the cluster.
    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::User { message, handle } => {
                // A descriptor that is not what it was announced as is closed; the message stands.
                let handle = handle.and_then(|handle| WireHandle::into_socket(handle).ok());
                self.mailbox.deliver(message, handle);
            }
            Incoming::HandleAnswered { token: _, received } => self.confirmed(received),
            // The sockets that came by messages are the user's, and nobody counts them. An asker that got
            // no answer would wait for ever with its own close.
            Incoming::SocketGetCount { key } => {
                self.queue(&Packet::SocketCount { key, count: 0 });
            }
            Incoming::SocketNotifyClose { key } => {
                self.queue(&Packet::SocketAllClosed { key });
            }
            // Nothing here asks for counts.
            Incoming::SocketCount { .. } | Incoming::SocketAllClosed { .. } => {}
            // Node ignores these too.
            Incoming::Unknown { .. } => {}
            // The parent is trusted with this process's life; its mistakes are dropped one by one.
            Incoming::Offence(_) => {}
            // The caller has taken these out.
            Incoming::Cluster { .. } => {}
        }
    }

    /// Queues a packet of the driver's own. An end that takes no more is met by the next read.
    pub(crate) fn queue(&mut self, packet: &Packet) {
        let _ = self.channel.queue(packet, None);
    }

    /// Writes what there is, the user's messages last. True when everything that the driver had queued is on
    /// its way, or nobody takes it any more: also when messages of the user wait again behind it.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let mut written = false;
        loop {
            match self.channel.poll_flush(cx) {
                Poll::Pending => return written,
                Poll::Ready(Ok(())) => {}
                // The reader meets the end; until then nothing can be written.
                Poll::Ready(Err(_)) => {
                    if !self.channel.is_writable() {
                        self.mailbox.close_outgoing();
                        return true;
                    }
                    return written;
                }
            }
            // Asked here, because a user who never stops sending leaves no other moment.
            written |= self.channel.is_idle();
            if !self.channel.is_idle() || !self.queue_posts() {
                return written;
            }
        }
    }

    /// Gives the channel the next of the user's messages. False when there is none.
    fn queue_posts(&mut self) -> bool {
        let mut batch = Vec::new();
        self.mailbox.take_posts(|posts| {
            let mut bytes = 0;
            while let Some(next) = posts.front() {
                let length = next.message.as_str().len();
                // The longest message fits only an empty channel.
                if !batch.is_empty() && bytes + length > BATCH_BYTES {
                    break;
                }
                let Some(post) = posts.pop_front() else { break };
                bytes += length;
                // Node's rule: what follows a socket waits until it is confirmed.
                let last = bytes >= BATCH_BYTES || post.handle.is_some();
                batch.push(post);
                if last {
                    break;
                }
            }
        });
        let any = !batch.is_empty();
        for post in batch {
            self.send(post, 0);
        }
        any
    }

    fn send(&mut self, post: Post, retries: u32) {
        let Some((_, socket)) = &post.handle else {
            self.queue(&post.packet());
            return;
        };
        let handle = OutgoingHandle { fd: Arc::clone(socket), token: 0 };
        if self.channel.queue(&post.packet(), Some(handle)).is_ok() {
            self.unconfirmed = Some(Unconfirmed { post, retries });
        }
    }

    /// The other end says whether the socket arrived. If not, it has dropped the message with it.
    fn confirmed(&mut self, received: bool) {
        let Some(Unconfirmed { post, retries }) = self.unconfirmed.take() else {
            return;
        };
        if !received && retries < MOST_RETRIES {
            self.send(post, retries + 1);
        }
    }

    /// Closes the writing side once everything is written and confirmed. False until then.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll_write(cx);
        if !self.channel.is_idle() && self.channel.is_writable() {
            return false;
        }
        self.mailbox.close_outgoing();
        // The other end being gone already is what was wanted.
        let _ = self.channel.shutdown();
        true
    }
}
