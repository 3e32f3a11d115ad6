//! The releases of a Node server: one file, which the next release replaces.

use std::fs;
use std::path::{Path, PathBuf};

use portcrew_testkit::node::fixture;
use serde::Serialize;

use crate::Failure;

/// Longer than a newcomer that dies early lives, with a machine that is slow to start it.
const DIES_AFTER_MS: u32 = 200;

/// What a release does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// It serves.
    Good,
    /// It serves, and its health check says so.
    Healthy,
    Throws,
    Hangs,
    Dies,
    /// It serves, and its health check says 503.
    Unhealthy,
}

/// The file that a crew runs.
#[derive(Debug)]
pub(crate) struct Release {
    script: PathBuf,
}

impl Release {
    pub(crate) fn new(directory: &Path, kind: Kind) -> Result<Self, Failure> {
        let release = Self { script: directory.join("server.js") };
        release.put(kind)?;
        Ok(release)
    }

    pub(crate) fn script(&self) -> &Path {
        &self.script
    }

    /// Puts another release in its place, whole at any moment.
    pub(crate) fn put(&self, kind: Kind) -> Result<(), Failure> {
        let next = self.script.with_extension("next");
        fs::write(&next, kind.source())?;
        Ok(fs::rename(next, &self.script)?)
    }
}

impl Kind {
    pub(crate) const BROKEN: [Self; 4] = [Self::Throws, Self::Hangs, Self::Dies, Self::Unhealthy];

    /// The good one that it is to replace.
    pub(crate) const fn predecessor(self) -> Self {
        match self {
            Self::Good | Self::Throws | Self::Hangs | Self::Dies => Self::Good,
            Self::Healthy | Self::Unhealthy => Self::Healthy,
        }
    }

    pub(crate) const fn said(self) -> &'static str {
        match self {
            Self::Good | Self::Healthy => "is good",
            Self::Throws => "throws at boot",
            Self::Hangs => "hangs before it is ready",
            Self::Dies => "dies soon after it was ready",
            Self::Unhealthy => "listens, fails its probe",
        }
    }

    /// What the verdict on it has to say, beside that it was rolled back.
    pub(crate) const fn reasons(self) -> [&'static str; 2] {
        match self {
            Self::Good | Self::Healthy => ["", ""],
            Self::Throws => ["exited with status 1", "Error: broken at boot"],
            Self::Hangs => ["was not ready within 1.5 s", "ALIVE"],
            Self::Dies => ["exited with status 1", "Error: lost the database"],
            Self::Unhealthy => ["was not ready within 2 s", "LISTENING"],
        }
    }

    fn source(self) -> String {
        let run = |name: &str| format!("require({:?});\n", fixture(name).display().to_string());
        match self {
            Self::Good => run("hello.js"),
            Self::Healthy => run("health.js"),
            Self::Throws => run("broken.js"),
            Self::Hangs => run("never_listens.js"),
            Self::Dies => {
                let throw = "throw new Error('lost the database');";
                format!("{}setTimeout(() => {{ {throw} }}, {DIES_AFTER_MS});\n", run("hello.js"))
            }
            Self::Unhealthy => format!("process.env.HEALTH_STATUS = '503';\n{}", run("health.js")),
        }
    }
}
