//! What the user wants written, in the order in which it was asked for, bounded.

use std::collections::{HashSet, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcrew_ipc::handle::{Handle as WireHandle, HandleKind};
use portcrew_ipc::message::{Inner, Packet, UserLines};
use socket2::{SockAddr, SockRef};
use tokio::sync::oneshot;

use crate::{
    CONNECTION_KEYS_LIMIT, Error, Handle, Message, OUTGOING_BYTES, OUTGOING_LIMIT, Result,
};

/// Bytes that a message takes beside its text, at least.
const POST_BYTES: usize = 64;

/// Bytes up to which messages that follow one another are kept together.
pub(super) const RUN_BYTES: usize = 16 * 1024;

/// One thing that is to be written.
#[derive(Debug)]
pub(super) enum Post {
    /// Messages without sockets.
    Lines(UserLines),
    /// A message, and the socket that goes with it.
    Socket { message: Message, socket: Outbound },
    /// "How many connections under this key do you hold?"
    Count { key: Arc<str>, answer: oneshot::Sender<Result<usize>> },
    /// "Tell me when you hold no connection under this key any more."
    Close { key: Arc<str>, answer: oneshot::Sender<Result<()>> },
}

/// A socket that is to be sent.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    pub(super) kind: HandleKind,
    pub(super) fd: Arc<OwnedFd>,
}

/// What the driver has not taken yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    posts: VecDeque<Post>,
    /// Messages and questions in them.
    count: usize,
    bytes: usize,
    /// Lines that were taken and have been passed on, for their memory.
    spare: UserLines,
    /// Every key under which connections were sent and perhaps live on.
    keys: HashSet<Arc<str>>,
    closed: bool,
}

impl Post {
    fn count(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.count(),
            Self::Socket { .. } | Self::Count { .. } | Self::Close { .. } => 1,
        }
    }

    fn bytes(&self) -> usize {
        let text = match self {
            // Without the newlines.
            Self::Lines(lines) => lines.as_bytes().len() - lines.count(),
            Self::Socket { message, .. } => message.as_bytes().len(),
            Self::Count { key, .. } | Self::Close { key, .. } => key.len(),
        };
        text + POST_BYTES * self.count()
    }

    fn connection_key(&self) -> Option<&str> {
        match self {
            Self::Socket { socket, .. } => socket.key(),
            Self::Lines(_) | Self::Count { .. } | Self::Close { .. } => None,
        }
    }
}

impl Outbound {
    pub(super) fn new(handle: Handle) -> Self {
        let WireHandle { kind, fd } = handle.into();
        // A Node process has one thread: a socket that blocks would stop it in accept or write. The mode belongs
        // to the socket, so the other end gets it too. An open socket takes it.
        let _ = SockRef::from(&fd).set_nonblocking(true);
        Self { kind, fd: Arc::new(fd) }
    }

    /// A connection that is counted under `key`. `None` when it is no connection.
    pub(super) fn counted(handle: Handle, key: &str) -> Option<Self> {
        let mut outbound = Self::new(handle);
        match &mut outbound.kind {
            HandleKind::NetSocket { key: name } => *name = Some(key.to_owned()),
            HandleKind::NetNative
            | HandleKind::NetServer
            | HandleKind::DgramNative
            | HandleKind::DgramSocket { .. }
            | HandleKind::Unknown { .. } => return None,
        }
        Some(outbound)
    }

    /// The key under which it is counted.
    pub(super) fn key(&self) -> Option<&str> {
        match &self.kind {
            HandleKind::NetSocket { key } => key.as_deref(),
            HandleKind::NetNative
            | HandleKind::NetServer
            | HandleKind::DgramNative
            | HandleKind::DgramSocket { .. }
            | HandleKind::Unknown { .. } => None,
        }
    }

    pub(super) fn packet(&self, message: Message) -> Packet {
        Packet::Handle { kind: self.kind.clone(), inner: Inner::User(message) }
    }

