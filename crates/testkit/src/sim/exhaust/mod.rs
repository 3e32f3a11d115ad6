//! Small bounds, completely: every interleaving of what can happen to a primary with two workers and three connections.
//!
//! Seeds are drawn, so they may miss; here nothing is. One of the workers has a lane and room for two connections, the
//! other Node's channel and room for one; the queue holds one, the second refusal and the first offence are one too many.
//! What can happen is a [`Letter`], and all words of these letters up to a length are said to core's own machine. After
//! each letter it must have done what a [`Model`] of some hundred lines expects, which knows nothing of the simulator's
//! account: a second opinion. Words that lead to the same state are followed up once.
//!
//! | letters | states | transitions |
//! |---|---|---|
//! | 5, the test run | 5,585 | 14,587 |
//! | 8 | 144,509 | 557,791 |
//! | 9 | 354,379 | 1,542,605 |
//! | 10 | 785,191 | 3,848,372 |
//!
//! A transition takes some 150 µs of CPU time unoptimised and 40 µs optimised, on as many threads as there are
//! processors. Each letter more has 2 to 2.5 times as many.

mod canon;
mod letter;
mod model;
mod rules;
mod search;
mod world;

pub use letter::{Letter, Saying};
pub use model::Model;
pub use search::{Explored, Found, explore};

/// Workers.
pub const WORKERS: usize = 2;

/// Connections.
pub const CONNECTIONS: usize = 3;
