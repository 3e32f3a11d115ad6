//! The words for programs that cannot be run: the thing, the reason, the next step.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;

pub(crate) fn not_in_path(name: &OsStr, is_here: bool) -> String {
    let name = name.to_string_lossy();
    if is_here {
        format!(
            "`{name}` is in none of the directories of $PATH. There is one in this directory: write ./{name}"
        )
    } else {
        format!(
            "`{name}` is in none of the directories of $PATH, and there is no such file here. \
             Install it, or give its path"
        )
    }
}

pub(crate) fn no_such_file(path: &Path) -> String {
    format!("{}: there is no such file. Check the path", path.display())
}

pub(crate) fn cannot_look(path: &Path, reason: &dyn Display) -> String {
    format!("{}: {reason}", path.display())
}

pub(crate) fn is_directory(path: &Path) -> String {
    format!("{} is a directory. Name the file in it that starts the server", path.display())
}

pub(crate) fn not_a_file(path: &Path) -> String {
    format!(
        "{} is neither a program nor a script but a device, a pipe or a socket. Name a file",
        path.display()
    )
}

pub(crate) fn not_executable(path: &Path) -> String {
    let path = path.display();
    format!(
        "{path}: no permission to execute it. `chmod +x {path}`, or name its interpreter with --interpreter"
    )
}

pub(crate) fn not_a_program(path: &Path) -> String {
    format!(
        "{} is marked executable but is no binary and has no #! line. Add one, or name its interpreter with \
         --interpreter",
        path.display()
    )
}

pub(crate) fn hash_bang_missing(script: &Path, interpreter: &str) -> String {
    format!(
        "{}: its first line asks for `{}`, which does not exist or is no program. Correct the line (also a carriage \
         return at its end), install the interpreter, or name another with --interpreter",
        script.display(),
        interpreter.escape_debug()
    )
}

pub(crate) fn interpreter_missing(script: &Path, wanted: &[&str]) -> String {
    format!(
        "{} needs `{}`, which is in none of the directories of $PATH. Install it, or name another interpreter with \
         --interpreter",
        script.display(),
        wanted.join("` or `")
    )
}

pub(crate) fn no_types(script: &Path, node: &Path, version: &str) -> String {
    format!(
        "{}: {} is {version}, which cannot run TypeScript. Install Node.js 22.18 or later; or compile to JavaScript; \
         or load a compiler yourself, as in `portcrew run -- node --import tsx {}`",
        script.display(),
        node.display(),
        script.display()
    )
}

pub(crate) fn node_is_silent(script: &Path, node: &Path) -> String {
    format!(
        "{}: `{} --version` gave no version, so whether it can run TypeScript is unknown. Correct that `node`, or name \
         another with --interpreter",
        script.display(),
        node.display()
    )
}

pub(crate) fn no_such_script(package: &Path, script: &str, others: &[String]) -> String {
    let file = package.display();
    if others.is_empty() {
        format!("{file} has no scripts, so there is no `{script}` to run")
    } else {
        format!("{file} has no script `{script}`. It has: {}", others.join(", "))
    }
}

pub(crate) fn package_unreadable(package: &Path, reason: &dyn Display) -> String {
    format!("{}: {reason}. Without it, the script's command is unknown", package.display())
}

pub(crate) fn no_package(wrapper: &str) -> String {
    format!(
        "`{wrapper}` runs scripts of a package.json, and there is none in this directory or above it. \
         Change the directory, or name the server itself"
    )
}

pub(crate) fn policy_unknown(value: &OsStr) -> String {
    format!(
        "NODE_CLUSTER_SCHED_POLICY is `{}`; it may be `rr` (round-robin) or `none` (shared)",
        value.to_string_lossy()
    )
}

pub(crate) fn listener_twice(one: &str, other: &str) -> String {
    format!("one listener is named twice: `{one}` and `{other}`. A listener has one policy")
}

pub(crate) fn no_address(item: &str) -> String {
    format!(
        "the policy {item}: clients of a Unix-domain socket have no address to know them by. Say by what else: \
         sticky=cookie:NAME, sticky=header:NAME, sticky=query:NAME or sticky=proxy; or choose round-robin, \
         least-connections or shared"
    )
}

pub(crate) fn cannot_share(item: &str) -> String {
    format!(
        "the policy {item}: Deno takes a shared socket and then listens on a port of its own, so clients would wait in \
         vain. Choose round-robin, least-connections or sticky"
    )
}

pub(crate) fn no_current_directory(reason: &dyn Display) -> String {
    format!("the current directory cannot be read: {reason}. Change to a directory that exists")
}
