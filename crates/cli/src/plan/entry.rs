//! Reading a script's text for what matters to its workers. The text is searched, not understood, so the findings are
//! worded as guesses.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of a script is read, in bytes.
const MAX_TEXT: u64 = 256 * 1024;

/// Options of `node` whose value is the next word.
const WITH_VALUE: [&str; 9] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "--env-file",
    "-C",
    "--conditions",
    "--title",
];

/// The script among the arguments of `node`, when there is one.
pub(super) fn of_node_args(args: &[OsString], directory: &Path) -> Option<PathBuf> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str().filter(|text| text.starts_with('-')) else {
            let path = directory.join(arg);
            let with_extension = path.with_extension("js");
            return [path, with_extension].into_iter().find(|path| path.is_file());
        };
        if matches!(text, "-e" | "--eval" | "-p" | "--print" | "-") {
            return None;
        }
        if WITH_VALUE.contains(&text) {
            args.next();
        }
    }
    None
}

/// Whether a JavaScript file seems to have a branch for the primary of a cluster.
pub(super) fn has_primary_branch(entry: &Path) -> bool {
    let text = text(entry);
    let mentions = |word: &str| contains_word(&text, word);
    let imports_cluster = ["'cluster'", "\"cluster\"", "'node:cluster'", "\"node:cluster\""]
        .iter()
        .any(|import| text.contains(import));
    imports_cluster && (mentions("isPrimary") || mentions("isMaster"))
}

/// Whether a shell script seems to hand its process over to its last command.
pub(super) fn ends_with_exec(script: &Path) -> bool {
    is_handed_over(&text(script))
}

/// The same of the text itself. An `exec` behind other commands on the last line is not looked for.
pub(super) fn is_handed_over(text: &str) -> bool {
    let is_command = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let last = text.lines().map(str::trim).rfind(is_command);
    // What stands behind it keeps the shell, or is never reached.
    last.is_some_and(|line| line.starts_with("exec ") && !line.contains(['|', ';', '&']))
}

/// The beginning of a file; nothing when it cannot be read, since then nothing can be said about it.
fn text(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_TEXT).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_primary_branch_is_seen_in_all_ways_to_write_it() {
        for text in [
            "const cluster = require('cluster'); if (cluster.isPrimary) {}",
            "import cluster from \"node:cluster\";\nif (cluster.isMaster) {}",
            "const { isPrimary } = require('node:cluster')\nif (isPrimary) {}",
            "\u{fffd}\0 require('cluster').isPrimary",
        ] {
            assert!(has_primary_branch(file(text.as_bytes()).path()), "{text}");
        }
    }

    #[test]
    fn a_script_without_one_is_left_alone() {
        for text in [
            "require('http').createServer().listen(80)",
            "const cluster = require('cluster'); cluster.on('x')",
            "redis.isMaster('cluster-1')",
            "require('cluster'); thisIsPrimary = isPrimaryKey",
            "",
        ] {
            assert!(!has_primary_branch(file(text.as_bytes()).path()), "{text}");
        }
        assert!(!has_primary_branch(Path::new("/nonexistent.js")));
    }

    #[test]
    fn only_the_beginning_of_a_large_script_is_read() {
        let mut text = vec![b' '; 256 * 1024];
        text.extend_from_slice(b"require('cluster').isPrimary");
        assert!(!has_primary_branch(file(&text).path()));
    }

    #[test]
    fn the_script_is_found_among_the_arguments_of_node() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("server.js");
        fs::write(&script, "").unwrap();
        fs::write(directory.path().join("setup.js"), "").unwrap();
        let find = |args: &[&str]| {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            of_node_args(&args, directory.path())
        };
        for args in [
            &["server.js", "setup.js"][..],
            &["server"],
            &["--import", "./setup.js", "--inspect", "server.js"],
            &["-r", "./setup.js", "--env-file=x", script.to_str().unwrap()],
        ] {
            assert_eq!(find(args), Some(script.clone()), "{args:?}");
        }
        for args in [&["-e", "server.js"][..], &["--inspect"], &[], &["missing.js"], &["-"]] {
            assert_eq!(find(args), None, "{args:?}");
        }
    }

    #[test]
    fn an_exec_at_the_end_of_a_shell_script_is_seen() {
        assert!(ends_with_exec(
            file(b"#!/bin/sh\nset -e\nexec node x.js \"$@\"\n\n# end\n").path()
        ));
        assert!(!ends_with_exec(file(b"exec 2>&1\nnode x.js\n").path()));
        assert!(!ends_with_exec(file(b"exec node x.js | tee log\n").path()));
        assert!(!ends_with_exec(file(b"").path()));
    }
}
