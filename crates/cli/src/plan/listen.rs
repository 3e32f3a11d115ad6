//! `--listen`: programs that are started with sockets in place of a channel, and what does not go together with that.

use std::ffi::OsStr;
use std::path::Path;

use portcrew::{Drain, Ready, Signal};

use super::language::Language;
use super::note::Note;
use super::refusal::Refusal;
use crate::args::{Policy, RunArgs, Supervision};
use crate::output::words::listen as words;

/// What the variables begin with that the primary sets for each worker.
const OF_EINHORN: &str = "EINHORN_";

/// Looks for what such programs cannot do, and for sockets that were not passed to this process. Where nothing is to be
/// listened on, for arguments that ask for the number of a socket.
///
/// # Errors
/// The first of them.
pub(super) fn check(args: &RunArgs) -> Result<(), Refusal> {
    if args.listen.is_empty() {
        let argument = args.command.iter().skip(1).find(|it| portcrew::names_a_socket(it));
        refuse(argument.map(|it| words::no_socket(it)))?;
        return refuse(args.listen_nonblocking.then(|| words::NOTHING_TO_LISTEN_ON.to_owned()));
    }
    let passed = args.listen.iter().find(|it| it.is_passed() && args.is_start);
    refuse(passed.map(|it| words::not_detached(it)))?;
    refuse(args.policy.as_ref().and_then(hands_over))?;
    refuse(one_socket(args))?;
    refuse(of_words(&args.supervision).map(str::to_owned))?;
    let is_einhorns = |name: &OsStr| name.as_encoded_bytes().starts_with(OF_EINHORN.as_bytes());
    let own = args.env.iter().find(|it| is_einhorns(&it.key));
    refuse(own.map(|it| words::own_variable(&it.key)))?;
    // While only what was passed is open: later their numbers could be those of something else.
    let missing = args.listen.iter().find_map(|it| it.look().err());
    refuse(missing.map(|error| error.to_string()))
}

/// What such programs understand, where the user has said nothing.
pub(super) fn fill_in(mut asked: Supervision) -> Supervision {
    if !asked.wait_ready {
        asked.ready.get_or_insert(Ready::Alive);
    }
    if !asked.shutdown_with_message {
        let signal = asked.stop_signal.unwrap_or(Signal::Terminate);
        asked.drain.get_or_insert(Drain::Signal(signal));
    }
    asked
}

/// What is worth saying of a program that is started so.
pub(super) fn notes(
    args: &RunArgs,
    executable: &Path,
    language: Option<Language>,
) -> impl Iterator<Item = Note> {
    let is_node = match language {
        Some(Language::JavaScript | Language::TypeScript) => true,
        Some(Language::Other) => speaks_nodes_protocol(executable),
        _ => false,
    };
    let no_channel = (!args.listen.is_empty() && is_node).then_some(Note::NoChannel);
    no_channel.into_iter().chain(probed(args))
}

/// A probe that goes to a socket which all workers have, and the primary.
fn probed(args: &RunArgs) -> Option<Note> {
    let has = |port: u16| args.listen.iter().any(|it| it.tcp_port() == Some(port));
    match args.supervision.ready.as_ref()? {
        Ready::TcpConnect(address) if has(address.port()) => Some(Note::ConnectsAnyway),
        Ready::HttpGet(get) if has(get.addr.port()) => Some(Note::OthersAnswer),
        _ => None,
    }
}

fn speaks_nodes_protocol(executable: &Path) -> bool {
    matches!(executable.file_name().and_then(OsStr::to_str), Some("bun" | "deno"))
}

/// Why the first policy cannot be by which the primary would hand over.
fn hands_over(asked: &crate::args::Policies) -> Option<String> {
    let own = asked.own.iter().map(|(listener, policy)| (policy, format!("{listener}={policy}")));
    let common = asked.common.iter().map(|policy| (policy, policy.to_string()));
    common.chain(own).find_map(|(policy, item)| match policy {
        Policy::Shared | Policy::Kernel => None,
        Policy::RoundRobin | Policy::LeastConnections | Policy::Sticky(_) => {
            Some(words::takes_itself(&item))
        }
    })
}

/// Why not all that is listened on can have a socket for each worker.
fn one_socket(args: &RunArgs) -> Option<String> {
    let policies = args.policy.as_ref()?;
    let single = args.listen.iter().find(|it| it.is_one_socket())?;
    (policies.common == Some(Policy::Kernel)).then(|| words::one_socket(single))
}

/// What would be said or heard on a channel.
fn of_words(asked: &Supervision) -> Option<&'static str> {
    let ready = asked.wait_ready || matches!(asked.ready, Some(Ready::Listening | Ready::Message));
    let told = asked.shutdown_with_message
        || matches!(asked.drain, Some(Drain::Disconnect | Drain::Message(_)));
    let said = [
        (ready, words::SAYS_NOTHING),
        (told, words::HEARS_NOTHING),
        (asked.heartbeat.is_some(), words::HAS_NO_LANE),
        (asked.overlap, words::OVERLAPS_ANYWAY),
    ];
    said.into_iter().find_map(|(is_so, reason)| is_so.then_some(reason))
}

