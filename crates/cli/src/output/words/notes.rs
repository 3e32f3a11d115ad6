//! The words for what a plan found worth saying before the crew starts. They are said once, not once per worker.

use std::path::Path;

pub(crate) fn own_primary_branch(entry: &Path) -> String {
    format!(
        "{} seems to have its own cluster primary (isPrimary or isMaster). Under portcrew the primary is portcrew: \
         each worker takes the other branch",
        entry.display()
    )
}

pub(crate) fn seen_through(wrapper: &str, command: &str) -> String {
    format!("`{wrapper}` only runs `{command}`, so the workers are that command itself")
}

pub(crate) fn node_wrapper(wrapper: &str, reason: &str) -> String {
    format!(
        "`{wrapper}` stays between ({reason}). It is a Node.js program itself and takes the worker's channel, so the \
         server below it listens on its own: a second worker will find its port taken. Name the server's own command"
    )
}

pub(crate) fn shell_wrapper(shell: &str, reason: &str) -> String {
    format!(
        "`{shell}` stays between ({reason}). The server below it inherits the worker's channel or sockets and can serve, \
         but the pid and the exit status are the shell's, and a stop signal may end at the shell. \
         Begin the last command with `exec`"
    )
}

pub(crate) fn options_behind(command: &str, options: &[String], program: &str) -> String {
    let named: Vec<_> = options.iter().map(|it| format!("`{it}`")).collect();
    let (named, written) = (named.join(", "), options.join(" ... "));
    let (stand, it, is) = match options {
        [_] => ("stands", "it", "it is"),
        _ => ("stand", "them", "they are"),
    };
    format!(
        "{named} {stand} behind `{program}`, which gets {it}. If {is} meant for portcrew, write {it} before: \
         portcrew {command} {written} ... {program}. If not, say so: portcrew {command} -- {program} {written} ..."
    )
}

pub(crate) fn hash_bang_missing(script: &Path, interpreter: &str, instead: &Path) -> String {
    format!(
        "{}: its first line asks for `{}`, which does not exist or is no program. By its extension it is run by {}",
        script.display(),
        interpreter.escape_debug(),
        instead.display()
    )
}

pub(crate) fn strip_types_flag(version: &str) -> String {
    format!("Node.js {version} strips types only when told: --experimental-strip-types was added")
}

pub(crate) fn out_of_reach(path: &Path, at: &Path, user: u32) -> String {
    let (path, at) = (path.display(), at.display());
    format!(
        "user {user} cannot read {path}: by its mode {at} does not let it on. Workers will not find their program; move \
         it, or open {at} to that user"
    )
}

pub(crate) fn cannot_share() -> String {
    "NODE_CLUSTER_SCHED_POLICY asks for a shared socket. Deno takes it and then listens on a port of its own, so \
     clients would wait in vain: the policy is round-robin"
        .to_owned()
}

pub(crate) fn why_no_local_program(name: &str) -> String {
    format!("`{name}` is not installed in node_modules/.bin")
}

pub(crate) fn why_hook(hook: &str) -> String {
    format!("package.json also has `{hook}`")
}

pub(crate) fn why_option(option: &str) -> String {
    format!("only it knows what `{option}` means")
}

pub(crate) fn why_syntax(what: &str) -> String {
    format!("its command uses {what}, which a shell must read")
}

pub(crate) fn why_builtin(word: &str) -> String {
    format!("its command starts with `{word}`, which only a shell has")
}

pub(crate) fn why_script() -> String {
    "it is a shell script".to_owned()
}

pub(crate) fn why_too_deep() -> String {
    "scripts call scripts too many times".to_owned()
}

pub(crate) fn why_no_command() -> String {
    "it was given no command of one line".to_owned()
}

pub(crate) fn why_not_text() -> String {
    "its command is not UTF-8".to_owned()
}

pub(crate) fn no_heartbeat() -> String {
    "--heartbeat asks native programs with the Rust library, and this one is run by an interpreter: nobody here is \
     asked. Look at such workers by --answer-within, or by a probe of --ready with --alive-every"
        .to_owned()
}
