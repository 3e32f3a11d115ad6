//! The rows of the page: what is asked of a runtime.

use super::gap::Gap;
use super::runtime::Runtime;
use super::{handles, key_rule, leaving, limits, listening, primary, talking};

/// Done, or what was seen in its place. What is neither panics.
pub(crate) type Seen = Result<(), Gap>;

/// One row.
pub(crate) struct Row {
    pub(crate) id: Id,
    pub(crate) title: &'static str,
    pub(crate) check: fn(&Runtime) -> Seen,
}

/// A row's name in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    HandedOver,
    Shared,
    BareHandedOver,
    BareShared,
    Kernel,
    BareKernel,
    FixedPort,
    UnixPath,
    Udp,
    PortZero,
    CloseAndListen,
    Twice,
    ReusePort,
    MaxConnections,
    DropMaxConnection,
    Messages,
    ServerTo,
    SocketTo,
    UdpTo,
    ServerFrom,
    SocketFrom,
    UdpFrom,
    Disconnect,
    OwnWill,
    PrimaryGone,
    PrimaryGoneUnread,
    Reload,
    ReloadClosing,
    AsPrimary,
    AsSharingPrimary,
}

/// All of them, in the order of the page.
pub(crate) const ROWS: [Row; 30] = [
    row(Id::HandedOver, "`http`, handed over in turn", listening::handed_over),
    row(Id::Shared, "`http`, policy `shared`", listening::shared),
    row(Id::BareHandedOver, "`net`, handed over in turn", listening::bare_handed_over),
    row(Id::BareShared, "`net`, policy `shared`", listening::bare_shared),
    row(Id::Kernel, "`http`, policy `kernel`", listening::kernel),
    row(Id::BareKernel, "`net`, policy `kernel`", listening::bare_kernel),
    row(Id::FixedPort, "`http` on a fixed port: every worker serves", listening::fixed_port),
    row(Id::UnixPath, "Unix-domain path", listening::unix_path),
    row(Id::Udp, "UDP, one port for all workers", listening::udp),
    row(Id::PortZero, "two `listen(0)`: two ports, each for all workers", key_rule::port_zero),
    row(Id::CloseAndListen, "listen, close, listen again", key_rule::close_and_listen),
    row(Id::Twice, "a port that the worker has already: `EADDRINUSE`", key_rule::twice),
    row(Id::ReusePort, "`reusePort: true`", limits::reuse_port),
    row(Id::MaxConnections, "`maxConnections: 0` in one worker: the other serves", limits::none),
    row(Id::DropMaxConnection, "`dropMaxConnection`", limits::drops),
    row(Id::Messages, "messages, both ways", talking::messages),
    row(Id::ServerTo, "a server, sent to the worker", handles::server_to),
    row(Id::SocketTo, "a connection, sent to the worker", handles::socket_to),
    row(Id::UdpTo, "a UDP socket, sent to the worker", handles::udp_to),
    row(Id::ServerFrom, "a server, sent by the worker", handles::server_from),
    row(Id::SocketFrom, "a connection, sent by the worker", handles::socket_from),
    row(Id::UdpFrom, "a UDP socket, sent by the worker", handles::udp_from),
    row(Id::Disconnect, "told to leave: it does, with status 0", leaving::told),
    row(Id::OwnWill, "leaves of its own will, as planned", leaving::own_will),
    row(Id::PrimaryGone, "ends when its primary is killed", leaving::primary_gone),
    row(Id::PrimaryGoneUnread, "likewise, with messages unread", leaving::primary_gone_unread),
    row(Id::Reload, "reload under load, no request lost", leaving::reload),
    row(Id::ReloadClosing, "reload, with a server closed on `disconnect`", leaving::reload_closing),
    row(Id::AsPrimary, "as the primary of Rust workers, `SCHED_RR`", primary::in_turn),
    row(Id::AsSharingPrimary, "as the primary of Rust workers, `SCHED_NONE`", primary::shared),
];

const fn row(id: Id, title: &'static str, check: fn(&Runtime) -> Seen) -> Row {
    Row { id, title, check }
}
