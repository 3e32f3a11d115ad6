//! nginx, in a directory of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Process, Program, eventually};
use tempfile::TempDir;

use crate::Failure;
use crate::place::HANG;

/// How its workers come by connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listen {
    /// All accept from one socket.
    Shared,
    /// Each from one of its own, with SO_REUSEPORT.
    Own,
}

/// The program. It is one of the system, and is left out where it is not there.
#[derive(Debug)]
pub(crate) struct Nginx {
    path: PathBuf,
    pub(crate) version: String,
}

/// A master that answers. Dropping it ends it with its workers.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) process: Process,
    /// Its configuration and its temporary files.
    _directory: TempDir,
}

impl Nginx {
    /// The one that `PORTCREW_NGINX` names, else that of Debian.
    pub(crate) fn find() -> Option<Self> {
        let path = std::env::var_os("PORTCREW_NGINX").unwrap_or_else(|| "/usr/sbin/nginx".into());
        let answer = Command::new(&path).arg("-v").output().ok()?;
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        let version = said.split_once('/')?.1.trim().to_owned();
        Some(Self { path: path.into(), version })
    }

    /// Starts it, and returns when it answers.
    pub(crate) fn start(
        &self,
        workers: usize,
        listen: Listen,
        address: SocketAddr,
    ) -> Result<Master, Failure> {
        let directory = tempfile::Builder::new().prefix("portcrew-bench-nginx-").tempdir()?;
        let file = directory.path().join("nginx.conf");
        fs::write(&file, configuration(workers, listen, address))?;
        let program = Program::new(&self.path).arg("-p").arg(directory.path()).arg("-c").arg(&file);
        let process = program.start();
        eventually("nginx answers", HANG, || {
            (Load::new(address).requests(1).run().ok == 1).then_some(())
        });
        Ok(Master { process, _directory: directory })
    }
}

fn configuration(workers: usize, listen: Listen, address: SocketAddr) -> String {
    let own = match listen {
        Listen::Shared => "",
        Listen::Own => " reuseport",
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};\n"))
        .concat();
    format!(
        "daemon off;\nworker_processes {workers};\nuser root;\npid nginx.pid;\nerror_log stderr crit;\n\
         events {{ worker_connections 16384; }}\n\
         http {{\naccess_log off;\nkeepalive_requests 1000000000;\n{temporary}\
         server {{ listen {address}{own} backlog=511; location / {{ return 200 \"pid $pid\\n\"; }} }}\n}}\n"
    )
}
