//! Starts that fail, and what the error says: the path, the reason, whose fault.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use portcrew_ipc::spawn::{SpawnError, SpawnErrorKind, SpawnSpec, spawn};
use tempfile::TempDir;

use crate::children::shell;

fn failure(spec: &SpawnSpec) -> SpawnError {
    loop {
        let error = spawn(spec).expect_err("the start should fail");
        // A child that another test starts at this moment holds our file open until its own exec.
        if error.raw_os_error() != Some(libc::ETXTBSY) {
            return error;
        }
        std::thread::yield_now();
    }
}

fn file(directory: &TempDir, content: &str, mode: u32) -> std::path::PathBuf {
    let path = directory.path().join("program");
    write(&path, content).unwrap();
    set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_missing_program_is_not_found_and_127() {
    let error = failure(&SpawnSpec::new("/nonexistent/program"));
    assert_eq!((error.kind(), error.exit_status()), (SpawnErrorKind::NotFound, 127));
    assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    assert_eq!(error.path(), Path::new("/nonexistent/program"));
    assert!(error.to_string().starts_with("cannot start /nonexistent/program: not found"));
}

#[test]
fn a_file_without_the_executable_bit_is_not_executable_and_126() {
    let directory = tempfile::tempdir().unwrap();
    let error = failure(&SpawnSpec::new(file(&directory, "#!/bin/sh\n", 0o644)));
    assert_eq!((error.kind(), error.exit_status()), (SpawnErrorKind::NotExecutable, 126));
    assert_eq!(error.raw_os_error(), Some(libc::EACCES));
}

#[test]
fn a_directory_is_called_one() {
    let error = failure(&SpawnSpec::new("/tmp"));
    assert_eq!(error.kind(), SpawnErrorKind::NotExecutable);
    assert!(error.to_string().contains("it is a directory"), "{error}");
}

#[test]
fn a_script_with_a_missing_interpreter_names_the_interpreter() {
    let directory = tempfile::tempdir().unwrap();
    let script = file(&directory, "#!/nonexistent/interpreter -x\necho\n", 0o755);
    let error = failure(&SpawnSpec::new(script));
    assert_eq!((error.kind(), error.exit_status()), (SpawnErrorKind::NotFound, 127));
    assert!(error.to_string().contains("interpreter /nonexistent/interpreter was not found"));
    // Also where a script is the interpreter of another.
    let inner = error.path();
    let other = tempfile::tempdir().unwrap();
    let error = failure(&SpawnSpec::new(file(&other, &format!("#!{}\n", inner.display()), 0o755)));
    assert_eq!(error.kind(), SpawnErrorKind::NotFound);
    assert!(error.to_string().contains("interpreter /nonexistent/interpreter was not found"));
}

#[test]
fn a_script_whose_interpreter_is_no_program_names_the_interpreter() {
    let directory = tempfile::tempdir().unwrap();
    let script = file(&directory, "#!/tmp\n", 0o755);
    let error = failure(&SpawnSpec::new(script));
    assert_eq!(error.kind(), SpawnErrorKind::NotExecutable);
    assert!(error.to_string().contains("its interpreter /tmp is not executable"), "{error}");
}

#[test]
fn a_file_of_no_known_format_is_not_handed_to_a_shell() {
    let directory = tempfile::tempdir().unwrap();
    let error = failure(&SpawnSpec::new(file(&directory, "echo run by a shell\n", 0o755)));
    assert_eq!(error.kind(), SpawnErrorKind::NotExecutable);
    assert_eq!(error.raw_os_error(), Some(libc::ENOEXEC));
}

#[test]
fn arguments_beyond_the_systems_limit_are_the_callers_mistake() {
    let spec = shell("true").args(["x".repeat(1 << 20)]);
    let error = failure(&spec);
    assert_eq!(error.kind(), SpawnErrorKind::BadSpec);
    assert_eq!(error.raw_os_error(), Some(libc::E2BIG));
}

#[test]
fn contradictions_are_refused_with_their_reason() {
    let with = |change: &dyn Fn(&mut SpawnSpec)| {
        let mut spec = shell("true");
        change(&mut spec);
        let error = failure(&spec);
        assert_eq!(error.kind(), SpawnErrorKind::BadSpec);
        error.to_string()
    };
    assert!(with(&|spec| spec.lane = true).contains("a lane needs a channel"));
    assert!(with(&|spec| spec.worker_id = Some(1)).contains("a worker id needs a channel"));
    assert!(with(&|spec| spec.uid = Some(1)).contains("a user without a group"));
    assert!(with(&|spec| spec.args.push("a\0b".into())).contains("NUL"));
    assert!(with(&|spec| spec.env.push(("A".into(), "b\0".into()))).contains("NUL"));
    assert!(with(&|spec| spec.env.push(("A=B".into(), "c".into()))).contains("no name"));
    assert!(with(&|spec| spec.program = "".into()).contains("empty"));
}

#[test]
fn what_needs_the_helper_is_named_when_there_is_none() {
    let error = failure(&shell("true").cwd("/"));
    assert_eq!(error.kind(), SpawnErrorKind::BadSpec);
    assert!(error.to_string().contains("a working directory needs the exec helper"), "{error}");
}

#[test]
fn an_error_becomes_an_io_error_of_the_same_kind() {
    let error = std::io::Error::from(failure(&SpawnSpec::new("/nonexistent/program")));
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
