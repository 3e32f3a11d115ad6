//! What the options of a Node program ask for, and what each worker is told on top.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::words::{self, NodeOption};

/// Where Node's inspector listens when nobody says anything else.
const DEFAULT_PORT: u16 = 9229;

/// Node's variable for more options.
const VARIABLE: &str = "NODE_OPTIONS";

/// What is to be different for each worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::primary) struct Wish {
    /// The port that the options name for the inspector, when they speak of it.
    pub(in crate::primary) inspector: Option<u16>,
    /// What else is added to the arguments of each worker, as Node does: its profile gets a file of its own.
    logfile: Option<&'static str>,
    /// Where more arguments are to stand: behind those that they correct, before the script. `None` where the
    /// program is not Node itself, but may start it: the variable tells it.
    at: Option<usize>,
}

/// Whether it is Node, by the name of its file; a version behind the name does not matter.
fn is_node(program: &Path) -> bool {
    let name = program.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let is_version = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    matches!(name.trim_end_matches(is_version), "node" | "nodejs")
}

impl Wish {
    /// What `args` of `program` and `NODE_OPTIONS` in `env` ask for.
    pub(in crate::primary) fn of(
        program: &Path,
        args: &[OsString],
        env: &[(OsString, OsString)],
    ) -> Self {
        let by_variable = variable(env).and_then(OsStr::to_str).and_then(words::split);
        let by_variable = words::options(&by_variable.unwrap_or_default());
        if !is_node(program) {
            return Self { inspector: port(by_variable.iter()), logfile: None, at: None };
        }
        let given = words::options(args);
        let last = given.iter().rev().find(|option| inspects(option));
        let has = |name: &str| given.iter().any(|option| option.name.starts_with(name));
        Self {
            // The command line has the last word, as in Node.
            inspector: port(by_variable.iter().chain(&given)),
            logfile: (has("--prof") && !has("--logfile")).then_some("--logfile=v8-%p.log"),
            at: Some(last.map_or(0, |option| option.end)),
        }
    }

    /// Writes it down for a worker whose inspector gets this port.
    pub(in crate::primary) fn tell(
        &self,
        inspect_port: Option<u16>,
        args: &mut Vec<OsString>,
        env: &mut [(OsString, OsString)],
    ) {
        let inspect_port =
            inspect_port.map(|port| OsString::from(format!("--inspect-port={port}")));
        match self.at {
            Some(at) => {
                let more = inspect_port.into_iter().chain(self.logfile.map(OsString::from));
                args.splice(at..at, more);
            }
            None => {
                let options = env.iter_mut().rev().find(|(name, _)| name == VARIABLE);
                if let (Some(port), Some((_, options))) = (inspect_port, options) {
                    options.push(" ");
                    options.push(port);
                }
            }
        }
    }
}

/// Of equal names the last counts.
fn variable(env: &[(OsString, OsString)]) -> Option<&OsStr> {
    env.iter().rev().find(|(name, _)| name == VARIABLE).map(|(_, value)| value.as_os_str())
}

fn inspects(option: &NodeOption) -> bool {
    let name = option.name.as_str();
    let starts =
        ["--inspect", "--inspect-brk", "--inspect-wait", "--inspect-brk-node", "--inspect-port"];
    starts.contains(&name) || name == "--debug-port"
}

/// The port that these options name in the end. `None` when they do not speak of the inspector, or name none that can
/// be: Node itself then says so.
fn port<'a>(options: impl Iterator<Item = &'a NodeOption>) -> Option<u16> {
    let mut inspecting = options.filter(|option| inspects(option)).peekable();
    inspecting.peek()?;
    inspecting.try_fold(DEFAULT_PORT, |port, option| match &option.value {
        None => Some(port),
        Some(value) => named_port(value, port),
    })
}

