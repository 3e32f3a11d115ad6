//! The argument checks of Node's `send`.

use crate::row::{Reason, Row};

pub(crate) const ROW: Row = Row::not_applicable(
    "test-child-process-send-type-error",
    "send refuses arguments of the wrong kind",
    Reason::JavaScriptObjects,
    "argument checks of a language without types",
);
