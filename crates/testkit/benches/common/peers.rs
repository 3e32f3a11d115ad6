//! Servers of other makers, where they are there: nginx, and PM2 in its cluster mode.

use std::fs;

use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::ports;
use serde::Serialize;

use crate::common::Failure;
use crate::common::server::{Keeper, Server, is_wanted};
use crate::nginx::{Listen, Master, Nginx};
use crate::pm2::{Cli, Pm2};

/// The names in the tables.
pub(crate) mod name {
    pub(crate) const NGINX: &str = "nginx";
    pub(crate) const NGINX_SHARED: &str = "nginx shared";
    pub(crate) const PM2: &str = "PM2 cluster";
}

/// Those that are there.
#[derive(Debug)]
pub(crate) struct Peers {
    nginx: Option<Nginx>,
    pm2: Option<Cli>,
}

/// What there is of them, to be printed.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) nginx: Option<String>,
    pub(crate) pm2: Option<String>,
}

impl Peers {
    pub(crate) fn find(node: Option<&Node>) -> Self {
        Self { nginx: Nginx::find(), pm2: node.and_then(Cli::find) }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let nginx = self.nginx.iter().flat_map(|_| [name::NGINX, name::NGINX_SHARED]);
        nginx.chain(self.pm2.iter().map(|_| name::PM2))
    }

    pub(crate) fn found(&self) -> Found {
        Found {
            nginx: self.nginx.as_ref().map(|it| it.version.clone()),
            pm2: self.pm2.as_ref().map(|it| it.version.clone()),
        }
    }
}

impl Found {
    /// What is left out, and how it would be there.
    pub(crate) fn line(&self) -> String {
        let nginx = self.nginx.as_ref().map_or_else(
            || "nginx not found, left out (PORTCREW_NGINX names it)".to_owned(),
            |version| format!("nginx {version}"),
        );
        let pm2 = self.pm2.as_ref().map_or_else(
            || "PM2 not in the cache, left out (scripts/npm-cache peers/pm2 pm2@7)".to_owned(),
            |version| format!("PM2 {version}"),
        );
        format!("{nginx}; {pm2}")
    }
}

/// Starts those that are wanted (none by name is all), and returns when they answer.
pub(crate) fn start(
    peers: &Peers,
    workers: u16,
    wanted: &[String],
) -> Result<Vec<Server>, Failure> {
    let mut servers = Vec::new();
    for name in peers.names().filter(|name| is_wanted(name, wanted)) {
        servers.extend(peers.start(name, usize::from(workers))?);
    }
    Ok(servers)
}

impl Peers {
    /// Starts the one of this name, and returns when it answers. None when it is not there.
    pub(crate) fn start(&self, name: &str, workers: usize) -> Result<Option<Server>, Failure> {
        let address = ports::free();
        let by_nginx = |listen| {
            let Some(nginx) = &self.nginx else { return Ok(None) };
            let master = nginx.start(workers, listen, address)?;
            Ok(Some(Server::up(name.to_owned(), false, address, Box::new(master))))
        };
        match name {
            name::NGINX => by_nginx(Listen::Own),
            name::NGINX_SHARED => by_nginx(Listen::Shared),
            _ => {
                let Some(cli) = &self.pm2 else { return Ok(None) };
                let pm2 = Pm2::new(cli)?;
                pm2.start(workers, &fixture("hello.js"), address, &[]);
                let daemon = Daemon { pid: pm2.daemon()?, _pm2: pm2 };
                give_our_weight(daemon.pid);
                Ok(Some(Server::up(name.to_owned(), true, address, Box::new(daemon))))
            }
        }
    }
}

/// PM2's daemon begins a session, and the kernel weighs sessions against each other: with another weight than ours, as on
/// a busy machine (docs/benchmarks/method.md), it would be the only server without it.
fn give_our_weight(daemon: u32) {
    let ours = fs::read_to_string("/proc/self/autogroup").unwrap_or_default();
    if let Some((_, weight)) = ours.trim().rsplit_once("nice ") {
        // Where that is not allowed, or there are no such groups, all have the same.
        let _ = fs::write(format!("/proc/{daemon}/autogroup"), weight);
    }
}

impl Keeper for Master {
    fn primary(&self) -> u32 {
        self.process.pid()
    }

    fn fail(&self, why: &str) -> ! {
        self.process.fail(why)
    }
}

/// PM2's daemon, which hands connections over.
#[derive(Debug)]
struct Daemon {
    pid: u32,
    _pm2: Pm2,
}

impl Keeper for Daemon {
    fn primary(&self) -> u32 {
        self.pid
    }

    #[allow(clippy::panic, reason = "as any other server that fails")]
    fn fail(&self, why: &str) -> ! {
        panic!("PM2's daemon (pid {}): {why}", self.pid)
    }
}
