//! The class behind Node's worker objects.

use crate::row::{Reason, Row};

pub(crate) const ROW: Row = Row::not_applicable(
    "test-cluster-worker-constructor",
    "a Worker that is constructed by hand has state none and id 0; the class may be called without new",
    Reason::JavaScriptObjects,
    "a worker object that stands for no worker; here only a fork gives a handle",
);
