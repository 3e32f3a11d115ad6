//! `--help` and what the argument parser refuses.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::portcrew;

/// What `portcrew` says on stderr and ends with, when its standard output is a full disk.
fn on_a_full_disk(args: &[&str]) -> (i32, String) {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcrew"));
    command.args(args).stdin(Stdio::null()).stdout(full).stderr(Stdio::piped());
    // No crew of anybody else's is asked.
    let home = tempfile::tempdir().unwrap();
    command.env("XDG_RUNTIME_DIR", home.path()).env("XDG_STATE_HOME", home.path());
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_answer_that_cannot_be_written_is_said_and_has_its_own_status() {
    for args in [
        &["--version"][..],
        &["--help"],
        &["run", "--help"],
        &["list"],
        &["list", "--json"],
        &["completions", "bash"],
    ] {
        let (status, said) = on_a_full_disk(args);
        assert_eq!(status, 74, "{args:?}: {said}");
        assert!(said.contains("cannot be written to standard output"), "{args:?}: {said}");
    }
    // What failed anyway has its own status.
    assert_eq!(on_a_full_disk(&["describe", "nobody", "--json"]).0, 6);
}

#[test]
fn a_reader_that_has_left_is_no_failure() {
    for args in [&["--help"][..], &["completions", "bash"]] {
        let (reader, writer) = UnixStream::pair().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcrew"));
        let output = command
            .args(args)
            .stdout(OwnedFd::from(writer))
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{args:?}");
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn help_names_the_commands_and_hides_the_internal_one() {
    let answer = portcrew(here(), &["--help"]);
    assert_eq!(answer.status, 0);
    let commands = "run demo start list describe reload restart scale policy stop delete events why kill doctor completions";
    for command in commands.split(' ') {
        assert!(answer.stdout.contains(&format!("\n  {command} ")), "{command}: {}", answer.stdout);
    }
    assert!(!answer.stdout.contains("exec"), "{}", answer.stdout);
}

#[test]
fn the_long_help_of_run_has_examples_signals_and_exit_statuses() {
    let answer = portcrew(here(), &["run", "--help"]);
    assert_eq!(answer.status, 0);
    for part in [
        "Usage: portcrew run [OPTIONS] [--] PROGRAM [ARGS]...",
        "Examples:",
        "Signals to the primary:",
        "Exit status:",
        "[default: 10s]",
        "[default: 30s]",
        "\n            round-robin  ",
        "\n            least-connections  ",
        "\n            sticky  ",
        "\n            shared  ",
        "\n            cookie:NAME  ",
        "\n            wait:TIME  ",
        "--explain",
        "\nReadiness and health:",
        "\nReloads:",
        "\nLimits and replacement:",
        "\nLeaving:",
        "\n            notify  ",
        "\n            message:TEXT  ",
        "--kill-after <TIME>",
        "[default: 2s]",
    ] {
        assert!(answer.stdout.contains(part), "{part}: {}", answer.stdout);
    }
    let widest = answer.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}");
}

#[test]
fn the_short_help_leaves_the_tables_out() {
    let answer = portcrew(here(), &["run", "-h"]);
    assert_eq!(answer.status, 0);
    assert!(answer.stdout.contains("Examples:"));
    assert!(!answer.stdout.contains("Exit status:"));
}

#[test]
fn the_version_is_the_packages() {
    let answer = portcrew(here(), &["--version"]);
    assert_eq!(answer.stdout, concat!("portcrew ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn arguments_that_cannot_be_read_are_status_2_with_the_reason() {
    for (args, reason) in [
        (&["run"][..], "PROGRAM"),
        (&["run", "-w", "0", "x"], "at least one worker"),
        (&["run", "-w", "99999", "x"], "1,024"),
        (&["run", "--policy", "random", "x"], "round-robin"),
        (&["run", "--grace", "soon", "x"], "500ms"),
        (&["run", "--env", "A", "x"], "KEY=VALUE"),
        (&["run", "--env", "NODE_CHANNEL_FD=3", "x"], "sets this variable itself"),
        (&["run", "--name", "../x", "x"], "a name has"),
        (&["run", "--colour", "x"], "--color"),
        (&["demo", "--port", "70000"], "65535"),
        (&["sprint"], "sprint"),
    ] {
        let answer = portcrew(here(), args);
        assert_eq!(answer.status, 2, "{args:?}");
        assert!(answer.stderr.contains(reason), "{args:?}: {}", answer.stderr);
        assert_eq!(answer.stdout, "");
    }
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    let answer = portcrew(here(), &[]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("portcrew demo"));
}
