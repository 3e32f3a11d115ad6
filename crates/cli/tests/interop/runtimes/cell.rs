//! One row for one runtime: done, a gap, or a failure.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::row::{Row, Seen};
use super::runtime::Runtime;

/// What came of it; `Err` has the text of the failed assertion.
pub(crate) fn run(row: &Row, runtime: &Runtime) -> Result<Seen, String> {
    catch_unwind(AssertUnwindSafe(|| (row.check)(runtime))).map_err(|panic| text(&*panic))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().cloned();
    owned.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
}
