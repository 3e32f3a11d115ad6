//! From the word that the user wrote to the file that is executed, and by whom.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::executable::{self, Executable, HashBang, Kind};
use super::host::Host;
use super::language::Language;
use super::note::Note;
use super::refusal::Refusal;
use super::typescript;

/// A program that can be run.
#[derive(Debug)]
pub(super) struct Program {
    /// The file that the user means, absolute.
    pub(super) path: PathBuf,
    /// Who runs it, when it cannot run itself.
    pub(super) interpreter: Option<Interpreter>,
    /// The language of the script, or of the interpreter when the user named one as the program.
    pub(super) language: Option<Language>,
    /// It is a native binary and no known interpreter: it may be a portcrew worker.
    pub(super) native: bool,
    pub(super) notes: Vec<Note>,
}

/// An interpreter with the options that it needs for this script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub(crate) path: PathBuf,
    pub(crate) options: Vec<OsString>,
}

/// Finds the program, checks that it can be executed and decides who runs it.
///
/// The order: an interpreter that the user named; the file's own `#!` line, which its author chose; its extension.
///
/// # Errors
/// A [`Refusal`] that says what is missing.
pub(super) fn resolve(
    name: &OsStr,
    interpreter: Option<&Path>,
    host: &Host,
) -> Result<Program, Refusal> {
    let file = executable::look(&locate(name, interpreter.is_some(), host)?)?;
    if let Some(interpreter) = interpreter {
        let runner = executable::look(&locate(interpreter.as_os_str(), false, host)?)?;
        if !runner.permitted {
            return Err(Refusal::NotExecutable(runner.path));
        }
        let language = Language::of_interpreter(&runner.path);
        let interpreter = Interpreter { path: runner.path, options: Vec::new() };
        return Ok(Program { language, interpreter: Some(interpreter), ..itself(file) });
    }
    let by_extension = Language::of_script(&file.path);
    match (&file.kind, by_extension) {
        (Kind::Native | Kind::Unreadable, None) if file.permitted => Ok(itself(file)),
        (Kind::HashBang(line), _) if file.permitted && runs_itself(line, by_extension, host) => {
            // A version manager's `python3` is a shell script that stands for Python.
            let stands_for = Language::of_interpreter(&file.path);
            let language = stands_for.or_else(|| language_of(line)).or(by_extension);
            Ok(Program { language, ..itself(file) })
        }
        (_, Some(language)) => by_language(language, file, host),
        (Kind::HashBang(line), None) if file.permitted => Err(Refusal::HashBangMissing {
            script: file.path.clone(),
            interpreter: line.by_env.as_ref().unwrap_or(&line.interpreter).clone(),
        }),
        (Kind::Unknown, None) if file.permitted => Err(Refusal::NotAProgram(file.path)),
        (_, None) => Err(Refusal::NotExecutable(file.path)),
    }
}

/// The file that a name means: with a slash a path, else a script here, else a program in `PATH`.
fn locate(name: &OsStr, is_script: bool, host: &Host) -> Result<PathBuf, Refusal> {
    let here = host.absolute(Path::new(name));
    if name.as_encoded_bytes().contains(&b'/') {
        return Ok(here);
    }
    if (is_script || Language::of_script(&here).is_some()) && here.exists() {
        return Ok(here);
    }
    let found = host.search_path().into_iter().map(|d| d.join(name)).filter(|p| p.is_file());
    let (permitted, denied): (Vec<_>, Vec<_>) = found.partition(|p| executable::is_permitted(p));
    if let Some(program) = permitted.into_iter().next() {
        return Ok(program);
    }
    match denied.into_iter().next() {
        Some(program) => Err(Refusal::NotExecutable(program)),
        None if here.is_dir() => Err(Refusal::IsDirectory(here)),
        None => Err(Refusal::NotInPath { name: name.to_owned(), is_here: here.exists() }),
    }
}

/// A file that is executed as it is.
fn itself(file: Executable) -> Program {
    let language = Language::of_interpreter(&file.path);
    Program {
        native: file.kind == Kind::Native && language.is_none(),
        path: file.path,
        interpreter: None,
        language,
        notes: Vec::new(),
    }
}

/// Whether the kernel can run the script by its `#!` line. A TypeScript file with `node` in it may need an option.
fn runs_itself(line: &HashBang, by_extension: Option<Language>, host: &Host) -> bool {
    let needs_option = by_extension == Some(Language::TypeScript)
        && language_of(line) == Some(Language::JavaScript);
    finds_its_interpreter(line, host) && !needs_option
}

fn finds_its_interpreter(line: &HashBang, host: &Host) -> bool {
    let named = match &line.by_env {
        Some(name) => locate(OsStr::new(name), false, host).ok(),
        None => Some(PathBuf::from(&line.interpreter)),
    };
    named.is_some_and(|path| path.is_file() && executable::is_permitted(&path))
}

