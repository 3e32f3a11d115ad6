//! Following a chain of wrappers to the command at its end.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::super::entry;
use super::super::host::Host;
use super::super::note::{Note, Why};
use super::super::package::Package;
use super::super::plain::{self, Plain};
use super::super::refusal::Refusal;
use super::call::{Call, Manager, Wrapper, shell_command};

/// How many wrappers may stand in one another. Scripts that call each other in a circle end here.
const MAX_DEPTH: usize = 8;

/// What is to be run after all wrappers that could be left out.
#[derive(Debug)]
pub(in crate::plan) struct Seen {
    /// The command and its arguments; never empty when the words given were not.
    pub(in crate::plan) words: Vec<OsString>,
    /// Variables that the wrappers would have set, later ones winning.
    pub(in crate::plan) env: Vec<(OsString, OsString)>,
    /// The surroundings in which the command is to be found.
    pub(in crate::plan) host: Host,
    pub(in crate::plan) note: Option<Note>,
}

impl Seen {
    /// The words themselves, with nothing left out.
    pub(in crate::plan) fn as_given(words: &[OsString], host: &Host, note: Option<Note>) -> Self {
        Self { words: words.to_vec(), env: Vec::new(), host: host.clone(), note }
    }
}

/// Follows the wrappers of a command line to the command that they start.
///
/// # Errors
/// What the package manager itself would refuse: no package.json, no such script.
pub(in crate::plan) fn see_through(words: &[OsString], host: &Host) -> Result<Seen, Refusal> {
    let mut inner = Seen::as_given(words, host, None);
    let mut manager = None;
    for depth in 0..=MAX_DEPTH {
        let Some(wrapper) = Wrapper::of(&inner.words) else {
            if depth > 0 {
                let (wrapper, command) = (shown(words), shown(&inner.words));
                inner.note = Some(Note::SeenThrough { wrapper, command });
            }
            return Ok(inner);
        };
        if let Wrapper::Manager(_, name) = &wrapper {
            manager.get_or_insert(name.clone());
        }
        let why = match leave_out(&wrapper, &mut inner)? {
            None if depth < MAX_DEPTH => continue,
            None => Why::TooDeep,
            Some(why) => why,
        };
        // One wrapper that must stay keeps the whole chain as it was given.
        let note = match (manager, wrapper) {
            (Some(wrapper), _) | (None, Wrapper::Manager(_, wrapper)) => {
                Some(Note::NodeWrapper { wrapper, why })
            }
            // The shell is needed, and is not there any more when the server is.
            (None, Wrapper::Shell(_)) if hands_over(words) => None,
            (None, Wrapper::Shell(shell)) => Some(Note::ShellWrapper { shell, why }),
        };
        return Ok(Seen::as_given(words, host, note));
    }
    Ok(inner)
}

fn hands_over(words: &[OsString]) -> bool {
    shell_command(words).is_ok_and(entry::is_handed_over)
}

/// Replaces a wrapper by what it starts, or says why it must stay.
fn leave_out(wrapper: &Wrapper, seen: &mut Seen) -> Result<Option<Why>, Refusal> {
    match wrapper {
        Wrapper::Shell(_) => Ok(shell_command(&seen.words)
            .and_then(plain::parse)
            .map(|plain| take(seen, plain, &[]))
            .err()),
        Wrapper::Manager(manager, name) => leave_out_manager(*manager, name, seen),
    }
}

fn leave_out_manager(
    manager: Manager,
    name: &str,
    seen: &mut Seen,
) -> Result<Option<Why>, Refusal> {
    let package = Package::nearest(seen.host.directory())?;
    match Call::of(manager, &seen.words[1..], package.as_ref()) {
        Err(why) => Ok(Some(why)),
        Ok(Call::Script { name: script, rest }) => {
            let package = package.ok_or_else(|| Refusal::NoPackage { wrapper: name.to_owned() })?;
            run_script(manager, &package, &script, &rest, seen)
        }
        Ok(Call::Program { name, rest }) => {
            let Some((program, programs)) = local_program(&name, seen.host.directory()) else {
                return Ok(Some(Why::NoLocalProgram(name)));
            };
            let directory = seen.host.directory().to_owned();
            seen.words = std::iter::once(program.into()).chain(rest).collect();
            enter(seen, &directory, &programs);
            Ok(None)
        }
    }
}

