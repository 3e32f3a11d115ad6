//! What `portcrew run` will do, decided before anything is started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::behind;
use super::cpus::available_cpus;
use super::entry;
use super::host::Host;
use super::identity::Identity;
use super::language::Language;
use super::listen;
use super::note::{Note, Why};
use super::policies::Policies;
use super::program::{self, Interpreter, Program};
use super::refusal::Refusal;
use super::supervision;
use super::wrapper::{self, Seen};
use crate::args::{Assignment, CrewName, RunArgs};

/// A crew as it is meant.
#[derive(Debug)]
pub(crate) struct RunPlan {
    pub(crate) name: CrewName,
    /// At least 1.
    pub(crate) workers: usize,
    pub(crate) policies: Policies,
    /// The program that the user means, absolute; symbolic links are not resolved.
    pub(crate) program: PathBuf,
    /// Who runs the program, when it cannot run itself.
    pub(crate) interpreter: Option<Interpreter>,
    /// The program's own arguments.
    pub(crate) args: Vec<OsString>,
    /// Variables to set for the workers besides the inherited ones; of equal names the last counts.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// The workers' directory, absolute.
    pub(crate) directory: PathBuf,
    /// Whom the workers run as, and what they may have.
    pub(crate) identity: Identity,
    /// Offer the lane: the program is a native binary, which may be a portcrew worker.
    pub(crate) lane: bool,
    /// What to say once before the start.
    pub(crate) notes: Vec<Note>,
}

impl RunPlan {
    /// Gives the arguments their meaning on this host. Reads files; may run `node --version`; changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`] with its exit status.
    pub(crate) fn new(args: &RunArgs, host: &Host) -> Result<Self, Refusal> {
        listen::check(args)?;
        let has_sockets = !args.listen.is_empty();
        let policies = match has_sockets {
            true => Policies::inherited(args.policy.as_ref(), host)?,
            false => Policies::new(args.policy.as_ref(), host)?,
        };
        // An interpreter named by the user runs the very file that was named.
        let seen = match args.interpreter {
            None => wrapper::see_through(&args.command, host)?,
            Some(_) => Seen::as_given(&args.command, host, None),
        };
        let (name, rest) = seen.words.split_first().expect("the argument parser requires PROGRAM");
        let program = program::resolve(name, args.interpreter.as_deref(), &seen.host)?;
        let script = script_note(&program, rest, seen.host.directory());
        let executable = program.interpreter.as_ref().map_or(&program.path, |it| &it.path);
        let (mut policies, cannot) = match has_sockets {
            true => (policies, None),
            false => policies.possible_for(executable, args.policy.as_ref())?,
        };
        let of_sockets: Vec<_> = listen::notes(args, executable, program.language).collect();
        supervision::check(args, &policies)?;
        let identity = Identity::new(&args.identity, host)?;
        policies.are_counted = supervision::counts_connections(&args.supervision);
        let behind = behind::note(args).into_iter();
        let reach = identity.note(&program.path);
        let notes = behind.chain(seen.note).chain(program.notes).chain(script);
        let lane = program.native && program.interpreter.is_none() && !has_sockets;
        let heartbeat = args.supervision.heartbeat.filter(|_| !lane).map(|_| Note::NoHeartbeat);
        let notes = notes.chain(cannot).chain(of_sockets).chain(reach).chain(heartbeat).collect();
        let given = args.env.iter().map(|Assignment { key, value }| (key.clone(), value.clone()));
        Ok(Self {
            name: args
                .name
                .clone()
                .unwrap_or_else(|| crew_name(&program.path, program.language, rest)),
            workers: args.workers.on(available_cpus()),
            policies,
            lane,
            program: program.path,
            interpreter: program.interpreter,
            args: rest.to_vec(),
            env: identity.env.iter().cloned().chain(seen.env).chain(given).collect(),
            identity,
            directory: seen.host.directory().to_owned(),
            notes,
        })
    }

    /// The file that each worker executes.
    pub(crate) fn executable(&self) -> &Path {
        self.interpreter.as_ref().map_or(&self.program, |interpreter| &interpreter.path)
    }

