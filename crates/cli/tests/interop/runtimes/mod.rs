//! Other runtimes as workers, each by the same script, and Node's release lines as primaries of ours.
//!
//! What a runtime cannot do is known beforehand (`known`): a run fails when one does worse than its page says, and
//! when it does better. The page is `docs/runtimes.md`.

mod bench;
mod cell;
mod gap;
mod handles;
mod key_rule;
mod known;
mod leaving;
mod limits;
mod listening;
mod matrix;
mod page;
mod primary;
mod programs;
mod row;
mod runtime;
mod talking;
