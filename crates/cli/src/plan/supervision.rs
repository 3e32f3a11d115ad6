//! What the options about supervision mean to the library, and which of them do not go together.

use std::time::Duration;

use portcrew::{Drain, Liveness, Ready, Settings, Signal};

use super::listen;
use super::policies::Policies;
use super::refusal::Refusal;
use crate::args::{Assignment, Deadline, RunArgs, Supervision};
use crate::output::words::supervision as words;

/// How long a new worker must last before it counts: the library's default.
const STABLE_FOR: Duration = Duration::from_secs(1);

/// From one probe of a ready worker to the next, where only the number of failures is given.
const ALIVE_EVERY: Duration = Duration::from_secs(10);

/// Looks for options that contradict each other, or that would do nothing.
///
/// # Errors
/// The first of them.
pub(super) fn check(args: &RunArgs, policies: &Policies) -> Result<(), Refusal> {
    let asked = &meant(args);
    let reasons = [
        of_probes(asked),
        of_reloads(asked, !args.listen.is_empty()),
        of_leaving(asked),
        of_surroundings(args, asked, policies),
    ];
    match reasons.into_iter().flatten().next() {
        Some(reason) => Err(Refusal::Contradiction(reason)),
        None => Ok(()),
    }
}

/// Puts what was asked for into the settings of the crew.
pub(crate) fn apply(args: &RunArgs, settings: &mut Settings) {
    let asked = &meant(args);
    settings.ready = asked.ready();
    settings.drain = asked.drain();
    settings.stable_for = stable_for(asked);
    settings.probing.every = asked.probe_every.unwrap_or(settings.probing.every);
    settings.probing.within = asked.probe_within.unwrap_or(settings.probing.within);
    settings.liveness = liveness(asked);
    settings.surge = asked.surge.unwrap_or(settings.surge);
    settings.max_unavailable = asked.max_unavailable.unwrap_or(settings.max_unavailable);
    settings.overlap = asked.overlap;
    settings.max_age = asked.max_age;
    settings.max_memory = asked.max_memory;
    settings.max_connections = asked.max_connections;
    settings.shed = asked.shed;
    settings.stop_exit_codes.clone_from(&asked.stop_exit_codes);
    settings.hang_signal = asked.hang_signal;
    settings.stop_signal = asked.stop_signal.unwrap_or(settings.stop_signal);
    settings.kill_after = asked.kill_after.unwrap_or(settings.kill_after);
}

/// What was asked for, and what follows from it where nothing was.
fn meant(args: &RunArgs) -> Supervision {
    let asked = args.supervision.clone();
    if args.listen.is_empty() { asked } else { listen::fill_in(asked) }
}

/// Whether something is asked for that the primary can only know of connections that it gives. That answers have their
/// default asks for nothing: there are none.
pub(super) fn counts_connections(asked: &Supervision) -> bool {
    let answers = asked.answer_within.is_some_and(|it| it.time().is_some());
    asked.max_connections.is_some() || answers || asked.shed
}

fn stable_for(asked: &Supervision) -> Duration {
    asked.stable.unwrap_or(STABLE_FOR)
}

fn liveness(asked: &Supervision) -> Liveness {
    let mut liveness = Liveness::default();
    let repeats = asked.alive_every.is_some() || asked.alive_failures.is_some();
    liveness.every = repeats.then(|| asked.alive_every.unwrap_or(ALIVE_EVERY));
    liveness.failures = asked.alive_failures.unwrap_or(liveness.failures);
    liveness.answer_within = asked.answer_within.map_or(liveness.answer_within, Deadline::time);
    (liveness.heartbeat, liveness.watchdog) = (asked.heartbeat, asked.watchdog);
    liveness
}

fn of_probes(asked: &Supervision) -> Option<&'static str> {
    let ready = asked.ready();
    let is_probe = matches!(ready, Ready::TcpConnect(_) | Ready::HttpGet(_));
    let probes = asked.probe_every.is_some() || asked.probe_within.is_some();
    let repeats = asked.alive_every.is_some() || asked.alive_failures.is_some();
    if !is_probe && probes {
        Some(words::ONLY_PROBES)
    } else if !is_probe && repeats {
        Some(words::NOTHING_TO_REPEAT)
    } else if ready != Ready::Notify && asked.watchdog.is_some() {
        Some(words::NO_DOG)
    } else {
        None
    }
}

