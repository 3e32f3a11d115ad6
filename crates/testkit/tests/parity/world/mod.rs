//! What a proof is given: a directory of its own, a runtime, Node, and ways to be one side of a cluster.

pub(crate) mod checks;
mod client;
mod connections;
mod datagrams;
mod kernel;
mod lead;
mod letter;
mod node;
mod order;
mod other_user;
mod parent;
mod placed;
mod plain_child;
mod primary;
mod process;
mod refusal;
mod root;

pub(crate) use client::{
    ASIDE, connect, connect_unix, has_ipv6, http_get, read_all, said_at, said_by, still_answers,
    stop_listening, taken_port,
};

pub(crate) use connections::{connected, listener, port_of};
pub(crate) use datagrams::{Datagrams, free_udp, own_loopback, udp_sockets, until_free};
pub(crate) use kernel::listening_on;
pub(crate) use lead::lead;
pub(crate) use letter::{Hears, Letter, child, ends, letter, said, says_nothing_more};
pub(crate) use node::{NodeProcess, told_once};
pub(crate) use other_user::{
    LOW_PORT, as_other_user, low_ports_are_refused, low_ports_are_refused_to_node,
};
pub(crate) use placed::{Place, placed};
pub(crate) use plain_child::PlainChild;
pub(crate) use primary::Primary;
pub(crate) use process::{is_reaped, kill_from_outside, wait_spinning};
pub(crate) use refusal::{refusal, refused};
pub(crate) use root::{HANG, World};
