//! `portcrew start`: the same crew as of `run`, in the background.
//!
//! This executable is started once more as `run`, in a session of its own, with files as its output. Its standard input
//! is a pipe to here, on which it says when the crew is ready; that it ends without a word says that it failed. So
//! this command waits for an event and not for a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::json;

use crate::args::RunArgs;
use crate::control::v1::{self, Status};
use crate::control::{Crews, Found, state_directory};
use crate::crew::{READY, SILENT};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;
use crate::output::words::notices::PREFIX;
use crate::output::{print, print_json, say_plainly, unbroken};
use crate::plan::{Host, Note, RunPlan};

/// Bytes of what a crew said that are shown when it did not start.
const MOST_SAID: u64 = 16 * 1024;

/// What a crew in the background is started with.
struct Background {
    name: String,
    directory: PathBuf,
    out: File,
    err: File,
    /// Where the new lines begin.
    err_from: u64,
}

/// Starts the crew and waits until it is ready or has failed.
pub(crate) fn run(args: &RunArgs) -> ExitStatus {
    if args.control.no_control {
        say_plainly(&words::not_detachable());
        return ExitStatus::Usage;
    }
    // Whatever can be found wrong before anything is started is said here.
    let name = match Host::current().and_then(|host| RunPlan::new(args, &host)) {
        Ok(plan) => {
            // Its log has every note; this one may be why the crew is not what was asked for.
            let behind = plan.notes.iter().filter(|it| matches!(it, Note::OptionsBehind { .. }));
            behind.for_each(|it| say_plainly(&it.to_string()));
            plan.name.as_str().to_owned()
        }
        Err(refusal) => {
            say_plainly(&refusal.to_string());
            return refusal.exit_status();
        }
    };
    let background = match Background::prepare(name) {
        Ok(background) => background,
        Err(words) => {
            say_plainly(&words);
            return ExitStatus::Internal;
        }
    };
    match background.start(args.name.is_none(), args.json) {
        Ok(status) => status,
        Err(error) => {
            say_plainly(&words::cannot_detach(&error));
            ExitStatus::Internal
        }
    }
}

impl Background {
    fn prepare(name: String) -> Result<Self, String> {
        let directory = state_directory(&name)?;
        let failed = |error: io::Error| words::no_log(&directory, &error);
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
        let out = open(&directory.join("out.log")).map_err(failed)?;
        let err = open(&directory.join("err.log")).map_err(failed)?;
        let err_from = err.metadata().map_err(failed)?.len();
        Ok(Self { name, directory, out, err, err_from })
    }

    fn start(self, must_name: bool, as_json: bool) -> io::Result<ExitStatus> {
        let (word, its_end) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("run").arg("--detached").arg(&self.directory);
        if must_name {
            command.args(["--name", &self.name]);
        }
        // What stands behind `start`, as it was written.
        command.args(std::env::args_os().skip(2));
        command.stdin(its_end).stdout(self.out.try_clone()?).stderr(self.err.try_clone()?);
        let child = command.spawn()?;
        // The command holds the other end too: without it the end of the crew is the end of the pipe.
        drop(command);
        let mut line = String::new();
        BufReader::new(File::from(word).take(64)).read_line(&mut line)?;
        match line.trim_end() {
            READY => self.ready(as_json),
            line => match line.strip_prefix(SILENT).and_then(|it| it.parse().ok()) {
                Some(after) => self.silent(Duration::from_millis(after), as_json),
                None => return self.failed(child),
            },
        }
        Ok(ExitStatus::Stopped)
    }

    fn ready(&self, as_json: bool) {
        let status = self.status();
        // It was ready. If it has gone since, `list` says so.
        let words = match &status {
            Some(it) => words::started(&self.name, it.ready, &it.addresses, it.pid),
            None => words::has_ended(&self.name),
        };
        self.say(&words, status.as_ref(), as_json);
    }

    fn silent(&self, after: Duration, as_json: bool) {
        let words = words::started_silent(&self.name, after);
        let status = if as_json { self.status() } else { None };
        self.say(&words, status.as_ref(), as_json);
    }

    fn status(&self) -> Option<Status> {
        let crews = Crews::of_this_user().ok()?;
        match crews.find(&self.name) {
            Found::Crew(client) => client.get::<Status>("/v1/status").ok(),
            Found::Silent(_) | Found::Full(_) | Found::Nobody => None,
        }
    }

    /// In JSON what `describe` says of it; nothing of one that has ended already.
    fn say(&self, words: &str, status: Option<&Status>, as_json: bool) {
        if as_json {
            let crews: Vec<_> = status.into_iter().collect();
            print_json(&json!({ "api": v1::API, "crews": crews }));
        } else {
            print(&format!("{}\n{}\n", unbroken(words), words::logs_are_in(&self.directory)));
        }
    }

    /// It has ended, or closed the pipe and is about to. It said why.
    fn failed(mut self, mut child: Child) -> io::Result<ExitStatus> {
        let status = child.wait()?;
        let mut said = Vec::new();
        let begin = self.err.metadata()?.len().saturating_sub(MOST_SAID).max(self.err_from);
        self.err = File::open(self.directory.join("err.log"))?;
        self.err.seek(SeekFrom::Start(begin))?;
        (&self.err).take(MOST_SAID).read_to_end(&mut said)?;
        say_plainly(&words::start_failed(&self.name));
        for line in String::from_utf8_lossy(&said).lines() {
            // What its primary said begins as what is said here.
            let ours = line.strip_prefix(PREFIX).map(str::to_owned);
            say_plainly(&ours.unwrap_or_else(|| words::output_line(line)));
        }
        let number = status.code().and_then(|it| u8::try_from(it).ok());
        Ok(number.and_then(ExitStatus::of).unwrap_or(ExitStatus::CrewFailed))
    }
}

/// For the owner alone: what a program prints is nobody else's business.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