fn run_script(
    manager: Manager,
    package: &Package,
    script: &str,
    rest: &[OsString],
    seen: &mut Seen,
) -> Result<Option<Why>, Refusal> {
    let is_npm_start = manager == Manager::Npm && script == "start";
    let command = match package.script(script) {
        Some(command) => command,
        // What npm starts when a package does not say.
        None if is_npm_start && package.directory.join("server.js").is_file() => "node server.js",
        None => {
            let (package, others) = (package.file.clone(), package.scripts());
            return Err(Refusal::NoSuchScript { package, script: script.to_owned(), others });
        }
    };
    let hooks = [format!("pre{script}"), format!("post{script}")];
    if let Some(hook) = hooks.into_iter().find(|hook| package.script(hook).is_some()) {
        return Ok(Some(Why::Hook(hook)));
    }
    let plain = match plain::parse(command) {
        Ok(plain) => plain,
        Err(why) => return Ok(Some(why)),
    };
    let outside = seen.host.directory().as_os_str().to_owned();
    let mut set = |key: &str, value: &OsStr| seen.env.push((key.into(), value.into()));
    set("INIT_CWD", &outside);
    set("npm_lifecycle_event", script.as_ref());
    set("npm_package_json", package.file.as_os_str());
    for (key, field) in [("npm_package_name", "name"), ("npm_package_version", "version")] {
        if let Some(value) = package.text(field) {
            set(key, value.as_ref());
        }
    }
    take(seen, plain, rest);
    enter(seen, &package.directory, &package.programs());
    Ok(None)
}

/// Puts a plain command in place of its wrapper.
fn take(seen: &mut Seen, plain: Plain, rest: &[OsString]) {
    seen.env.extend(plain.env.into_iter().map(|(key, value)| (key.into(), value.into())));
    seen.words = plain.words.into_iter().map(OsString::from).chain(rest.iter().cloned()).collect();
}

/// From here on the command runs in this directory, with these programs first in `PATH`.
fn enter(seen: &mut Seen, directory: &Path, programs: &Path) {
    seen.host = seen.host.inside(directory, programs);
    if let Some(path) = seen.host.variable("PATH") {
        seen.env.push(("PATH".into(), path.to_owned()));
    }
}

/// A program that a package here or above has installed, and the directory it is in.
fn local_program(name: &str, directory: &Path) -> Option<(PathBuf, PathBuf)> {
    // `@scope/tool` or `tool@3` names a package; which program that is, only its manager knows.
    if name.contains(['/', '@']) {
        return None;
    }
    directory.ancestors().find_map(|directory| {
        let programs = directory.join("node_modules/.bin");
        let program = programs.join(name);
        program.is_file().then_some((program, programs))
    })
}

