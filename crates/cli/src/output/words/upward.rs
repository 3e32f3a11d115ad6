//! The words for service managers: lines of `systemctl status`, and what goes wrong towards one.

use std::fmt::Display;

use super::of;

pub(crate) fn ready(ready: usize, wanted: usize, undone: Option<&str>) -> String {
    let workers = of(wanted as u64, "worker");
    match undone {
        None => format!("{ready} of {workers} ready"),
        Some(why) => {
            format!("{ready} of {workers} ready; the last reload was rolled back: {why}")
        }
    }
}

pub(crate) fn reloading(replaced: usize, of: usize) -> String {
    format!("reload: {replaced} of {of} replaced")
}

pub(crate) fn stopping() -> String {
    "stopping".to_owned()
}

pub(crate) fn unheard(reason: &dyn Display) -> String {
    format!(
        "the service manager that NOTIFY_SOCKET names is not told of anything any more: {reason}"
    )
}

pub(crate) fn no_init(reason: &dyn Display) -> String {
    format!("orphans are not waited for: {reason}")
}
