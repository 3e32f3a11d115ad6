//! The words about whom workers run as, what they may have, and paths that somebody else could lead elsewhere.

use std::fmt::Display;
use std::path::Path;

/// Heading of the help.
pub(crate) const RIGHTS: &str = "Rights of the workers";

pub(crate) const UID: &str = "Run the workers as this user, by name or number, with its groups and no capability; the \
    primary stays what it is";
pub(crate) const GID: &str = "Their group, by name or number, with --uid [default: the user's own]";
pub(crate) const ALLOW: &str = "With --uid: what they may listen on that only the primary could: a low PORT, a \
    Unix path with a slash, or fd:N; joined by commas or repeated [default: nothing]";
pub(crate) const NO_NEW_PRIVS: &str =
    "Whether set-user-id programs (sudo) gain them nothing [default: yes with --uid]";

pub(crate) const GROUP_ALONE: &str =
    "--gid goes with --uid: a group alone takes no rights away. Name the user too";
pub(crate) const ROOT: &str =
    "workers that run as root have all of root's rights; leave --uid out, or name another user";
pub(crate) const ALL_ALLOWED: &str = "--allow goes with --uid: workers that run as the primary does are refused \
    nothing. Leave it out, or name another user with --uid";

pub(crate) fn yes_or_no() -> String {
    "say yes or no; without a value it is yes".to_owned()
}

pub(crate) fn no_such_user(name: &str) -> String {
    format!(
        "there is no user `{}`. Correct the name (`getent passwd` lists them), or give a number with --uid and --gid",
        name.escape_debug()
    )
}

pub(crate) fn no_such_group(name: &str) -> String {
    format!(
        "there is no group `{}`. Correct the name (`getent group` lists them), or give its number",
        name.escape_debug()
    )
}

pub(crate) fn no_group_known(uid: u32) -> String {
    format!("the user {uid} has no entry that says its group. Name one with --gid")
}

pub(crate) fn cannot_look_up(name: &str, reason: &dyn Display) -> String {
    format!("`{}` cannot be looked up: {reason}", name.escape_debug())
}

pub(crate) fn not_root(user: &str) -> String {
    format!(
        "only root can run workers as another user (`{}`). Start it with sudo, or leave --uid out and have systemd \
         start it as that user (User=)",
        user.escape_debug()
    )
}

pub(crate) fn not_own_group(group: &str) -> String {
    format!(
        "only root can run workers with another group (`{}`) than its own. Start it with sudo, by `sg`, or leave --gid \
         out",
        group.escape_debug()
    )
}

/// A path of root's that goes through a place of somebody else's.
pub(crate) fn strange_place(path: &Path, at: &Path, owner: u32, mode: u32) -> String {
    let (path, at) = (path.display(), at.display());
    format!(
        "{path} is not used: {at} belongs to user {owner} with mode {mode:04o}, so somebody else could lead root \
         elsewhere there. Choose places of root's own by XDG_RUNTIME_DIR and XDG_STATE_HOME, or unset them and HOME"
    )
}

/// A way that cannot be looked at.
pub(crate) fn strange_way(path: &Path, reason: &dyn Display) -> String {
    format!("{} is not used: the way there cannot be looked at: {reason}", path.display())
}
