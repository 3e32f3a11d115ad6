//! Objects that serialize themselves.

use crate::row::{Reason, Row};

pub(crate) const ROW: Row = Row::not_applicable(
    "test-child-process-fork-advanced-header-serialization",
    "an object whose constructor writes serialization headers of its own can be sent",
    Reason::JavaScriptObjects,
    "custom serialization headers of JavaScript objects",
);
