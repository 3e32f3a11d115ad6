//! A test that fails in Node, by what it is.

use crate::row::{Reason, Row};

pub(crate) const ROW: Row = Row::not_applicable(
    "test-inspector-cluster-port-clash",
    "(fails in Node itself, where it is a known issue) the ports that are counted for inspectors do not clash with others",
    Reason::Inspector,
    "whether a debugger's port is free; a worker that finds it taken says so on standard error and goes on",
);
