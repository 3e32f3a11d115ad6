//! What runtimes are known not to do, and why. Everything else they do.

use portcrew_testkit::node::Version;

use super::gap::Gap;
use super::row::Id;
use super::runtime::Kind;

/// A known gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) gap: Gap,
    /// What stands in the table.
    pub(crate) short: &'static str,
    /// What stands below it: what happens instead, and what to do.
    pub(crate) why: &'static str,
}

/// That of this runtime in this row.
pub(crate) fn known(row: Id, kind: Kind) -> Option<Known> {
    match kind {
        Kind::Node(version) => of_node(row, version),
        Kind::Bun => of_bun(row),
        Kind::Deno => of_deno(row),
    }
}

fn of_node(row: Id, Version { major, minor, .. }: Version) -> Option<Known> {
    let at = (major, minor);
    let heeds_zero = at >= (24, 15) || major == 22 && minor >= 22;
    match row {
        Id::MaxConnections if !heeds_zero => Some(ZERO_IS_NO_LIMIT),
        Id::DropMaxConnection if at < (22, 12) => Some(NO_DROP),
        Id::ServerTo if major < 20 => Some(NAMELESS_PATH),
        _ => None,
    }
}

fn of_bun(row: Id) -> Option<Known> {
    match row {
        Id::HandedOver
        | Id::Shared
        | Id::Kernel
        | Id::PortZero
        | Id::MaxConnections
        | Id::DropMaxConnection => Some(SELF_BOUND),
        Id::UnixPath => Some(Known { gap: Gap::OneWorkerOnly, ..SELF_BOUND_PATH }),
        Id::Twice => Some(Known { gap: Gap::Allowed, short: "allowed", ..SELF_BOUND }),
        Id::Disconnect | Id::Reload => Some(GOES_ON_LISTENING),
        Id::AsPrimary | Id::AsSharingPrimary => Some(BUNS_PRIMARY),
        _ => None,
    }
}

fn of_deno(row: Id) -> Option<Known> {
    match row {
        Id::Shared | Id::BareShared | Id::Kernel | Id::BareKernel => Some(LISTENS_ELSEWHERE),
        Id::Udp => Some(UNANNOUNCED_UDP),
        Id::DropMaxConnection => Some(SILENT_DROP),
        Id::ServerTo => Some(NAMELESS_PATH),
        Id::PrimaryGoneUnread => Some(ORPHAN),
        Id::AsPrimary | Id::AsSharingPrimary => Some(DENOS_PRIMARY),
        _ => None,
    }
}

const ZERO_IS_NO_LIMIT: Known = Known {
    gap: Gap::NoSuchOption,
    short: "no limit",
    why: "Before 22.22 and 24.15 Node takes `maxConnections: 0` for no limit, in its own cluster too.",
};

const NO_DROP: Known = Known {
    gap: Gap::NoSuchOption,
    short: "refused",
    why: "Node has the option since 22.12. An older worker gives the connection back, as it does without the option, \
          and portcrew offers it to another; where all refuse, it is closed and counted as `all_refused`.",
};

const NAMELESS_PATH: Known = Known {
    gap: Gap::Dies,
    short: "dies",
    why: "A cluster worker of Node 18 or Deno that receives a server asks its primary for a Unix path without a name. \
          portcrew answers `EINVAL` and goes on; the worker dies of that error, for its program has no server yet to \
          hear it. (Node's own primary dies of the question.) Send connections, or let the worker listen itself.",
};

const SELF_BOUND: Known = Known {
    gap: Gap::SelfBound,
    short: "binds by itself",
    why: "Bun's `http.Server` never asks the primary: each worker binds the port with `SO_REUSEPORT` and the kernel \
          spreads the connections. portcrew says so when the worker listens; no policy applies, and the primary sees \
          none of the connections. Give a fixed port: with port 0 each worker has another one. A port that the worker \
          or somebody else of the same user has bound so is no error. Servers of `net` are handed connections as \
          Node's are. (`Bun.serve` announces nothing at all: with `reusePort: true` every worker serves, but the primary \
          never learns that it does, and a reload is rolled back.)",
};

const SELF_BOUND_PATH: Known = Known {
    gap: Gap::OneWorkerOnly,
    short: "one worker",
    why: "Bun's `http.Server` binds a Unix path by itself too: the first worker has it, the others get `EADDRINUSE`. \
          portcrew says so.",
};

const GOES_ON_LISTENING: Known = Known {
    gap: Gap::NeedsSignal,
    short: "by signal",
    why: "Told to leave, Bun closes its channel and goes on listening, until it gets SIGTERM at the end of the grace, \
          which cuts what it is serving. One line of its own makes it leave like Node: \
          `process.on('disconnect', () => server.close())`. Connections that the kernel has queued for its socket \
          then are reset, unless `net.ipv4.tcp_migrate_req` is 1.",
};

const BUNS_PRIMARY: Known = Known {
    gap: Gap::NotAttempted,
    short: "–",
    why: "Bun's primary hears cluster messages only behind its own mark, so a worker that is not Bun stays silent to \
          it. Not run.",
};

const LISTENS_ELSEWHERE: Known = Known {
    gap: Gap::ListensElsewhere,
    short: "elsewhere",
    why: "Deno takes the shared socket, announces its address, and then listens on another port: clients wait in \
          vain. `portcrew run --policy shared deno …` is refused with those words, for single listeners too; where only \
          `NODE_CLUSTER_SCHED_POLICY` asks for it, connections are handed over instead, which is said. In the library \
          choose another policy for Deno.",
};

const UNANNOUNCED_UDP: Known = Known {
    gap: Gap::Unannounced,
    short: "binds by itself",
    why: "Deno binds UDP by itself and says nothing: a second worker gets `EADDRINUSE` for a fixed port, and another \
          port for port 0. While such a socket is open the worker does not end by itself.",
};

const SILENT_DROP: Known = Known {
    gap: Gap::NoEvent,
    short: "no event",
    why: "Deno closes the connection, and its server has no `drop` event.",
};

const ORPHAN: Known = Known {
    gap: Gap::Orphan,
    short: "lives on",
    why: "When its primary is killed before it has read all that the worker said, the kernel resets the channel, and \
          Deno takes no notice. A worker to which no connection comes any more stays behind; end it by hand. (A crew \
          that stops, by whatever signal but SIGKILL, ends all its workers.)",
};

const DENOS_PRIMARY: Known = Known {
    gap: Gap::NotAttempted,
    short: "–",
    why: "Deno's primary starts its workers with Deno whatever `process.execPath` says. Not run.",
};
