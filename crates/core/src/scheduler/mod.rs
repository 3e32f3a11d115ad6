//! Which worker gets the next connection: one trait, one file per policy.
//!
//! A scheduler is pure: it sees the connection and the workers and answers. It is called with a
//! connection at hand and at least one free worker, in the simulator as in the real primary. Whatever it
//! does it cannot break anything: a panic and a worker that is not there are contained, and round-robin
//! decides in its place.
//!
//! A policy is a closure. By weight, so that the worker in slot 0 gets three times as many:
//!
//! ```
//! use portcrew_core::scheduler::{Incoming, Pick, Scheduler, Seat, WorkerView, round_robin_among};
//! use portcrew_core::supervise::SlotId;
//! # use portcrew_core::{ListenerId, WorkerId};
//!
//! let weight = |view: &WorkerView| if view.seat == Seat::Slot(SlotId(0)) { 3 } else { 1 };
//! let mut weighted = |_: &Incoming, workers: &[WorkerView]| {
//!     let free = workers.iter().filter(|view| view.is_free());
//!     free.min_by_key(|view| (view.given / weight(view), view.worker))
//!         .map_or(Pick::Wait, |view| Pick::Worker(view.worker))
//! };
//! # let mut workers: Vec<_> = (0..2).map(|slot| {
//! #     let mut view = WorkerView::new(WorkerId(slot + 1), 1);
//! #     view.seat = Seat::Slot(SlotId(slot as usize));
//! #     view
//! # }).collect();
//! # for _ in 0..400 {
//! #     let Pick::Worker(worker) = weighted.pick(&Incoming::new(ListenerId(0)), &workers) else { panic!() };
//! #     workers[worker.0 as usize - 1].given += 1;
//! # }
//! # assert_eq!([workers[0].given, workers[1].given], [300, 100]);
//! ```
//!
//! The power of two choices: of two workers drawn at random the one with less to do.
//!
//! ```
//! # use portcrew_core::scheduler::{Incoming, Pick, Scheduler, WorkerView};
//! # use portcrew_core::{ListenerId, WorkerId};
//! let mut state = 1u64; // xorshift: a scheduler may remember what it likes.
//! let mut draw = move |below: usize| {
//!     state ^= state << 13;
//!     state ^= state >> 7;
//!     state ^= state << 17;
//!     (state % below as u64) as usize
//! };
//! let mut two_choices = move |_: &Incoming, workers: &[WorkerView]| {
//!     let free: Vec<_> = workers.iter().filter(|view| view.is_free()).collect();
//!     let Some(last) = free.len().checked_sub(1) else { return Pick::Wait };
//!     let (one, other) = (free[draw(last + 1)], free[draw(last + 1)]);
//!     let load = |view: &WorkerView| view.live.unwrap_or(0) + view.in_flight;
//!     Pick::Worker(if load(other) < load(one) { other.worker } else { one.worker })
//! };
//! # let mut workers: Vec<_> = (1..=8).map(|id| WorkerView::new(WorkerId(id), 16)).collect();
//! # for _ in 0..800 {
//! #     let Pick::Worker(worker) = two_choices.pick(&Incoming::new(ListenerId(0)), &workers) else { panic!() };
//! #     let view = &mut workers[worker.0 as usize - 1];
//! #     view.live = Some(view.live.unwrap_or(0) + 1);
//! # }
//! # let live = |view: &WorkerView| view.live.unwrap_or(0);
//! # let (most, least) = (workers.iter().map(live).max(), workers.iter().map(live).min());
//! # assert!(most.unwrap() - least.unwrap() <= 6, "{most:?} {least:?}");
//! ```
//!
//! A canary: one connection in twenty for the newest generation, the others for the rest.
//!
//! ```
//! use portcrew_core::scheduler::{Incoming, Pick, Scheduler, WorkerView, round_robin_among};
//! # use portcrew_core::supervise::Generation;
//! # use portcrew_core::{ListenerId, WorkerId};
//!
//! let mut turn = 0u32;
//! let mut canary = move |_: &Incoming, workers: &[WorkerView]| {
//!     turn = (turn + 1) % 20;
//!     let newest = workers.iter().map(|view| view.generation).max();
//!     let wanted = |view: &&WorkerView| (Some(view.generation) == newest) == (turn == 0);
//!     match round_robin_among(workers.iter().filter(wanted)) {
//!         Pick::Wait => round_robin_among(workers), // Where there is only one generation.
//!         pick => pick,
//!     }
//! };
//! # let mut workers: Vec<_> = (1..=4).map(|id| WorkerView::new(WorkerId(id), 16)).collect();
//! # workers[3].generation = Generation(1);
//! # let mut new = 0;
//! # for _ in 0..2_000 {
//! #     let Pick::Worker(worker) = canary.pick(&Incoming::new(ListenerId(0)), &workers) else { panic!() };
//! #     new += u32::from(worker == WorkerId(4));
//! # }
//! # assert_eq!(new, 100);
//! ```

mod contract;
mod guard;
mod look;
mod policy;
mod view;

pub use contract::{Incoming, Needs, Pick, Scheduler};
pub use guard::Failure;
pub(crate) use guard::{Choice, Guarded};
pub use look::{Look, LookFor};
pub use policy::{LeastConnections, RoundRobin, Sticky, StickyBy, round_robin_among};
pub use view::{CpuShare, Seat, WorkerView};