/// `overlaps`: workers are beside their successors however they are ready.
fn of_reloads(asked: &Supervision, overlaps: bool) -> Option<&'static str> {
    let is_by_age = asked.ready() == Ready::Alive;
    if asked.overlap && !is_by_age {
        Some(words::OVERLAPS_ANYWAY)
    } else if asked.surge.is_some() && is_by_age && !asked.overlap && !overlaps {
        Some(words::NO_SURGE)
    } else if asked.surge == Some(0) && asked.max_unavailable.unwrap_or(0) == 0 {
        Some(words::NOBODY_REPLACED)
    } else {
        None
    }
}

fn of_leaving(asked: &Supervision) -> Option<&'static str> {
    let is_killed = asked.stop_signal == Some(Signal::Kill);
    if is_killed && asked.kill_after.is_some() {
        Some(words::KILLED_ANYWAY)
    } else if asked.hang_signal.is_some() && nobody_hangs(&liveness(asked)) {
        Some(words::NOBODY_HANGS)
    } else {
        None
    }
}

/// Nothing is looked at by which a worker could be found to hang.
fn nobody_hangs(it: &Liveness) -> bool {
    let signs = [it.every, it.answer_within, it.heartbeat, it.watchdog];
    signs.iter().all(Option::is_none)
}

