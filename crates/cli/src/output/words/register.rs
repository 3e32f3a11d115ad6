//! The words about the module that Node programs preload.

use std::fmt::Display;
use std::path::Path;

pub(crate) fn no_place() -> String {
    "--register needs a directory for the module that workers load, and there is no $HOME. \
     Set XDG_STATE_HOME to a directory of this user's own"
        .to_owned()
}

pub(crate) fn only_for_node(runtime: &str) -> String {
    format!("--register is for Node.js; {runtime} is run without it")
}

pub(crate) fn cannot_put(directory: &Path, reason: &dyn Display) -> String {
    format!(
        "--register cannot put the module that workers load into {}: {reason}. \
         Set XDG_STATE_HOME to another directory of this user's own",
        directory.display()
    )
}

pub(crate) fn not_ours(path: &Path) -> String {
    format!("{} belongs to somebody else, or others may write to it", path.display())
}
