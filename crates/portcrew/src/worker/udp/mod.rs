//! UDP in a worker: a socket that the primary has bound and that all workers receive from.

mod address;
mod ask;
mod gate;
mod poll;
mod socket;

pub use address::BindUdp;
pub use socket::UdpSocket;

pub(super) use ask::set_up;
