//! Between what core means and what the wire says. Pure: no socket, no state.

mod from_worker;
mod look;
mod query;
mod to_worker;

pub(crate) use from_worker::{
    Question, decode_from_worker, encode_from_worker, knows_beats, question,
};
pub(crate) use look::look;
pub(crate) use portcrew_ipc::lane::BEAT_VERSION;
pub(crate) use to_worker::{decode_to_worker, encode_newconn, encode_refusal, encode_to_worker};

/// The version of the lane that this library speaks.
pub(crate) const LANE_VERSION: u32 = 1;
