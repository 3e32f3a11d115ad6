//! A load client that says what became of every single attempt.
//!
//! General load tools report throughput and hide hangs. This one puts each attempt into exactly one [`Outcome`], counts
//! which worker answered, and lets nothing wait longer than the time it was given. It is one thread with non-blocking
//! sockets and a small parser of answers, because it usually shares the cores with the server that it measures.
//!
//! [`Load`] says what to do, [`Report`] what came out, [`Background`] is a load that runs while something else happens.
//! [`Gaps`] are the times between arrivals of an open loop, for loads that are not made here.

mod arrivals;
mod background;
mod body;
mod client;
mod error;
mod latency;
mod load;
mod outcome;
mod plan;
mod report;
mod response;
mod run;
mod share;
mod stream;
mod target;

pub use arrivals::Gaps;
pub use background::{Background, Stop};
pub use error::LoadError;
pub use latency::Latency;
pub use load::Load;
pub use outcome::{Outcome, UnknownOutcome};
pub use plan::{MAX_CLIENTS, MAX_REQUESTS, MAX_TIME_LIMIT};
pub use report::{FailureSample, MAX_SAMPLES, Report};
pub use response::{MAX_BODY, MAX_HEAD};
pub use target::{Target, UnknownTarget};
