//! Programs that cannot be run: the path, the reason, the next step, and a status that scripts can tell apart.

use std::fs;

use crate::command::portcrew;

#[test]
fn a_program_that_does_not_exist_is_127() {
    let directory = tempfile::tempdir().unwrap();
    for (program, words) in [
        ("./missing", &["missing: there is no such file", "Check the path"][..]),
        ("no-such-program-anywhere", &["`no-such-program-anywhere`", "$PATH"]),
        ("missing.js", &["`missing.js`"]),
    ] {
        let answer = portcrew(directory.path(), &["run", program]);
        assert_eq!(answer.status, 127, "{program}");
        for word in words {
            assert!(answer.stderr.contains(word), "{program}: {}", answer.stderr);
        }
        assert!(answer.stderr.starts_with("portcrew: "));
    }
}

#[test]
fn a_program_that_cannot_be_executed_is_126() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("server"), "text").unwrap();
    fs::create_dir(directory.path().join("app")).unwrap();
    for (program, word) in [("./server", "chmod +x"), ("./app", "is a directory")] {
        let answer = portcrew(directory.path(), &["run", program]);
        assert_eq!(answer.status, 126, "{program}");
        assert!(answer.stderr.contains(word), "{program}: {}", answer.stderr);
    }
}

#[test]
fn a_script_that_package_json_lacks_is_127_with_those_it_has() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("package.json"), r#"{"scripts":{"serve":"node x"}}"#).unwrap();
    let answer = portcrew(directory.path(), &["run", "npm", "run", "sevre"]);
    assert_eq!(answer.status, 127);
    assert!(answer.stderr.contains("`sevre`") && answer.stderr.contains("serve"));
}
