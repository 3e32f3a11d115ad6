//! Messages of the user that wait to be written.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::message::{Inner, Packet};

use crate::Message;

/// A message, and the socket that goes with it.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) message: Message,
    pub(super) handle: Option<(HandleKind, Arc<OwnedFd>)>,
}

impl Post {
    pub(super) fn packet(&self) -> Packet {
        match &self.handle {
            None => Packet::User(self.message.clone()),
            Some((kind, _)) => {
                Packet::Handle { kind: kind.clone(), inner: Inner::User(self.message.clone()) }
            }
        }
    }
}

/// What the user has sent and the driver has not taken yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub(super) posts: VecDeque<Post>,
    pub(super) closed: bool,
}