/// The port in `PORT`, `HOST`, `HOST:PORT`, `[HOST]:PORT`; where there is none, the one that was named before.
fn named_port(value: &str, before: u16) -> Option<u16> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.rsplit_once(':') {
        _ if is_number => value.parse().ok(),
        Some((_, port)) if !value.ends_with(']') => port.parse().ok(),
        Some(_) | None => Some(before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    fn env(options: &str) -> Vec<(OsString, OsString)> {
        vec![("A".into(), "1".into()), (VARIABLE.into(), options.into())]
    }

    fn wish(args: &[&str], options: &str) -> Wish {
        Wish::of(Path::new("/usr/bin/node"), &os(args), &env(options))
    }

    /// The arguments of a worker whose inspector gets port 9999 if it has one.
    fn told(args: &[&str], options: &str) -> Vec<OsString> {
        let wish = wish(args, options);
        let (mut args, mut env) = (os(args), env(options));
        wish.tell(wish.inspector.map(|_| 9999), &mut args, &mut env);
        assert_eq!(variable(&env), Some(options.as_ref()), "node itself is told by its arguments");
        args
    }

    #[test]
    fn node_is_known_by_its_files_name() {
        for name in ["node", "/usr/bin/nodejs", "/x/node20", "node-22.1"] {
            assert!(is_node(Path::new(name)), "{name}");
        }
        for name in ["nodemon", "mynode", "/node/server", "", "npm"] {
            assert!(!is_node(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn the_last_port_that_is_named_is_the_base() {
        for (args, options, port) in [
            (&["--inspect", "x"][..], "", Some(9229)),
            (&["--inspect=9300", "x"], "", Some(9300)),
            (&["--inspect=127.0.0.1:9300", "x"], "", Some(9300)),
            (&["--inspect-brk=[::1]:9300", "x"], "", Some(9300)),
            (&["--inspect=[::1]", "x"], "", Some(9229)),
            (&["--inspect=localhost", "x"], "", Some(9229)),
            (&["--inspect-wait=0", "x"], "", Some(0)),
            (&["--inspect-port", "9300", "--inspect", "x"], "", Some(9300)),
            (&["--inspect-port=9300", "--inspect=9400", "x"], "", Some(9400)),
            (&["--debug-port=9300", "x"], "", Some(9300)),
            (&["x"], "--inspect=9300", Some(9300)),
            (&["--inspect=h", "x"], "--inspect=9300", Some(9300)),
            (&["--inspect-port=9400", "x"], "--inspect=9300", Some(9400)),
            (&["x", "--inspect"], "", None),
            (&["--inspect-publish-uid=http", "x"], "--no-warnings", None),
            // Node refuses these itself, in its own words.
            (&["--inspect=70000", "x"], "", None),
            (&["--inspect=h:x", "x"], "", None),
            (&["x"], "--inspect \"", None),
        ] {
            assert_eq!(wish(args, options).inspector, port, "{args:?} {options}");
        }
    }

    #[test]
    fn a_workers_port_stands_behind_what_it_corrects_and_before_the_script() {
        assert_eq!(
            told(&["--inspect", "x.js", "y"], ""),
            ["--inspect", "--inspect-port=9999", "x.js", "y"]
        );
        assert_eq!(
            told(&["--inspect-port", "1", "--inspect=2", "-e", "x"], ""),
            ["--inspect-port", "1", "--inspect=2", "--inspect-port=9999", "-e", "x"]
        );
        assert_eq!(told(&["x.js"], "--inspect"), ["--inspect-port=9999", "x.js"]);
        assert_eq!(told(&["x.js", "--inspect"], ""), ["x.js", "--inspect"]);
    }

    #[test]
    fn a_profile_goes_to_a_file_of_each_process_unless_one_is_named() {
        assert_eq!(told(&["--prof", "x.js"], ""), ["--logfile=v8-%p.log", "--prof", "x.js"]);
        let named = ["--prof", "--logfile=a", "x.js"];
        assert_eq!(told(&named, ""), named);
        assert_eq!(told(&["x.js", "--prof"], ""), ["x.js", "--prof"]);
    }

    #[test]
    fn a_program_that_may_start_node_is_told_by_the_variable() {
        let (mut args, mut env) = (os(&["start", "--inspect"]), env("--inspect=9300"));
        let wish = Wish::of(Path::new("/app/server"), &args, &env);
        assert_eq!(wish.inspector, Some(9300));
        wish.tell(Some(9301), &mut args, &mut env);
        assert_eq!(variable(&env), Some("--inspect=9300 --inspect-port=9301".as_ref()));
        assert_eq!(args, ["start", "--inspect"]);
        assert_eq!(Wish::of(Path::new("/app/server"), &args, &[]).inspector, None);
    }
}
