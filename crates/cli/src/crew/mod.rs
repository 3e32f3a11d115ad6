//! A crew in the foreground, led until its end: what `run` and `demo` have in common.
//!
//! `lead` waits for events and signals and obeys, `hear` turns what happens into words and JSON, `outputs` carries
//! what the workers print, `reload`, `causes` and `dealing` find words, `explain` is `--explain`, `counts` is the
//! demo's line, `once` keeps them from being said again, `ending` finds the exit status, `desk` what is known for those
//! who ask on the control socket.

mod causes;
mod counts;
mod dealing;
mod desk;
mod ending;
mod explain;
mod hear;
mod lead;
mod once;
mod outputs;
mod reload;
mod tail;
mod wish;

pub(crate) use desk::{About, Announce, READY, SILENT};
pub(crate) use lead::run;
pub(crate) use reload::verdict as why_rolled_back;
pub(crate) use wish::{Control, Kind, Wish};