/// A command line for a message.
fn shown(words: &[OsString]) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn package(json: &str) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("package.json"), json).unwrap();
        directory
    }

    fn see(directory: &Path, words: &[&str]) -> Result<Seen, Refusal> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        see_through(&words, &Host::of(directory, &[("PATH", OsStr::new("/bin"))]))
    }

    fn runs(directory: &Path, words: &[&str]) -> String {
        let seen = see(directory, words).unwrap();
        assert!(matches!(seen.note, Some(Note::SeenThrough { .. })), "{:?}", seen.note);
        shown(&seen.words)
    }

    fn stays(directory: &Path, words: &[&str]) -> Note {
        let seen = see(directory, words).unwrap();
        assert_eq!(shown(&seen.words), words.join(" "), "the command is left as it was given");
        assert!(seen.env.is_empty());
        seen.note.expect("a note")
    }

    fn value(seen: &Seen, key: &str) -> Option<String> {
        let found = seen.env.iter().rev().find(|(k, _)| k == key)?;
        Some(found.1.to_string_lossy().into_owned())
    }

    const SCRIPTS: &str = r#"{
        "name": "shop", "version": "1.2.3",
        "scripts": {
            "start": "NODE_ENV=production node server.js",
            "serve": "npm start",
            "log": "node server.js | tee log",
            "prebuilt": "make", "built": "node built.js",
            "circle": "npm run circle",
            "shell": "sh -c 'exec node in-shell.js'",
            "number": 7
        }
    }"#;

    #[test]
    fn a_plain_script_is_run_without_its_manager() {
        let shop = package(SCRIPTS);
        for words in [
            &["npm", "start"][..],
            &["npm", "-s", "run", "start"],
            &["/usr/bin/npm", "run-script", "start"],
            &["npm", "run", "serve"],
            &["yarn", "start"],
            &["yarn", "run", "start"],
            &["pnpm", "serve"],
            &["sh", "-c", "npm start"],
        ] {
            assert_eq!(runs(shop.path(), words), "node server.js", "{words:?}");
        }
        assert_eq!(runs(shop.path(), &["npm", "run", "shell"]), "node in-shell.js");
    }

    #[test]
    fn the_script_sees_the_variables_that_its_manager_would_set() {
        let shop = package(SCRIPTS);
        let below = shop.path().join("src");
        fs::create_dir(&below).unwrap();
        let seen = see(&below, &["npm", "start"]).unwrap();
        assert_eq!(value(&seen, "NODE_ENV").unwrap(), "production");
        assert_eq!(value(&seen, "npm_package_name").unwrap(), "shop");
        assert_eq!(value(&seen, "npm_package_version").unwrap(), "1.2.3");
        assert_eq!(value(&seen, "npm_lifecycle_event").unwrap(), "start");
        assert_eq!(value(&seen, "INIT_CWD").unwrap(), below.to_string_lossy());
        let programs = shop.path().join("node_modules/.bin");
        assert_eq!(value(&seen, "PATH").unwrap(), format!("{}:/bin", programs.display()));
        assert_eq!(seen.host.directory(), shop.path(), "it runs where its package.json is");
    }

    #[test]
    fn arguments_reach_the_script_as_the_manager_would_pass_them() {
        let shop = package(SCRIPTS);
        let npm = ["npm", "start", "--", "--port", "80"];
        assert_eq!(runs(shop.path(), &npm), "node server.js --port 80");
        let yarn = ["yarn", "start", "--port", "80"];
        assert_eq!(runs(shop.path(), &yarn), "node server.js --port 80");
        assert_eq!(runs(shop.path(), &["npm", "start", "80"]), "node server.js 80");
    }

    #[test]
    fn a_manager_stays_when_it_does_more_than_to_start_one_command() {
        let shop = package(SCRIPTS);
        for (words, why) in [
            (&["npm", "run", "log"][..], Why::Syntax("`|`".into())),
            (&["npm", "run", "built"], Why::Hook("prebuilt".into())),
            (&["npm", "run", "circle"], Why::TooDeep),
            (&["npm", "start", "--port", "80"], Why::Option("--port".into())),
            (&["npm", "--prefix", "x", "start"], Why::Option("--prefix".into())),
            (&["npm", "test"], Why::Option("test".into())),
            (&["npm"], Why::NoCommand),
            (&["npx", "serve"], Why::NoLocalProgram("serve".into())),
            (&["npx", "-p", "x", "y"], Why::Option("-p".into())),
        ] {
            let wrapper = words[0].to_owned();
            assert_eq!(stays(shop.path(), words), Note::NodeWrapper { wrapper, why }, "{words:?}");
        }
    }

    #[test]
    fn a_shell_stays_when_its_command_needs_one() {
        let here = tempfile::tempdir().unwrap();
        assert_eq!(runs(here.path(), &["sh", "-c", "exec node x.js"]), "node x.js");
        for (words, why) in [
            (&["sh", "-c", "node x.js; true"][..], Why::Syntax("`;`".into())),
            (&["sh", "-c", "node x.js", "zero"], Why::NoCommand),
            (&["sh", "-c", "cd x"], Why::Builtin("cd".into())),
        ] {
            let shell = "sh".to_owned();
            assert_eq!(stays(here.path(), words), Note::ShellWrapper { shell, why }, "{words:?}");
        }
    }

    #[test]
    fn a_shell_that_is_needed_and_hands_its_process_over_is_not_worth_a_word() {
        let here = tempfile::tempdir().unwrap();
        for command in ["exec x --pid run-$$.pid", "ulimit -n 99\nexec x"] {
            let words = ["sh", "-c", command];
            let seen = see(here.path(), &words).unwrap();
            assert_eq!((shown(&seen.words), seen.note), (words.join(" "), None));
        }
        for command in ["exec x $a | tee log", "x $$"] {
            assert!(matches!(
                stays(here.path(), &["sh", "-c", command]),
                Note::ShellWrapper { .. }
            ));
        }
    }

    #[test]
    fn a_manager_behind_a_shell_is_what_takes_the_channel() {
        let shop = package(SCRIPTS);
        let note = stays(shop.path(), &["sh", "-c", "npm run log"]);
        assert_eq!(
            note,
            Note::NodeWrapper { wrapper: "npm".into(), why: Why::Syntax("`|`".into()) }
        );
    }

    #[test]
    fn an_installed_program_is_run_without_npx() {
        let shop = package(SCRIPTS);
        let programs = shop.path().join("node_modules/.bin");
        fs::create_dir_all(&programs).unwrap();
        fs::write(programs.join("serve"), "#!/usr/bin/env node\n").unwrap();
        let expected = format!("{} -p 80", programs.join("serve").display());
        assert_eq!(runs(shop.path(), &["npx", "-y", "serve", "-p", "80"]), expected);
        assert_eq!(runs(shop.path(), &["npm", "exec", "--", "serve", "-p", "80"]), expected);
    }

    #[test]
    fn a_package_without_a_start_script_starts_its_server_js_with_npm() {
        let bare = package("{}");
        fs::write(bare.path().join("server.js"), "").unwrap();
        assert_eq!(runs(bare.path(), &["npm", "start"]), "node server.js");
        assert!(matches!(see(bare.path(), &["yarn", "start"]), Err(Refusal::NoSuchScript { .. })));
    }

    #[test]
    fn a_script_that_does_not_exist_is_refused_with_those_that_do() {
        let shop = package(SCRIPTS);
        for name in ["nope", "number"] {
            let refusal = see(shop.path(), &["npm", "run", name]).unwrap_err();
            let text = refusal.to_string();
            assert!(text.contains(&format!("`{name}`")) && text.contains("serve"), "{text}");
        }
    }

    #[test]
    fn a_package_that_cannot_be_read_is_refused() {
        for json in ["", "[]", "{", "nonsense"] {
            let broken = package(json);
            let refusal = see(broken.path(), &["npm", "start"]).unwrap_err();
            assert!(matches!(refusal, Refusal::PackageUnreadable { .. }), "{json}: {refusal}");
        }
    }

    #[test]
    fn other_programs_are_left_alone_without_a_note() {
        let here = tempfile::tempdir().unwrap();
        for words in [&["node", "x.js"][..], &["bash", "x.sh"], &["./npm-server"], &["npm.js"]] {
            let seen = see(here.path(), words).unwrap();
            assert_eq!((shown(&seen.words), seen.note), (words.join(" "), None));
        }
    }
}
