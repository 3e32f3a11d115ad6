//! The argument forms of Node's `fork`.

use crate::row::{Reason, Row};

pub(crate) const ROW: Row = Row::not_applicable(
    "test-child-process-fork-args",
    "fork takes a path, arguments and options, each of the latter two may be left out, and anything else is refused",
    Reason::JavaScriptObjects,
    "argument forms and checks of a language without types",
);