    /// All arguments of that file, its own name not counted.
    pub(crate) fn arguments(&self) -> Vec<&OsStr> {
        let mut all = Vec::new();
        if let Some(interpreter) = &self.interpreter {
            all.extend(interpreter.options.iter().map(OsString::as_os_str));
            all.push(self.program.as_os_str());
        }
        all.extend(self.args.iter().map(OsString::as_os_str));
        all
    }
}

/// After the program; for `node server.js` after the script, since every crew would be called `node` otherwise.
fn crew_name(program: &Path, language: Option<Language>, rest: &[OsString]) -> CrewName {
    let is_interpreter = language.is_some() && Language::of_interpreter(program).is_some();
    let script = rest.iter().map(Path::new).find(|arg| Language::of_script(arg).is_some());
    CrewName::from_program(script.filter(|_| is_interpreter).unwrap_or(program))
}

/// What the script's own text gives reason to say.
fn script_note(program: &Program, rest: &[OsString], directory: &Path) -> Option<Note> {
    let is_binary =
        program.interpreter.is_none() && Language::of_interpreter(&program.path).is_some();
    match program.language? {
        Language::JavaScript | Language::TypeScript => {
            let entry = match is_binary {
                true => entry::of_node_args(rest, directory)?,
                false => program.path.clone(),
            };
            entry::has_primary_branch(&entry).then_some(Note::OwnPrimaryBranch { entry })
        }
        Language::Shell => {
            let script = match is_binary {
                // `sh -c` has its note already; `sh` with options alone runs no file.
                true => directory.join(rest.first()?),
                false => program.path.clone(),
            };
            let shell = script.file_name()?.to_string_lossy().into_owned();
            let stays = script.is_file() && !entry::ends_with_exec(&script);
            stays.then_some(Note::ShellWrapper { shell, why: Why::Script })
        }
        Language::Python | Language::Ruby | Language::Perl | Language::Php | Language::Other => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use clap::Parser;
    use tempfile::TempDir;

    use super::*;
    use crate::args::{Cli, Command};

    /// A directory with `node` and `sh` in its `bin`, which is the whole `PATH`.
    fn disk(files: &[(&str, &str)]) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        for (name, text) in [("bin/node", "\x7fELF"), ("bin/bash", "\x7fELF")].iter().chain(files) {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        directory
    }

    fn plan(disk: &TempDir, words: &[&str]) -> RunPlan {
        try_plan(disk, words).unwrap()
    }

    fn try_plan(disk: &TempDir, words: &[&str]) -> Result<RunPlan, Refusal> {
        let cli = Cli::try_parse_from(["portcrew", "run"].iter().chain(words)).unwrap();
        let Command::Run(args) = cli.command else { panic!("`run` is the command here") };
        let path = disk.path().join("bin");
        let host = Host::of(disk.path(), &[("PATH", path.as_os_str())]);
        RunPlan::new(&args, &host)
    }

    #[test]
    fn a_node_script_becomes_node_with_the_script_and_its_arguments() {
        let disk = disk(&[("server.js", "")]);
        let plan = plan(&disk, &["-w", "3", "--env", "A=1", "server.js", "--port", "80"]);
        let script = disk.path().join("server.js");
        assert_eq!(plan.executable(), disk.path().join("bin/node"));
        assert_eq!(plan.arguments(), [script.as_os_str(), "--port".as_ref(), "80".as_ref()]);
        assert_eq!((plan.workers, plan.name.as_str(), plan.lane), (3, "server", false));
        assert_eq!(plan.env, [("A".into(), "1".into())]);
        assert_eq!(plan.directory, disk.path());
        assert_eq!(plan.notes, []);
    }

    #[test]
    fn a_sign_of_life_that_nobody_here_can_give_is_pointed_out() {
        let disk = disk(&[("server.js", ""), ("server", "\x7fELF")]);
        let notes = |program| plan(&disk, &["--heartbeat", "5s", program]).notes;
        assert_eq!(notes("server.js"), [Note::NoHeartbeat]);
        assert_eq!(notes("./server"), []);
    }

    #[test]
    fn options_of_ours_behind_the_program_are_pointed_out_once() {
        let disk = disk(&[("server.js", ""), ("bin/portcrew", "\x7fELF")]);
        let notes = plan(&disk, &["server.js", "-w", "2", "--raw", "-w3"]).notes;
        let options = vec!["-w".into(), "--raw".into()];
        let program = "server.js".into();
        let expected = Note::OptionsBehind { command: "run", options, program };
        assert_eq!(notes, [expected]);
        assert_eq!(plan(&disk, &["-w", "2", "server.js", "--port", "80"]).notes, []);
        assert_eq!(plan(&disk, &["portcrew", "run", "-w", "2", "server.js"]).notes, []);
    }

    #[test]
    fn a_native_binary_is_offered_the_lane() {
        let disk = disk(&[("api", "\x7fELF")]);
        let plan = plan(&disk, &["--name", "shop", "./api", "-v"]);
        assert_eq!(plan.executable(), disk.path().join("api"));
        assert_eq!(plan.arguments(), ["-v"]);
        assert!(plan.lane);
        assert_eq!(plan.name.as_str(), "shop");
    }

    #[test]
    fn a_crew_of_an_interpreter_is_called_after_the_script() {
        let disk = disk(&[("server.js", "require('cluster').isPrimary")]);
        let plan = plan(&disk, &["node", "--inspect", "server.js"]);
        assert_eq!(plan.name.as_str(), "server");
        assert!(!plan.lane);
        let entry = disk.path().join("server.js");
        assert_eq!(plan.notes, [Note::OwnPrimaryBranch { entry }]);
    }

    #[test]
    fn a_script_behind_npm_is_run_directly_with_its_notes() {
        let json = r#"{"scripts": {"start": "A=npm B=npm node server.js"}}"#;
        let disk = disk(&[("package.json", json), ("server.js", "require('cluster').isMaster")]);
        let plan = plan(&disk, &["--env", "A=mine", "npm", "start"]);
        assert_eq!(plan.executable(), disk.path().join("bin/node"));
        assert_eq!(plan.arguments(), ["server.js"]);
        let value = |key: &str| {
            let last = plan.env.iter().rev().find(|(k, _)| k == key).unwrap();
            last.1.to_str().unwrap().to_owned()
        };
        assert_eq!(
            (value("A"), value("B")),
            ("mine".into(), "npm".into()),
            "the user has the last word"
        );
        assert!(matches!(
            &plan.notes[..],
            [Note::SeenThrough { .. }, Note::OwnPrimaryBranch { .. }]
        ));
    }

    #[test]
    fn a_shell_script_is_said_to_stay_between_unless_it_ends_with_exec() {
        let disk = disk(&[("a.sh", "node x.js\n"), ("b.sh", "exec node x.js\n")]);
        let between = Note::ShellWrapper { shell: "a.sh".into(), why: Why::Script };
        assert_eq!(plan(&disk, &["a.sh"]).notes, std::slice::from_ref(&between));
        assert_eq!(plan(&disk, &["bash", "a.sh"]).notes, [between]);
        assert_eq!(plan(&disk, &["b.sh"]).notes, []);
    }

    #[test]
    fn the_policies_are_those_that_the_runtime_can_do() {
        let disk = disk(&[("bin/deno", "\x7fELF"), ("server.js", "")]);
        for words in [["deno", "server.js"], ["--interpreter=deno", "server.js"]] {
            let refused = try_plan(&disk, &[&["--policy", "80=shared"], &words[..]].concat());
            assert!(matches!(refused, Err(Refusal::CannotShare { .. })), "{refused:?}");
            let sticky = plan(&disk, &[&["--policy", "sticky"], &words[..]].concat());
            assert_eq!(
                (sticky.policies.to_string().as_str(), &sticky.notes[..]),
                ("sticky", &[][..])
            );
        }
        let node = plan(&disk, &["--policy", "80=shared", "server.js"]);
        assert_eq!(node.policies.to_string(), "round-robin, 80=shared");
    }
}