fn refuse(reason: Option<String>) -> Result<(), Refusal> {
    reason.map_or(Ok(()), |reason| Err(Refusal::Listen(reason)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn args(words: &str) -> RunArgs {
        let words = ["portcrew", "run"].into_iter().chain(words.split_whitespace());
        let Command::Run(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("`run` is the command here")
        };
        *args
    }

    fn refused(words: &str) -> Option<String> {
        match check(&args(words)) {
            Err(Refusal::Listen(reason)) => Some(reason),
            Err(other) => panic!("{other:?}"),
            Ok(()) => None,
        }
    }

    #[test]
    fn what_such_programs_cannot_do_is_refused_with_the_reason() {
        for (words, part) in [
            ("x --fd={fd}", "`--fd={fd}`"),
            ("x {fd:web}", "there is no --listen"),
            ("--listen-nonblocking x", "there is no --listen"),
            ("--listen 80 --policy rr x", "round-robin"),
            ("--listen 80 --policy 80=sticky x", "80=sticky"),
            ("--listen 80,unix:a.sock --policy kernel x", "unix:a.sock is one"),
            ("--listen 80 --ready listening x", words::SAYS_NOTHING),
            ("--listen 80 --wait-ready x", words::SAYS_NOTHING),
            ("--listen 80 --ready message x", words::SAYS_NOTHING),
            ("--listen 80 --drain disconnect x", words::HEARS_NOTHING),
            ("--listen 80 --drain message:bye x", words::HEARS_NOTHING),
            ("--listen 80 --shutdown-with-message x", words::HEARS_NOTHING),
            ("--listen 80 --heartbeat 5s x", words::HAS_NO_LANE),
            ("--listen 80 --overlap x", words::OVERLAPS_ANYWAY),
            ("--listen 80 --env EINHORN_FDS=9 x", "EINHORN_FDS"),
            ("--listen fd:999999 x", "descriptor 999999 is not open"),
            ("--listen sd:web x", "LISTEN_FDS is not set"),
        ] {
            let reason = refused(words).unwrap_or_else(|| panic!("{words} is taken"));
            assert!(reason.contains(part), "{words}: {reason}");
        }
    }

    #[test]
    fn what_goes_together_is_taken() {
        for words in [
            "x {fdx} {}",
            "--listen 80 x --fd {fd}",
            "--listen 80,unix:/s --listen udp:53 --policy shared --ready notify --watchdog 1s x",
            "--listen 80 --policy 80=shared --drain signal:QUIT --stop-signal INT x",
        ] {
            assert_eq!(refused(words), None, "{words}");
        }
    }

    #[test]
    fn in_the_background_nobody_could_pass_a_socket_once_more() {
        for words in ["--listen fd:0 x", "--listen 80,sd:web x"] {
            let mut args = args(words);
            args.is_start = true;
            let Err(Refusal::Listen(reason)) = check(&args) else { panic!("{words} is taken") };
            assert!(reason.contains("portcrew run"), "{reason}");
        }
    }

    #[test]
    fn without_a_word_they_are_ready_by_age_and_leave_by_their_signal() {
        let filled = |words| fill_in(args(words).supervision);
        let it = filled("--listen 80 x");
        assert_eq!((it.ready(), it.drain()), (Ready::Alive, Drain::Signal(Signal::Terminate)));
        let it = filled("--listen 80 --stop-signal INT --ready notify x");
        assert_eq!((it.ready(), it.drain()), (Ready::Notify, Drain::Signal(Signal::Interrupt)));
    }

    #[test]
    fn programs_that_could_have_had_a_channel_and_probes_of_shared_sockets_are_pointed_out() {
        let noted = |words: &str, executable: &str, language| {
            let args = args(words);
            notes(&args, Path::new(executable), language).collect::<Vec<_>>()
        };
        let (node, other) = (Some(Language::JavaScript), Some(Language::Other));
        assert_eq!(noted("--listen 80 x", "/bin/node", node), [Note::NoChannel]);
        assert_eq!(noted("--listen 80 x", "/bin/bun", other), [Note::NoChannel]);
        assert_eq!(noted("--listen 80 x", "/bin/java", other), []);
        assert_eq!(noted("x", "/bin/node", node), []);
        let tcp = "--listen 80 --ready tcp:127.0.0.1:80 x";
        assert_eq!(noted(tcp, "/bin/x", None), [Note::ConnectsAnyway]);
        let http = "--listen 8080,80 --ready http://127.0.0.1/ x";
        assert_eq!(noted(http, "/bin/x", None), [Note::OthersAnswer]);
        assert_eq!(noted("--listen 81 --ready tcp:127.0.0.1:80 x", "/bin/x", None), []);
    }
}
