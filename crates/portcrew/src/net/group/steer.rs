//! Which members get what is new: from places to the kernel's indices.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd as _;

use portcrew_core::MemberId;
use portcrew_ipc::reuseport::{self, Steering};
use rustix::net::sockopt;

use super::{Group, Member, Protocol, SocketId};

impl Group {
    /// Takes those out of the order that have left the group by being shut down, before anything else changes it.
    pub(super) fn see_who_was_shut(&mut self) {
        if self.protocol == Protocol::Udp {
            return;
        }
        let listens = |it: &Member| sockopt::socket_acceptconn(&it.socket).unwrap_or(true);
        let shut = self.members.values().filter(|it| !listens(it)).map(|it| it.id);
        // Which of several was the first decides who has moved where.
        let left = shut.filter(|id| self.order.left(*id)).count();
        self.order_is_lost = self.order.len() > 1 && (self.order_is_lost || left > 1);
    }

    /// Steers away from a member that is about to leave, and from the last one, whose index will be that one's. Else a
    /// connection that comes between the end and the new program could go to a place that is steered away from.
    pub(super) fn make_way(&self, leaving: SocketId) {
        let last = self.order.last();
        let mut live = self.live_ids();
        live.retain(|id| *id != leaving && Some(*id) != last);
        if last != Some(leaving) && !live.is_empty() {
            // Without it a moment later it is right again.
            let _ = self.attach_for(&live);
        }
    }

    fn live_ids(&self) -> BTreeSet<SocketId> {
        let of_places = |places: &mut dyn Iterator<Item = &MemberId>| -> BTreeSet<SocketId> {
            let ids = places.filter_map(|place| self.members.get(place)).map(|it| it.id);
            ids.filter(|id| self.order.index(*id).is_some()).collect()
        };
        let live = of_places(&mut self.live.iter());
        if live.is_empty() || self.order_is_lost {
            // Not the spare ones, as far as that is known.
            return of_places(&mut self.members.keys());
        }
        live
    }

    pub(super) fn attach(&self) -> io::Result<()> {
        self.attach_for(&self.live_ids())
    }

    fn attach_for(&self, live: &BTreeSet<SocketId>) -> io::Result<()> {
        let mut members = self.members.values().chain(&self.spare);
        let Some(member) = members.find(|it| self.order.index(it.id).is_some()) else {
            // Nobody listens: there is no group.
            return Ok(());
        };
        let live: Vec<_> = live.iter().filter_map(|id| self.order.index(*id)).collect();
        let steering = Steering { members: self.order.len(), live: &live, salt: self.salt };
        reuseport::attach(member.socket.as_fd(), &steering.program())
    }

    /// After a change that makes the program before a wrong one.
    pub(super) fn attach_or_detach(&self) -> io::Result<()> {
        let attached = self.attach();
        if attached.is_err() {
            for member in self.members.values().chain(&self.spare) {
                // It needs no memory. One that is not in the group cannot do it for the others.
                let _ = reuseport::detach(member.socket.as_fd());
            }
        }
        attached
    }
}
