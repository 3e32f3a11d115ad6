//! Windows alone.

use crate::row::{Reason, Row};

pub(crate) const ROW: Row = Row::not_applicable(
    "test-cluster-fork-windowsHide",
    "a worker that is started with windowsHide comes online and exits with 0",
    Reason::Windows,
    "whether a console window is shown for a worker",
);