fn of_surroundings(
    args: &RunArgs,
    asked: &Supervision,
    policies: &Policies,
) -> Option<&'static str> {
    if asked.ready() == Ready::Alive && args.start_deadline <= stable_for(asked) {
        Some(words::NEVER_ALIVE)
    } else if counts_connections(asked) && policies.are_all_shared() {
        Some(words::NOBODY_COUNTS)
    } else if args.surroundings.register
        && !matches!(asked.drain(), Drain::Disconnect | Drain::Signal(Signal::Terminate))
    {
        Some(words::NOT_REGISTERED)
    } else if asked.ready() == Ready::Notify && args.env.iter().any(Assignment::is_about_notify) {
        Some(words::OWN_NOTIFY_SOCKET)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command, Policy};

    fn args(words: &str) -> RunArgs {
        let words = ["portcrew", "run"].into_iter().chain(words.split_whitespace()).chain(["x"]);
        let Command::Run(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("`run` is the command here")
        };
        *args
    }

    fn refused(words: &str) -> Option<&'static str> {
        let args = args(words);
        let common = args.policy.as_ref().and_then(|it| it.common.clone());
        match check(&args, &Policies::only(common.unwrap_or(Policy::RoundRobin))) {
            Err(Refusal::Contradiction(reason)) => Some(reason),
            Err(other) => panic!("{other:?}"),
            Ok(()) => None,
        }
    }

    fn settings(words: &str) -> Settings {
        let mut settings = Settings::default();
        apply(&args(words), &mut settings);
        settings
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_its_reason() {
        for (words, reason) in [
            ("--probe-every 1s", words::ONLY_PROBES),
            ("--ready message --probe-within 1s", words::ONLY_PROBES),
            ("--alive-every 1s", words::NOTHING_TO_REPEAT),
            ("--ready notify --alive-failures 2", words::NOTHING_TO_REPEAT),
            ("--watchdog 1s", words::NO_DOG),
            ("--overlap", words::OVERLAPS_ANYWAY),
            ("--ready alive --surge 2", words::NO_SURGE),
            ("--surge 0", words::NOBODY_REPLACED),
            ("--surge 0 --max-unavailable 0", words::NOBODY_REPLACED),
            ("--stop-signal KILL --kill-after 5s", words::KILLED_ANYWAY),
            ("--answer-within off --hang-signal ABRT", words::NOBODY_HANGS),
            ("--ready alive --start-deadline 1s", words::NEVER_ALIVE),
            ("--ready alive --stable 2s --start-deadline 2s", words::NEVER_ALIVE),
            ("--policy shared --max-connections 9", words::NOBODY_COUNTS),
            ("--policy shared --answer-within 5s", words::NOBODY_COUNTS),
            ("--policy shared --shed", words::NOBODY_COUNTS),
            ("--register --drain message:x", words::NOT_REGISTERED),
            ("--register --shutdown-with-message", words::NOT_REGISTERED),
            ("--ready notify --env NOTIFY_SOCKET=/s", words::OWN_NOTIFY_SOCKET),
            ("--ready notify --env A=b --env WATCHDOG_USEC=9", words::OWN_NOTIFY_SOCKET),
        ] {
            assert_eq!(refused(words), Some(reason), "{words}");
        }
    }

    #[test]
    fn what_goes_together_is_taken() {
        for words in [
            "",
            "--ready tcp:127.0.0.1:1 --probe-every 1s --probe-within 1s --alive-every 1s",
            "--ready notify --watchdog 1s",
            "--ready alive --overlap --surge 2",
            "--ready alive --max-unavailable 2",
            "--ready alive --stable 100ms --start-deadline 1s",
            "--surge 0 --max-unavailable 1",
            "--policy shared --max-age 7d --max-memory 1G",
            "--register --drain signal:TERM",
            "--env NOTIFY_SOCKET=/s --env WATCHDOG_PID=9",
            "--ready notify --env NOTIFY=1",
            "--grace 0 --kill-after 0",
            "--stop-signal INT --kill-after 24h",
            "--stop-signal KILL",
            "--hang-signal ABRT",
            "--answer-within off --hang-signal ABRT --heartbeat 5s",
            "--answer-within off --hang-signal ABRT --ready tcp:127.0.0.1:1 --alive-every 1s",
            "--policy shared --answer-within off --heartbeat 5s",
            "--listen 80 --surge 2",
        ] {
            assert_eq!(refused(words), None, "{words}");
        }
    }

    #[test]
    fn what_is_left_out_is_as_the_library_has_it() {
        let (ours, theirs) = (settings(""), Settings::default());
        assert_eq!((ours.ready, ours.liveness), (theirs.ready, theirs.liveness));
        assert_eq!((ours.surge, ours.probing), (theirs.surge, theirs.probing));
        assert_eq!((ours.drain, ours.stop_signal), (theirs.drain, theirs.stop_signal));
        assert_eq!((ours.stable_for, ours.kill_after), (theirs.stable_for, theirs.kill_after));
    }

    #[test]
    fn what_is_asked_for_reaches_the_library() {
        let it = settings("--wait-ready --shutdown-with-message --max-memory-restart 200M");
        assert_eq!((it.ready, it.max_memory), (Ready::Message, Some(200 << 20)));
        assert_eq!(it.drain, Drain::Message("shutdown".to_owned()));
        assert_eq!(settings("--stable 250ms").stable_for, Duration::from_millis(250));
        assert_eq!(settings("--kill-after 300ms").kill_after, Duration::from_millis(300));
        let it = settings("--max-age 7d --max-connections 5 --stop-exit-codes 0,3 --surge 3");
        assert_eq!(it.max_age, Some(Duration::from_secs(7 * 24 * 60 * 60)));
        assert_eq!((it.max_connections, it.stop_exit_codes), (Some(5), vec![0, 3]));
        assert_eq!((it.surge, it.max_unavailable, it.overlap), (3, 0, false));
        let it = settings("--ready notify --watchdog 2s --answer-within 5s --stop-signal INT");
        let liveness = it.liveness;
        assert_eq!(liveness.watchdog, Some(Duration::from_secs(2)));
        assert_eq!(liveness.answer_within, Some(Duration::from_secs(5)));
        assert_eq!((liveness.failures, it.stop_signal), (3, Signal::Interrupt));
        assert_eq!(liveness.every, None, "a notification is no probe");
        let it = settings("--answer-within off --heartbeat 3s --hang-signal ABRT");
        assert_eq!(
            (it.liveness.answer_within, it.hang_signal),
            (None, Signal::from_name("SIGABRT"))
        );
        assert_eq!(it.liveness.heartbeat, Some(Duration::from_secs(3)));
        let it = settings("--ready tcp:127.0.0.1:1 --alive-failures 2");
        assert_eq!((it.liveness.every, it.liveness.failures), (Some(ALIVE_EVERY), 2));
    }
}
