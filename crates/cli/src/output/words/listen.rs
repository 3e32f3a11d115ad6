//! The words about `--listen`: sockets that the primary opens for programs which know nothing of it.

use std::ffi::OsStr;
use std::fmt::Display;

pub(crate) const LISTEN: &str = "Listen there, and start each worker with the socket: for programs that know nothing of \
    portcrew; HOST:PORT, PORT, unix:PATH, udp:HOST:PORT, fd:N or sd:NAME, NAME= before it; may be repeated";
pub(crate) const LISTEN_LONG: &str = "\
Listen there, and start each worker with the socket. For programs that know nothing of portcrew, in any language; may \
be repeated, or joined by commas

  127.0.0.1:8080, [::1]:8080, localhost:8080
                   a TCP port on one address
  8080, :8080      a TCP port on every address, IPv6 and IPv4
  unix:/run/a.sock a Unix-domain socket; unix:@a for an abstract name
  udp:53, udp:127.0.0.1:53
                   a UDP port
  fd:7             a socket that this command was started with
  sd:web           one that systemd has passed (FileDescriptorName=web)
  web=8080         the same with a name

Workers find them by LISTEN_FDS (systemd's protocol), EINHORN_FD_0 (einhorn's) and PORTCREW_FD_0, from descriptor 3 \
on; in an argument of PROGRAM {fd} becomes the number of the first, {fd1} of the second, {fd:web} of that name. They \
have no channel: they accept by themselves (--policy shared), are ready when they have lived for --stable, or by --ready \
notify or a probe, and leave by SIGTERM (--stop-signal, --drain signal:NAME)";

pub(crate) const NONBLOCKING: &str = "The sockets of --listen do not block (O_NONBLOCK) when the first worker gets them: \
    for programs that expect it and do not set it, such as nginx";

pub(crate) const NOTHING_TO_LISTEN_ON: &str =
    "--listen-nonblocking says how the sockets of --listen are, and there is no --listen. Give one";
pub(crate) const SAYS_NOTHING: &str = "--ready: a worker that is started with the sockets of --listen has no channel to say \
    on that it listens, or is ready. Give --ready notify, tcp:ADDR:PORT, http://ADDR:PORT/PATH or alive, the default";
pub(crate) const HEARS_NOTHING: &str = "--drain: a worker that is started with the sockets of --listen has no channel to be \
    told on. Give --drain signal:NAME, or leave it out: it gets SIGTERM, or what --stop-signal says";
pub(crate) const HAS_NO_LANE: &str = "--heartbeat asks on the lane of programs with the Rust library, which a worker with \
    the sockets of --listen has not. Leave one of them out, or give --ready notify with --watchdog";
pub(crate) const OVERLAPS_ANYWAY: &str =
    "--overlap: workers with the sockets of --listen overlap anyway. Leave it out";

/// An argument that asks for a socket where there is none.
pub(crate) fn no_socket(argument: &OsStr) -> String {
    format!(
        "the argument `{}`: what stands in braces becomes the number of a socket of --listen, and there is no --listen. \
         Give one before the program, as in --listen 127.0.0.1:8080",
        argument.to_string_lossy().escape_debug()
    )
}

/// A socket that was passed to a command that goes into the background.
pub(crate) fn not_detached(address: &dyn Display) -> String {
    format!(
        "--listen {address}: what was passed to this command is not passed on into the background, where nobody could pass \
         it once more. Use `portcrew run`, which is what systemd starts; or name the address itself"
    )
}

/// A policy by which the primary would hand connections over.
pub(crate) fn takes_itself(item: &str) -> String {
    format!(
        "the policy {item}: a program that is started with the sockets of --listen takes connections by itself, so nobody \
         hands them over and nobody chooses. Leave it out for `shared`, or give --policy kernel"
    )
}

/// The policy that needs a socket for each worker, of what is one socket.
pub(crate) fn one_socket(address: &dyn Display) -> String {
    format!(
        "the policy kernel has a socket for each worker, and {address} is one: it must be a TCP or UDP address that the \
         primary binds by itself. Give `shared`, or kernel for single listeners, as in --policy 8080=kernel"
    )
}

/// A variable that the primary sets.
pub(crate) fn own_variable(name: &OsStr) -> String {
    format!(
        "--env {}: with --listen the primary sets EINHORN_* itself, anew for each worker. Leave it out",
        name.to_string_lossy().escape_debug()
    )
}

/// Which rule applies to a program that speaks Node's protocol.
pub(crate) fn no_channel() -> String {
    "with --listen each worker is started with descriptors and has no cluster channel: the program must listen on {fd} \
     (in Node.js server.listen({ fd: 3 })), and its own listen(PORT) would find the port taken. Without --listen it runs \
     by Node's cluster, unmodified"
        .to_owned()
}

pub(crate) fn connects_anyway() -> String {
    "--ready tcp: that port is one of --listen, on which the primary itself listens, so each connection is taken by the \
     kernel, whether the worker is ready or not. Give --ready http://ADDR:PORT/PATH, notify or alive"
        .to_owned()
}

pub(crate) fn others_answer() -> String {
    "--ready http: that port is one of --listen, which all workers have, so an old worker may answer for a new one. Give \
     --ready notify where the program can say so"
        .to_owned()
}

/// What `--explain` says of such a listener, which workers have as this descriptor.
pub(crate) fn inherited(listener: &dyn Display, descriptor: i32) -> String {
    format!(
        "{listener}: the primary has opened it and keeps it open; workers have it from their start, as descriptor \
         {descriptor}, and no channel"
    )
}
