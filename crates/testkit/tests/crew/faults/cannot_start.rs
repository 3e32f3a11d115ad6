//! Programs that cannot be started, or end before their first word: whoever asked hears why, and nothing is kept.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use portcrew_testkit::process::proc_fs;

use crate::support::{Crew, SERVER, primary};

/// How often each is tried.
const TRIES: usize = 50;

fn file(directory: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn each_of_two_hundred_failed_starts_says_why_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let programs = [
        (folder.join("missing"), "not found"),
        (file(folder, "no-program", "#!/bin/sh\n", 0o644), "not executable (no x permission)"),
        (file(folder, "no-interpreter", "#!/none/such\n", 0o755), "No such file or directory"),
        (file(folder, "no-format", "\u{7f}ELF", 0o755), "Exec format error"),
    ];
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    for (program, why) in &programs {
        crew.tell(&format!("program {}", program.display()));
        for _ in 0..TRIES {
            crew.tell("fork");
            let error = crew.next("failed")["error"].as_str().unwrap().to_owned();
            assert!(error.contains(why), "{}: {error}", program.display());
        }
    }
    // The books are read last: by then nothing is on its way.
    assert_eq!(crew.snapshot()["workers"].as_array().unwrap().len(), 1);
    crew.assert_fds(before);
    assert_eq!(proc_fs::children(crew.pid()).unwrap().len(), 1);
    crew.assert_no_panic();
}

#[test]
fn a_program_that_ends_before_its_first_word_is_reaped_with_its_code() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    crew.tell("program false");
    for _ in 0..TRIES {
        crew.tell("fork");
        assert_eq!(crew.next("exit")["code"], 1);
    }
    for _ in 0..TRIES {
        crew.next("disconnect");
    }
    crew.assert_fds(before);
    assert_eq!(proc_fs::children(crew.pid()).unwrap().len(), 1);
}
