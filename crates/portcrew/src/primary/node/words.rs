//! Node's command line up to the script, and `NODE_OPTIONS`, as words.

use std::ffi::OsString;

/// Options whose value may be the next word, in Node 18 to 26. Of one that is missing here, the value would be taken
/// for the script.
const WITH_VALUE: &[&str] = &[
    "-C",
    "-e",
    "-p",
    "-pe",
    "-r",
    "--allow-fs-read",
    "--allow-fs-write",
    "--build-sea",
    "--build-snapshot-config",
    "--conditions",
    "--cpu-prof-dir",
    "--cpu-prof-interval",
    "--cpu-prof-name",
    "--debug-port",
    "--diagnostic-dir",
    "--disable-proto",
    "--disable-warning",
    "--dns-result-order",
    "--env-file",
    "--env-file-if-exists",
    "--es-module-specifier-resolution",
    "--eval",
    "--experimental-config-file",
    "--experimental-default-type",
    "--experimental-loader",
    "--experimental-package-map",
    "--experimental-policy",
    "--experimental-sea-config",
    "--experimental-specifier-resolution",
    "--experimental-test-isolation",
    "--heap-prof-dir",
    "--heap-prof-interval",
    "--heap-prof-name",
    "--heapsnapshot-near-heap-limit",
    "--heapsnapshot-signal",
    "--icu-data-dir",
    "--import",
    "--input-type",
    "--inspect-port",
    "--inspect-publish-uid",
    "--loader",
    "--localstorage-file",
    "--max-http-header-size",
    "--max-old-space-size-percentage",
    "--network-family-autoselection-attempt-timeout",
    "--openssl-config",
    "--policy-integrity",
    "--print",
    "--redirect-warnings",
    "--report-dir",
    "--report-directory",
    "--report-filename",
    "--report-signal",
    "--require",
    "--secure-heap",
    "--secure-heap-min",
    "--security-revert",
    "--security-reverts",
    "--snapshot-blob",
    "--stack-trace-limit",
    "--title",
    "--tls-cipher-list",
    "--tls-keylog",
    "--trace-event-categories",
    "--trace-event-file-pattern",
    "--trace-require-module",
    "--unhandled-rejections",
    "--use-largepages",
    "--v8-pool-size",
    "--watch-kill-signal",
    "--watch-path",
];

/// One option in front of the script.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NodeOption {
    /// With dashes, as in `--inspect-port`.
    pub(super) name: String,
    pub(super) value: Option<String>,
    /// The index behind its last word.
    pub(super) end: usize,
}

/// The options in front of the script. Where one is no text, those before it.
pub(super) fn options(words: &[OsString]) -> Vec<NodeOption> {
    let mut options = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        // The script, standard input as the script, or the end of Node's own options.
        if !word.starts_with('-') || matches!(word, "-" | "--") {
            break;
        }
        at += 1;
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        // Node reads an underscore in a name as a dash.
        let name = name.replace('_', "-");
        if value.is_none() && WITH_VALUE.contains(&name.as_str()) {
            value = words.get(at).and_then(|word| word.to_str());
            at += 1;
        }
        options.push(NodeOption { name, value: value.map(str::to_owned), end: at });
    }
    options
}

/// The words of `NODE_OPTIONS`: apart by spaces, but not between double quotes, where a backslash keeps what follows
/// it. `None` when a quote is left open: Node refuses to start with it.
pub(super) fn split(text: &str) -> Option<Vec<OsString>> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => word.push(characters.next()?),
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            '"' => quoted = !quoted,
            other => word.push(other),
        }
    }
    words.push(word);
    let words = words.into_iter().filter(|word| !word.is_empty()).map(OsString::from);
    (!quoted).then(|| words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    fn names(words: &[&str]) -> Vec<String> {
        options(&os(words)).into_iter().map(|option| option.name).collect()
    }

    #[test]
    fn options_end_at_the_script_and_a_value_is_no_script() {
        assert_eq!(
            names(&["--inspect", "-r", "./a", "x.js", "--inspect-brk"]),
            ["--inspect", "-r"]
        );
        assert_eq!(names(&["-e", "code", "--inspect"]), ["-e", "--inspect"]);
        assert_eq!(names(&["--import=./a", "x.js", "--inspect"]), ["--import"]);
        assert_eq!(names(&["--no-warnings", "--", "--inspect"]), ["--no-warnings"]);
        assert_eq!(names(&["-", "--inspect"]), [""; 0]);
        assert_eq!(names(&[]), [""; 0]);
    }

    #[test]
    fn a_value_stands_behind_the_sign_or_is_the_next_word() {
        let found = options(&os(&["--inspect_port", "9300", "--inspect=[::1]:0", "--prof"]));
        let option = |name: &str, value: Option<&str>, end| NodeOption {
            name: name.into(),
            value: value.map(Into::into),
            end,
        };
        assert_eq!(
            found,
            [
                option("--inspect-port", Some("9300"), 2),
                option("--inspect", Some("[::1]:0"), 3),
                option("--prof", None, 4),
            ]
        );
        assert_eq!(options(&os(&["--inspect-port"]))[0].value, None);
    }

    #[test]
    fn node_options_are_split_as_node_splits_them() {
        let split = |text| split(text).map(|words| words.join("|".as_ref()));
        assert_eq!(split("  --a   --b=c "), Some("--a|--b=c".into()));
        assert_eq!(
            split(r#"--require "/x y/\"z\\.js" --inspect"#),
            Some(r#"--require|/x y/"z\.js|--inspect"#.into())
        );
        assert_eq!(split(r"--require C:\x"), Some(r"--require|C:\x".into()));
        assert_eq!(split(r#"--require "open"#), None);
        assert_eq!(split(r#""\"#), None);
    }
}
