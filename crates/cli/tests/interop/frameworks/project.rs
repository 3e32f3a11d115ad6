//! A directory as its developer would have it: a program, and its packages in `node_modules`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use portcrew_testkit::process::{Program, Signal};
use portcrew_testkit::tls::Certificate;
use serde_json::Value;
use tempfile::TempDir;

use crate::cache;
use crate::crew::{Crew, assert_gone, portcrew};

/// The workers of each crew here.
pub(crate) const WORKERS: usize = 3;

/// A program, its packages, and what else it needs.
pub(crate) struct Project {
    directory: TempDir,
    certificate: Option<Certificate>,
    /// Of `portcrew run`.
    options: Vec<&'static str>,
    /// Each package with its version.
    pub(crate) packages: Vec<String>,
}

impl Project {
    /// The program `apps/NAME.js` with these packages of npm. None, visibly, where it is not to run.
    pub(crate) fn with_packages(name: &str, packages: &[&str]) -> Option<Self> {
        let installed = cache::npm(&format!("frameworks/{name}"), packages)?.join("node_modules");
        let project = Self::of(name);
        symlink(&installed, project.path("node_modules")).unwrap();
        let version = |package: &&str| format!("{package} {}", version(&installed.join(package)));
        Some(Self { packages: packages.iter().map(version).collect(), ..project })
    }

    /// The program `apps/NAME.js`, which needs Node alone, and a certificate. None, visibly, where it is not to run.
    pub(crate) fn with_tls(name: &str) -> Option<Self> {
        if !cache::whole() {
            cache::skipped(&format!("{name} takes part in `just interop`"));
            return None;
        }
        Some(Self { certificate: Some(Certificate::make_or_skip()?), ..Self::of(name) })
    }

    pub(crate) fn with_options(self, options: &[&'static str]) -> Self {
        Self { options: options.to_vec(), ..self }
    }

    fn of(name: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        let app = here.join("apps").join(format!("{name}.js"));
        fs::copy(app, directory.path().join("app.js")).unwrap();
        // A client finds its packages where the server does.
        let clients = directory.path().join("clients");
        fs::create_dir(&clients).unwrap();
        for script in fs::read_dir(here.join("clients")).unwrap() {
            let script = script.unwrap();
            fs::copy(script.path(), clients.join(script.file_name())).unwrap();
        }
        Self { directory, certificate: None, options: Vec::new(), packages: Vec::new() }
    }

    /// `portcrew run -w 3 app.js`
    pub(crate) fn run(&self) -> Crew {
        let program = portcrew("run").args(["-w", &WORKERS.to_string()]);
        let program = program.args(&self.options).arg("app.js");
        Crew { process: self.told(program).cwd(self.directory.path()).start() }
    }

    /// What a program here has to know.
    pub(crate) fn told(&self, program: Program) -> Program {
        match &self.certificate {
            Some(certificate) => certificate.told_to(program),
            None => program,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Replaces every worker, waits until that is done, and gives the pids of the new ones.
pub(crate) fn reload(crew: &Crew) -> BTreeSet<u32> {
    let old = crew.pids_when(WORKERS);
    crew.process.signal(Signal::Hup);
    crew.says("reload: 3 of 3 replaced");
    crew.says("reload: done in ");
    let new = crew.pids_when(WORKERS);
    assert!(old.is_disjoint(&new), "{old:?} {new:?}");
    new
}

/// Stops the crew as a service manager would. Everybody leaves by itself, and nobody stays behind.
pub(crate) fn stop(mut crew: Crew) {
    let pids = crew.pids();
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    assert_gone(&pids);
    let said = crew.said();
    assert!(!said.iter().any(|line| line.contains("has not left")), "{said:?}");
}

fn version(package: &Path) -> String {
    let manifest = fs::read_to_string(package.join("package.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["version"].as_str().unwrap().to_owned()
}
