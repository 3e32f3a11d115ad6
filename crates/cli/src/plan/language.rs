//! Languages whose scripts and interpreters are known by name.

use std::ffi::OsStr;
use std::path::Path;

/// The language of a script, or of the interpreter that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    JavaScript,
    TypeScript,
    Python,
    Ruby,
    Shell,
    Perl,
    Php,
    /// A runtime that has no extension of its own here: bun, deno, java and others.
    Other,
}

impl Language {
    /// The language that a file's extension names.
    pub(super) fn of_script(path: &Path) -> Option<Self> {
        Some(match path.extension().and_then(OsStr::to_str)? {
            "js" | "mjs" | "cjs" => Self::JavaScript,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "py" => Self::Python,
            "rb" => Self::Ruby,
            "sh" | "bash" => Self::Shell,
            "pl" => Self::Perl,
            "php" => Self::Php,
            _ => return None,
        })
    }

    /// The language that an interpreter runs, by its file name; a version behind the name does not matter.
    pub(super) fn of_interpreter(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
        Some(match name {
            "node" | "nodejs" => Self::JavaScript,
            "python" | "pypy" => Self::Python,
            "ruby" => Self::Ruby,
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" | "fish" => Self::Shell,
            "perl" => Self::Perl,
            "php" => Self::Php,
            "bun" | "deno" | "java" | "dotnet" | "mono" | "lua" | "luajit" | "julia" | "erl"
            | "elixir" | "guile" | "tclsh" | "Rscript" => Self::Other,
            _ => return None,
        })
    }

    /// The names under which its interpreter is looked for in `PATH`, the best first.
    pub(super) fn interpreters(self) -> &'static [&'static str] {
        match self {
            Self::JavaScript | Self::TypeScript => &["node", "nodejs"],
            Self::Python => &["python3", "python"],
            Self::Ruby => &["ruby"],
            Self::Shell => &["bash", "sh"],
            Self::Perl => &["perl"],
            Self::Php => &["php"],
            // No script's extension leads here; an interpreter of this kind is named by the user.
            Self::Other => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_known_by_extension() {
        for (name, language) in [
            ("a.mjs", Some(Language::JavaScript)),
            ("/x/a.b.ts", Some(Language::TypeScript)),
            ("a.PY", None),
            (".js", None),
            ("js", None),
        ] {
            assert_eq!(Language::of_script(Path::new(name)), language, "{name}");
        }
    }

    #[test]
    fn interpreters_are_known_with_and_without_a_version() {
        for (name, language) in [
            ("/usr/bin/python3.12", Some(Language::Python)),
            ("node", Some(Language::JavaScript)),
            ("node-22", Some(Language::JavaScript)),
            ("ruby3.3", Some(Language::Ruby)),
            ("nodemon", None),
            ("my-node-server", None),
            ("7", None),
        ] {
            assert_eq!(Language::of_interpreter(Path::new(name)), language, "{name}");
        }
    }
}
