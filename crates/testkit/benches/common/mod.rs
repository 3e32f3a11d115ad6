//! What the benchmarks share: the servers, how they are started and spoken to, and how figures are made.
//!
//! * `fixture`: the servers that a benchmark's own program can be, written with hyper or by hand (`minimal`), or as a
//!   `prefork` server without a primary; `work` is what a request costs them.
//! * `crews`: the crews that are held against each other; `server`: what is up, where, and what it has used.
//! * `exchange`: one connection of a client.
//! * `rounds`: a slice of each server in turn, and ratios inside a round; `stats`: medians.
//! * `machine`, `interrupt`: what the figures were taken on, and Ctrl-C.
//!
//! Beside them lies what is shared by those that lead crews by the command, each of which takes it by its path: `place`
//! and `crew` (directories, commands, what they say), `pm2`, `build` (programs of other crates), `traffic` (what became
//! of requests), `target` and `columns` (what is aimed at, and tables).

pub(crate) mod crews;
pub(crate) mod exchange;
pub(crate) mod fixture;
pub(crate) mod interrupt;
pub(crate) mod machine;
mod minimal;
mod prefork;
pub(crate) mod rounds;
pub(crate) mod server;
pub(crate) mod stats;
mod work;

/// Whatever ends a benchmark early.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
