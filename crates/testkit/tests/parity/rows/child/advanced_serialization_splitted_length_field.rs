//! Node's advanced serialization.

use crate::row::Row;

pub(crate) const ROW: Row = Row::missing(
    "test-child-process-advanced-serialization-splitted-length-field",
    "a length field that is split over two reads is put together",
    super::NO_CODEC,
);
