//! What a program has to ask the system that leads a crew with more rights than its workers have: who a user is, for
//! [`Settings::uid`](crate::Settings::uid) and its companions, and whether somebody else could lead one of its own paths
//! elsewhere.

pub use portcrew_ipc::account::{User, group};
pub use portcrew_ipc::custody::{Stranger, stranger_on_the_way};