    /// What it is, for an error that names it.
    pub(super) fn describe(&self) -> String {
        let socket = SockRef::from(&*self.fd);
        let local = socket.local_addr().map_or_else(|_| UNKNOWN.to_owned(), |it| address(&it));
        match &self.kind {
            HandleKind::NetSocket { .. } => match socket.peer_addr() {
                Ok(peer) => format!("the connection between {local} and {}", address(&peer)),
                Err(_) => format!("the connection on {local}, which its peer has closed"),
            },
            HandleKind::DgramNative | HandleKind::DgramSocket { .. } => {
                format!("the UDP socket on {local}")
            }
            HandleKind::NetNative | HandleKind::NetServer | HandleKind::Unknown { .. } => {
                format!("the listening socket on {local}")
            }
        }
    }
}

const UNKNOWN: &str = "an unknown address";

fn address(address: &SockAddr) -> String {
    match (address.as_socket(), address.as_pathname()) {
        (Some(address), _) => address.to_string(),
        (None, Some(path)) => path.display().to_string(),
        (None, None) => "an unnamed Unix socket".to_owned(),
    }
}

impl Outgoing {
    /// Takes a message without a socket, the only one in `line`. Whether it is the only thing that waits.
    pub(super) fn add_line(&mut self, line: &UserLines) -> Result<bool> {
        let length = line.as_bytes().len();
        let bytes = POST_BYTES + length.saturating_sub(1);
        self.check_room(bytes)?;
        match self.posts.back_mut() {
            Some(Post::Lines(lines)) if lines.as_bytes().len() + length <= RUN_BYTES => {
                lines.append(line);
            }
            _ => {
                let mut lines = std::mem::take(&mut self.spare);
                lines.append(line);
                self.posts.push_back(Post::Lines(lines));
            }
        }
        self.bytes += bytes;
        self.count += 1;
        Ok(self.count == 1)
    }

    /// Whether it is the only thing that waits.
    pub(super) fn add(&mut self, post: Post) -> Result<bool> {
        let bytes = post.bytes();
        self.check_room(bytes)?;
        if let Some(key) = post.connection_key().filter(|key| !self.keys.contains(*key)) {
            if self.keys.len() >= CONNECTION_KEYS_LIMIT {
                return Err(Error::QueueFull);
            }
            self.keys.insert(key.into());
        }
        self.bytes += bytes;
        self.count += 1;
        self.posts.push_back(post);
        Ok(self.count == 1)
    }

