//! The crew: so many workers wanted, kept so, replaced without a gap, and ended within a bound.
//!
//! A crew is slots × generations. A *slot* is a place that is to have a worker; a *generation* is the
//! program and settings that the shell started it with. Feed [`Crew::handle`] with what happened, perform
//! the [`Action`]s it appends, in order, and call [`Crew::handle_timeout`] when [`Crew::next_timeout`] has
//! come. Every [`Action::Fork`] is answered by [`Event::Spawned`] or [`Event::SpawnFailed`].
//!
//! Whether a worker is ready the shell tells, but for [`Readiness::Age`]; whether it is worn or hangs is decided here,
//! from what the shell measures.
//!
//! Workers that the crew did not ask for may be mentioned: they are not its business.

mod action;
mod alive;
mod crew;
mod degraded;
mod event;
mod hang;
mod ids;
mod leaving;
mod life;
mod recycle;
mod reload;
mod restart;
mod rollback;
mod scale;
mod settings;
mod slot;
mod start;
mod stop;
#[cfg(test)]
mod tests;
mod trial;
mod view;

pub use action::{Action, Force, Found, Notice, Outcome, Reason, Worn};
pub use crew::Crew;
pub use event::Event;
pub use ids::{Generation, SlotId, Ticket};
pub use settings::{Drain, ExitWhenDegraded, Readiness, Settings};
pub use view::{Phase, SlotState, SlotView, Stage, WorkerView};
