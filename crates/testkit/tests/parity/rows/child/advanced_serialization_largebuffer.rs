//! Node's advanced serialization.

use crate::row::Row;

pub(crate) const ROW: Row = Row::missing(
    "test-child-process-advanced-serialization-largebuffer",
    "a buffer of more than 8 MiB arrives whole",
    super::NO_CODEC,
);
