//! Groups on real sockets.

mod port;
mod steer;
mod udp;
mod world;
