//! The other serialization of Node's channel, which is not spoken here yet.

use crate::row::Row;

pub(crate) const ROW: Row = Row::missing(
    "test-cluster-advanced-serialization",
    "with `serialization: 'advanced'` a circular object comes back as it was",
    "the codec; a worker that is asked for it ends with an error that names the setting and its side",
);