/// The interpreter that the first line of an executable script asks for in vain.
fn asks_in_vain<'a>(file: &'a Executable, host: &Host) -> Option<&'a str> {
    match &file.kind {
        Kind::HashBang(line) if file.permitted && !finds_its_interpreter(line, host) => {
            Some(line.by_env.as_ref().unwrap_or(&line.interpreter))
        }
        Kind::HashBang(_) | Kind::Native | Kind::Unreadable | Kind::Unknown => None,
    }
}

fn language_of(line: &HashBang) -> Option<Language> {
    Language::of_interpreter(Path::new(line.by_env.as_ref().unwrap_or(&line.interpreter)))
}

fn by_language(language: Language, file: Executable, host: &Host) -> Result<Program, Refusal> {
    let wanted = language.interpreters();
    let runner = wanted
        .iter()
        .find_map(|name| locate(OsStr::new(name), false, host).ok())
        .ok_or_else(|| Refusal::InterpreterMissing { script: file.path.clone(), wanted })?;
    let in_vain = asks_in_vain(&file, host).map(|asked| Note::HashBangMissing {
        script: file.path.clone(),
        interpreter: asked.to_owned(),
        instead: runner.clone(),
    });
    let mut program = Program { native: false, language: Some(language), ..itself(file) };
    program.notes.extend(in_vain);
    let mut options = Vec::new();
    if language == Language::TypeScript {
        let (flag, note) = typescript::option(&runner, &program.path)?;
        options.extend(flag.map(OsString::from));
        program.notes.extend(note);
    }
    program.interpreter = Some(Interpreter { path: runner, options });
    Ok(program)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;
    use crate::exit::ExitStatus;

    /// A directory with files, and `bin` below it as the whole `PATH`.
    struct Disk(TempDir);

    impl Disk {
        fn new() -> Self {
            let disk = Self(tempfile::tempdir().unwrap());
            fs::create_dir(disk.path("bin")).unwrap();
            disk
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn file(&self, name: &str, mode: u32, text: &str) -> &Self {
            fs::write(self.path(name), text).unwrap();
            fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
            self
        }

        fn resolve_by(&self, name: &str, interpreter: Option<&str>) -> Result<Program, Refusal> {
            let bin = self.path("bin");
            let host = Host::of(self.0.path(), &[("PATH", bin.as_os_str())]);
            resolve(OsStr::new(name), interpreter.map(Path::new), &host)
        }

        fn resolve(&self, name: &str) -> Result<Program, Refusal> {
            self.resolve_by(name, None)
        }

        fn interpreter(&self, name: &str) -> Option<PathBuf> {
            self.resolve(name).unwrap().interpreter.map(|interpreter| interpreter.path)
        }
    }

    const ELF: &str = "\x7fELF";

    #[test]
    fn a_native_binary_runs_itself_and_may_be_a_portcrew_worker() {
        let disk = Disk::new();
        disk.file("server", 0o755, ELF).file("bin/tool", 0o755, ELF);
        for (name, path) in [("./server", "server"), ("tool", "bin/tool")] {
            let program = disk.resolve(name).unwrap();
            assert_eq!((program.path, program.interpreter), (disk.path(path), None));
            assert!(program.native);
        }
    }

    #[test]
    fn an_interpreter_as_the_program_is_no_portcrew_worker() {
        let disk = Disk::new();
        disk.file("bin/python3.12", 0o755, ELF);
        let program = disk.resolve("python3.12").unwrap();
        assert!(!program.native);
        assert_eq!(program.language, Some(Language::Python));
    }

    #[test]
    fn a_script_is_run_by_the_interpreter_of_its_extension() {
        let disk = Disk::new();
        disk.file("bin/node", 0o755, ELF).file("bin/python", 0o755, ELF);
        disk.file("a.mjs", 0o644, "").file("b.py", 0o644, "");
        assert_eq!(disk.interpreter("a.mjs"), Some(disk.path("bin/node")));
        assert_eq!(disk.interpreter("./b.py"), Some(disk.path("bin/python")), "no python3 here");
        assert!(!disk.resolve("a.mjs").unwrap().native);
    }

    #[test]
    fn an_executable_script_is_run_by_the_line_that_its_author_wrote() {
        let disk = Disk::new();
        disk.file("bin/node", 0o755, ELF).file("bin/python3", 0o755, ELF);
        disk.file("app.py", 0o755, "#!/bin/sh\n").file("app", 0o755, "#!/usr/bin/env node\n");
        assert_eq!(disk.interpreter("app.py"), None);
        let app = disk.resolve("./app").unwrap();
        assert_eq!((app.interpreter, app.language), (None, Some(Language::JavaScript)));
        assert!(!app.native);
    }

    #[test]
    fn a_line_that_names_nothing_falls_back_to_the_extension_or_is_refused() {
        let disk = Disk::new();
        disk.file("bin/node", 0o755, ELF);
        disk.file("a.js", 0o755, "#!/usr/bin/env node\r\n").file("a", 0o755, "#!/no/such\n");
        let script = disk.resolve("a.js").unwrap();
        assert_eq!(script.interpreter.unwrap().path, disk.path("bin/node"));
        let text = script.notes[0].to_string();
        assert!(text.contains("`node\\r`") && text.contains("bin/node"), "{text}");
        let refusal = disk.resolve("./a").unwrap_err();
        assert_eq!(refusal.exit_status(), ExitStatus::NotFound);
        assert!(refusal.to_string().contains("/no/such"));
        // Nor does one that is no program.
        disk.file("b", 0o755, "#!/tmp\n");
        let refusal = disk.resolve("./b").unwrap_err();
        assert!(refusal.to_string().contains("`/tmp`, which does not exist or is no program"));
    }

    #[test]
    fn the_first_line_of_a_script_that_is_not_executable_says_nothing() {
        let disk = Disk::new();
        disk.file("bin/node", 0o755, ELF).file("a.js", 0o644, "#!/no/such\n");
        assert_eq!(disk.resolve("a.js").unwrap().notes, []);
    }

    #[test]
    fn the_interpreter_that_the_user_names_runs_whatever_it_is() {
        let disk = Disk::new();
        disk.file("bin/bun", 0o755, ELF).file("a.js", 0o755, "#!/bin/sh\n").file("text", 0o644, "");
        for name in ["a.js", "text"] {
            let program = disk.resolve_by(name, Some("bun")).unwrap();
            assert_eq!(program.interpreter.unwrap().path, disk.path("bin/bun"));
            assert_eq!(program.path, disk.path(name));
        }
        let refusal = disk.resolve_by("a.js", Some("nope")).unwrap_err();
        assert_eq!(refusal.exit_status(), ExitStatus::NotFound);
    }

    #[test]
    fn typescript_gets_the_option_that_its_node_needs_or_a_way_out() {
        let disk = Disk::new();
        disk.file("a.ts", 0o755, "#!/usr/bin/env node\n");
        let node = |version: &str| {
            disk.file("bin/node", 0o755, &format!("#!/bin/sh\necho {version}\n"));
            disk.resolve("a.ts")
        };
        let new = node("v22.18.0").unwrap();
        assert_eq!(new.interpreter.unwrap().options, Vec::<OsString>::new());
        assert_eq!(new.notes, []);

        let flagged = node("v22.6.0").unwrap();
        assert_eq!(flagged.interpreter.unwrap().options, ["--experimental-strip-types"]);
        assert!(matches!(flagged.notes[..], [Note::StripTypesFlag { .. }]));

        let old = node("v20.1.0").unwrap_err();
        assert_eq!(old.exit_status(), ExitStatus::NotExecutable);
        assert!(old.to_string().contains("v20.1.0") && old.to_string().contains("22.18"));

        assert!(matches!(node("").unwrap_err(), Refusal::NodeIsSilent { .. }));
    }

    #[test]
    fn what_does_not_exist_is_127() {
        let disk = Disk::new();
        disk.file("a.rb", 0o644, "").file("here", 0o755, ELF);
        for (name, word) in [
            ("./x", "no such file"),
            ("x", "$PATH"),
            ("x.js", "$PATH"),
            ("a.rb", "`ruby`"),
            ("here", "./here"),
        ] {
            let refusal = disk.resolve(name).unwrap_err();
            assert_eq!(refusal.exit_status(), ExitStatus::NotFound, "{name}");
            assert!(refusal.to_string().contains(word), "{name}: {refusal}");
        }
    }

    #[test]
    fn what_cannot_be_executed_is_126_with_the_next_step() {
        let disk = Disk::new();
        fs::create_dir(disk.path("dir.js")).unwrap();
        disk.file("data", 0o644, ELF).file("text", 0o755, "hello").file("bin/denied", 0o644, ELF);
        for (name, word) in [
            ("./data", "chmod +x"),
            ("./text", "#!"),
            ("denied", "chmod +x"),
            ("./bin", "is a directory"),
            (".", "is a directory"),
            ("dir.js", "is a directory"),
            ("/dev/null", "device"),
        ] {
            let refusal = disk.resolve(name).unwrap_err();
            assert_eq!(refusal.exit_status(), ExitStatus::NotExecutable, "{name}");
            assert!(refusal.to_string().contains(word), "{name}: {refusal}");
        }
    }

    #[test]
    fn a_link_to_the_present_release_is_not_resolved() {
        let disk = Disk::new();
        disk.file("server-1", 0o755, ELF);
        std::os::unix::fs::symlink("server-1", disk.path("current")).unwrap();
        assert_eq!(disk.resolve("./current").unwrap().path, disk.path("current"));
    }
}
