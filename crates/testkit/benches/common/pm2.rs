//! PM2 in a home of its own: its daemon, and the commands that steer it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::{self, Node};
use portcrew_testkit::process::{Process, Program, eventually};
use serde_json::Value;
use tempfile::TempDir;

use crate::Failure;
use crate::crew::NAME;
use crate::place::{Answer, HANG, answer};

/// PM2's command.
#[derive(Debug, Clone)]
pub(crate) struct Cli {
    node: PathBuf,
    script: PathBuf,
    pub(crate) version: String,
}

/// A daemon. Dropping it ends it with all that it has started.
#[derive(Debug)]
pub(crate) struct Pm2 {
    cli: Cli,
    home: TempDir,
    /// Whoever started the daemon: with it the daemon ends, whatever else happens.
    _daemon: Process,
}

impl Cli {
    /// The one that `scripts/npm-cache peers/pm2 pm2@7` has installed.
    pub(crate) fn find(node: &Node) -> Option<Self> {
        let package = node::cache()?.join("peers/pm2/node_modules/pm2");
        let about = fs::read_to_string(package.join("package.json")).ok()?;
        let about: Value = serde_json::from_str(&about).ok()?;
        let version = about["version"].as_str()?.to_owned();
        Some(Self { node: node.path().to_path_buf(), script: package.join("bin/pm2"), version })
    }

    fn program<A: AsRef<OsStr>>(&self, home: &Path, args: impl IntoIterator<Item = A>) -> Program {
        Program::new(&self.node)
            .arg(&self.script)
            .args(args)
            .cwd(home)
            .name("pm2")
            .env("PM2_HOME", home)
            // No word to anybody outside, and no advertisement.
            .env("PM2_DISABLE_VERSION_CHECK", "true")
            .env("PM2_DISCRETE_MODE", "true")
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_CLUSTER_SCHED_POLICY")
            .env_remove("PORT")
    }
}

impl Pm2 {
    pub(crate) fn new(cli: &Cli) -> Result<Self, Failure> {
        let home = tempfile::Builder::new().prefix("portcrew-bench-pm2-").tempdir()?;
        let mut daemon = cli.program(home.path(), ["ping"]).start();
        if !daemon.wait_exit(HANG).success() {
            return Err("PM2's daemon did not start".into());
        }
        Ok(Self { cli: cli.clone(), home, _daemon: daemon })
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The daemon, whose children the workers are.
    pub(crate) fn daemon(&self) -> Result<u32, Failure> {
        Ok(fs::read_to_string(self.home().join("pm2.pid"))?.trim().parse()?)
    }

    pub(crate) fn ask(&self, args: &[&str]) -> Answer {
        answer(self.cli.program(self.home(), args))
    }

    /// Starts a crew of the script with these variables, and returns when it answers.
    pub(crate) fn start(
        &self,
        workers: usize,
        script: &Path,
        address: SocketAddr,
        env: &[(&str, &OsStr)],
    ) {
        let count = workers.to_string();
        let program = self.cli.program(self.home(), ["start", "--name", NAME, "-i", &count]);
        let program = program.arg(script).env("PORT", address.port().to_string());
        answer(env.iter().fold(program, |program, (name, value)| program.env(name, value)));
        eventually("PM2's crew answers", HANG, || {
            let report = Load::new(address).requests(1).run();
            (report.ok == 1 && self.pids().len() == workers).then_some(())
        });
    }

    /// The processes of the crew that are up.
    pub(crate) fn pids(&self) -> BTreeSet<u32> {
        let list: Value = serde_json::from_str(&self.ask(&["jlist"]).out).unwrap_or_default();
        let all = list.as_array().into_iter().flatten();
        let up = all.filter(|it| it["pm2_env"]["status"] == "online");
        up.filter_map(|it| u32::try_from(it["pid"].as_u64()?).ok()).collect()
    }

    pub(crate) fn reload(&self) -> Answer {
        self.ask(&["reload", NAME])
    }

    pub(crate) fn delete(&self) {
        self.ask(&["delete", NAME]);
    }
}

impl Drop for Pm2 {
    fn drop(&mut self) {
        self.ask(&["kill"]);
    }
}
