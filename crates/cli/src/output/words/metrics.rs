//! What each metric is, in its HELP line.

pub(crate) const ACCEPTED: &str = "Connections that the primary accepted.";
pub(crate) const TAKEN: &str = "Connections that a worker took.";
pub(crate) const OFFERED_AGAIN: &str = "Offers made again after a refusal or a worker's death.";
pub(crate) const IN_VAIN: &str =
    "Connections whose first bytes a policy waited for in vain, so that the address decided.";
pub(crate) const DIED_INSIDE: &str = "Connections that were open in workers which ended unasked, as far as a policy \
                                      counts them.";
pub(crate) const CUT_INSIDE: &str = "Connections that were open in workers which were asked to leave and were ended by \
                                     a signal, as far as a policy counts them.";
pub(crate) const DIED_UNCOUNTED: &str =
    "Workers that ended unasked, and how many connections were open in them is unknown.";
pub(crate) const CUT_UNCOUNTED: &str = "Workers that were asked to leave and were ended by a signal, and how many \
                                        connections were open in them is unknown.";
pub(crate) const ACCEPT_FAILURES: &str = "Times that accepting failed.";
pub(crate) const STRAY_ANSWERS: &str = "Answers of workers that were about no offer.";
pub(crate) const BAD_PICKS: &str = "Times that a policy named a worker that does not listen.";
pub(crate) const SCHEDULER_PANICS: &str = "Policies that panicked, and are not asked again.";
pub(crate) const CLOSED: &str =
    "Connections that no worker took, by the reason why they were closed.";
pub(crate) const RESCUED: &str = "Connections that had waited too long at the socket of a worker, and were handed to \
                                  another (policy kernel).";
pub(crate) const HELD: &str = "Connections that wait in the primary for a worker.";
pub(crate) const OFFERED: &str = "Connections that were offered to a worker and not answered for.";
pub(crate) const LISTENER_HELD: &str =
    "Connections of this listener that wait in the primary for a worker.";
pub(crate) const LISTENER_DEEPEST: &str =
    "The most of them that have waited at once since the listener was opened.";
pub(crate) const ACCEPT_QUEUE: &str =
    "Connections that wait in the kernel, where nobody has accepted them yet.";
pub(crate) const ACCEPT_QUEUE_DEEPEST: &str =
    "The most of them that waited at any look since the listener was opened.";
pub(crate) const ACCEPT_QUEUE_LIMIT: &str =
    "How many may wait there: the backlog, or net.core.somaxconn where that is less.";
pub(crate) const LISTENER_ACCEPTED: &str =
    "Connections that came to this listener, where workers do not accept by themselves.";
pub(crate) const LISTENER_TAKEN: &str = "Those of them that a worker took.";
pub(crate) const DROPPED: &str =
    "Connections that the kernel dropped at this listener, nearly always for want of room.";
pub(crate) const OVERFLOWS: &str = "Connections that found an accept queue full, of any program in the primary's \
                                    network namespace.";
pub(crate) const DROPS: &str = "Connections and requests for one that listening sockets have dropped, of any program in \
                                the primary's network namespace.";
pub(crate) const HANDOVER: &str =
    "From the offer of a connection until its worker took or refused it.";
pub(crate) const UPTIME: &str = "Time since the primary began to lead the crew.";
pub(crate) const GENERATION: &str = "Generation that was committed last, from 0.";
pub(crate) const WANTED: &str = "Workers that are to be there.";
pub(crate) const READY: &str = "Workers that serve and are not leaving.";
pub(crate) const RESTARTS: &str = "Workers replaced that nobody had asked to leave, by reason.";
pub(crate) const OUTPUT_LOST: &str =
    "Lines of output that were dropped: nobody read them, or the disk was full.";
pub(crate) const WORKER_TAKEN: &str =
    "Connections that this worker took, where it does not accept by itself.";
pub(crate) const WORKER_READY: &str = "1 while this worker serves and is not leaving, else 0.";
pub(crate) const WORKER_LIVE: &str =
    "Connections that this worker has open, while a policy counts them.";
pub(crate) const WORKER_HANDOVER: &str =
    "From the offer of a connection to its answer, as a moving average.";
pub(crate) const CPU: &str = "CPU time used by a process: the primary or a worker.";
pub(crate) const MEMORY: &str = "Memory of a process (PSS): what is shared counts by parts.";
