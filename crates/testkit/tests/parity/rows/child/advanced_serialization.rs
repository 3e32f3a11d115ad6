//! Node's advanced serialization.

use crate::row::Row;

pub(crate) const ROW: Row = Row::missing(
    "test-child-process-advanced-serialization",
    "types that JSON does not have arrive as they are; a serialization that does not exist is refused",
    super::NO_CODEC,
);
