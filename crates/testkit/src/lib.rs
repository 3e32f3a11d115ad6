//! The proof half of portcrew: what its tests are made with. Never published.
//!
//! * [`process`]: real programs, started, watched and gone with their whole tree when the test is over.
//! * [`node`]: Node.js as the other side, and the scripts in `fixtures/`.
//! * [`debugger`]: a client of Node's inspector.
//! * [`ports`]: ports in a row for programs that count theirs.
//! * [`http`]: a client that puts every attempt into exactly one class; also the command `portcrew-load`.
//! * [`faults`]: workers that die in the middle, and clients that know what became of them.
//! * [`fixture`]: what the well and badly behaved programs in `src/bin/` share.
//! * [`tls`]: a certificate for the time of a test, and a client that resumes its session.
//! * [`witness`]: what a program was really started with.
//! * [`ledger`]: the clients' books against the primary's.
//!
//! Everything here speaks to loopback or to a Unix socket only, signals only what it started, and is bounded in time
//! and number. The modules panic where a test would: a failed wait is a failed test, with the whole log.

#![forbid(unsafe_code)]
// A panic is how a test fails, and this crate is read by tests only.
#![allow(clippy::panic)]

pub mod debugger;
pub mod faults;
pub mod fixture;
pub mod http;
pub mod ledger;
pub mod node;
pub mod ports;
pub mod process;
pub mod sim;
pub mod tls;
pub mod witness;
