//! The control socket: how a crew is seen and steered from a second terminal.
//!
//! `v1` is what is said. On the primary's side `claim` takes the name, `server` lets clients in, `routes` answers them
//! out of `requests` to the one who leads the crew. On the other side `client` asks and `crews` finds whom to ask.
//! `directory` is where both meet.

mod claim;
mod client;
mod connect;
mod crews;
mod directory;
mod figures;
mod metrics;
mod netstat;
mod patient;
mod requests;
mod routes;
mod server;
mod silence;
mod targets;
pub(crate) mod v1;

pub(crate) use claim::{Claim, Claimed};
pub(crate) use client::{ANSWER_WITHIN, Client, Failure};
pub(crate) use crews::{Crews, Found};
pub(crate) use directory::{Directory, refuse_strangers, state_directory, states};
pub(crate) use netstat::listen_overflows;
pub(crate) use requests::{Answer, Request, Requests, Trouble};
pub(crate) use server::{Server, serve};
pub(crate) use targets::{Meant, choose};