    fn check_room(&self, bytes: usize) -> Result<()> {
        if self.closed {
            return Err(Error::Disconnected);
        }
        if self.count >= OUTGOING_LIMIT || self.bytes + bytes > OUTGOING_BYTES {
            return Err(Error::QueueFull);
        }
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<Post> {
        let post = self.posts.pop_front()?;
        self.bytes -= post.bytes();
        self.count -= post.count();
        Some(post)
    }

    /// Lines that were taken are passed on.
    pub(super) fn give_back(&mut self, mut lines: UserLines) {
        lines.clear();
        self.spare = lines;
    }

    /// The other end holds nothing under this key any more. What is still to be sent under it keeps its place.
    pub(super) fn forget(&mut self, key: &str) {
        if !self.posts.iter().any(|post| post.connection_key() == Some(key)) {
            self.keys.remove(key);
        }
    }

    /// Takes nothing more from users; the driver still takes what it has.
    pub(super) fn seal(&mut self) {
        self.closed = true;
    }

    /// Takes nothing more, and gives back what there is. Whoever waits for an answer learns it by the drop of the question.
    pub(super) fn close(&mut self) -> VecDeque<Post> {
        self.closed = true;
        (self.bytes, self.count) = (0, 0);
        std::mem::take(&mut self.posts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;

    fn text(length: usize) -> UserLines {
        let mut line = UserLines::default();
        line.push_value(&"x".repeat(length - 2)).unwrap();
        line
    }

    fn counted(key: &str) -> Post {
        let (stream, _) = UnixStream::pair().unwrap();
        let socket = Outbound::counted(stream.into(), key).unwrap();
        Post::Socket { message: Message::new("").unwrap(), socket }
    }

    #[test]
    fn bytes_are_limited_and_free_again_when_taken() {
        let mut outgoing = Outgoing::default();
        let longest = OUTGOING_BYTES / 2 - POST_BYTES;
        outgoing.add_line(&text(longest)).unwrap();
        outgoing.add_line(&text(longest)).unwrap();
        assert!(matches!(outgoing.add_line(&text(2)), Err(Error::QueueFull)));
        outgoing.take().unwrap();
        outgoing.add_line(&text(2)).unwrap();
    }

    #[test]
    fn messages_are_limited_in_number_however_short_they_are() {
        let mut outgoing = Outgoing::default();
        for _ in 0..OUTGOING_LIMIT {
            outgoing.add_line(&text(2)).unwrap();
        }
        assert!(matches!(outgoing.add_line(&text(2)), Err(Error::QueueFull)));
        let Some(Post::Lines(lines)) = outgoing.take() else { panic!("lines") };
        for _ in 0..lines.count() {
            outgoing.add_line(&text(2)).unwrap();
        }
        assert!(matches!(outgoing.add_line(&text(2)), Err(Error::QueueFull)));
    }

    #[test]
    fn what_follows_one_another_is_taken_together_and_in_order() {
        let mut outgoing = Outgoing::default();
        assert!(outgoing.add_line(&text(3)).unwrap());
        assert!(!outgoing.add_line(&text(2)).unwrap());
        assert!(!outgoing.add(counted("k")).unwrap());
        assert!(!outgoing.add_line(&text(4)).unwrap());
        let mut lines = || match outgoing.take() {
            Some(Post::Lines(lines)) => {
                let text = String::from_utf8(lines.as_bytes().to_vec()).unwrap();
                outgoing.give_back(lines);
                text
            }
            other => format!("{other:?}"),
        };
        assert_eq!(lines(), "\"x\"\n\"\"\n");
        assert!(lines().contains("Socket"));
        assert_eq!((lines(), lines()), ("\"xx\"\n".to_owned(), "None".to_owned()));
        assert!(outgoing.add_line(&text(2)).unwrap(), "nothing waits any more");
    }

    #[test]
    fn what_was_added_before_the_seal_can_still_be_taken() {
        let mut outgoing = Outgoing::default();
        outgoing.add_line(&text(2)).unwrap();
        outgoing.seal();
        assert!(matches!(outgoing.add_line(&text(2)), Err(Error::Disconnected)));
        assert!(outgoing.take().is_some() && outgoing.take().is_none());
    }

    #[test]
    fn keys_without_end_are_refused_until_one_is_forgotten() {
        let mut outgoing = Outgoing::default();
        for number in 0..CONNECTION_KEYS_LIMIT {
            outgoing.add(counted(&number.to_string())).unwrap();
            outgoing.take().unwrap();
        }
        outgoing.add(counted("0")).unwrap();
        assert!(matches!(outgoing.add(counted("new")), Err(Error::QueueFull)));
        outgoing.forget("7");
        outgoing.add(counted("new")).unwrap();
    }

    #[test]
    fn a_key_of_which_more_is_to_be_sent_is_not_forgotten() {
        let mut outgoing = Outgoing::default();
        for number in 0..CONNECTION_KEYS_LIMIT {
            outgoing.add(counted(&number.to_string())).unwrap();
        }
        outgoing.forget("7");
        assert!(matches!(outgoing.add(counted("new")), Err(Error::QueueFull)));
    }

    #[test]
    fn a_socket_that_is_sent_blocks_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let kept = listener.try_clone().unwrap();
        let _sent = Outbound::new(listener.into());
        assert_eq!(kept.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_socket_is_named_by_its_kind_and_addresses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let stream = TcpStream::connect(at).unwrap();
        let from = stream.local_addr().unwrap();
        let named = |handle: Handle| Outbound::new(handle).describe();
        assert_eq!(named(stream.into()), format!("the connection between {from} and {at}"));
        assert_eq!(named(listener.into()), format!("the listening socket on {at}"));
        let (unix, _peer) = UnixStream::pair().unwrap();
        let unnamed = "an unnamed Unix socket";
        assert_eq!(named(unix.into()), format!("the connection between {unnamed} and {unnamed}"));
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = udp.local_addr().unwrap();
        assert_eq!(named(udp.into()), format!("the UDP socket on {at}"));
    }
}
