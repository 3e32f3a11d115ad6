//! What the benchmarks share: the servers, how they are started and spoken to, and how figures are made.
//!
//! * `fixture`: the servers that a benchmark's own program can be, written with hyper or by hand (`minimal`), as a
//!   `prefork` server without a primary, on a bare epoll (`floor`) or with `threads`; `work` is what a request costs.
//! * `crews`: the crews that are held against each other; `server`: what is up, where, and what it has used.
//! * `hold`: a client that has connections and is silent.
//! * `exchange`: one connection of a client; `closed` and `open`: the loops of which it is a part.
//! * `rounds`: a slice of each server in turn, and ratios inside a round; `stats`: medians.
//! * `machine`, `interrupt`: what the figures were taken on, and Ctrl-C.
//!
//! Beside them lies what is shared by those that lead crews by the command, each of which takes it by its path: `place`
//! and `crew` (directories, commands, what they say), `nginx`, `pm2`, `peers` (both as servers), `build` (programs of other crates), `traffic` (what became
//! of requests), `target`, `columns` and `print` (what is aimed at, tables, and how they are said).

#[allow(dead_code, reason = "another benchmark uses it")]
pub(crate) mod closed;
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
pub(crate) mod crews;
pub(crate) mod exchange;
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
pub(crate) mod fixture;
mod floor;
mod hold;
pub(crate) mod interrupt;
pub(crate) mod machine;
mod minimal;
#[allow(dead_code, reason = "another benchmark uses it")]
pub(crate) mod open;
mod prefork;
pub(crate) mod rounds;
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
pub(crate) mod server;
pub(crate) mod stats;
mod threads;
pub(crate) mod work;

/// Whatever ends a benchmark early.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
