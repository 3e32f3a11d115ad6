//! `--drain` and `--stop-signal`: how a worker is told to leave, and what it gets that does not, as written.

use portcrew::{Drain, Signal};

use crate::output::words::supervision as words;

/// The longest text that workers are sent, in bytes. It is a word to a program, and no document.
pub(super) const MAX_TEXT: usize = 1024;

/// Those by which a program that does nothing about them is stopped or goes on.
const END_NOBODY: [&str; 7] =
    ["SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGTSTP", "SIGTTIN", "SIGTTOU"];

/// Reads `disconnect`, `message:TEXT` or `signal:NAME`.
///
/// # Errors
/// The reason in words, with the alternatives.
pub(super) fn parse(text: &str) -> Result<Drain, String> {
    match text.split_once(':') {
        None if text == "disconnect" => Ok(Drain::Disconnect),
        Some(("message", said)) if (1..=MAX_TEXT).contains(&said.len()) => {
            Ok(Drain::Message(said.to_owned()))
        }
        Some(("message", _)) => Err(words::text_refused(MAX_TEXT)),
        Some(("signal", name)) => match signal(name)? {
            Signal::Kill => Err(words::not_heard()),
            signal => Ok(Drain::Signal(signal)),
        },
        None | Some(_) => Err(words::drain_unknown()),
    }
}

/// Reads the name of the signal for a worker that does not leave.
///
/// # Errors
/// As of [`signal`].
pub(super) fn stop_signal(text: &str) -> Result<Signal, String> {
    signal(text)
}

/// Reads the name of the signal for a worker that hangs: one that ends a program which does nothing about it.
///
/// # Errors
/// As of [`signal`], and for those that end none.
pub(super) fn hang_signal(text: &str) -> Result<Signal, String> {
    let signal = signal(text)?;
    match signal.name() {
        Some(name) if END_NOBODY.contains(&name) => Err(words::ends_nobody()),
        Some(_) | None => Ok(signal),
    }
}

/// A signal by its name, with or without `SIG`, in any case.
fn signal(text: &str) -> Result<Signal, String> {
    let upper = text.to_ascii_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    match Signal::from_name(&name) {
        // It makes nobody leave, and a stopped process hears nothing else.
        Some(_) if name == "SIGSTOP" => Err(words::not_heard()),
        Some(signal) => Ok(signal),
        None => Err(words::signal_unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_tell_a_worker_is_understood() {
        let message = |text: &str| Drain::Message(text.to_owned());
        for (text, drain) in [
            ("disconnect", Drain::Disconnect),
            ("message:shutdown", message("shutdown")),
            ("message:a:b", message("a:b")),
            ("signal:USR2", Drain::Signal(Signal::User2)),
            ("signal:SIGINT", Drain::Signal(Signal::Interrupt)),
            ("signal:sigquit", Drain::Signal(Signal::from_name("SIGQUIT").unwrap())),
        ] {
            assert_eq!(parse(text), Ok(drain), "{text}");
        }
        assert_eq!(stop_signal("INT"), Ok(Signal::Interrupt));
        assert_eq!(stop_signal("kill"), Ok(Signal::Kill), "who has had its grace may be killed");
    }

    #[test]
    fn what_tells_nobody_is_refused() {
        let long = format!("message:{}", "x".repeat(MAX_TEXT + 1));
        for (text, reason) in [
            ("", words::drain_unknown()),
            ("shutdown", words::drain_unknown()),
            ("text:shutdown", words::drain_unknown()),
            ("message", words::drain_unknown()),
            ("message:", words::text_refused(MAX_TEXT)),
            (&long, words::text_refused(MAX_TEXT)),
            ("signal:", words::signal_unknown()),
            ("signal:15", words::signal_unknown()),
            ("signal:KILL", words::not_heard()),
            ("signal:STOP", words::not_heard()),
        ] {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
        assert_eq!(stop_signal("STOP"), Err(words::not_heard()));
        for text in ["WINCH", "SIGCONT", "chld", "URG", "TSTP"] {
            assert_eq!(hang_signal(text), Err(words::ends_nobody()), "{text}");
            assert!(stop_signal(text).is_ok(), "a program can do something about {text}");
        }
        assert_eq!(hang_signal("STOP"), Err(words::not_heard()));
        assert!(hang_signal("ABRT").is_ok() && hang_signal("kill").is_ok());
        assert!(words::signal_unknown().contains("ABRT"));
        assert_eq!(stop_signal("SIGSIGINT"), Err(words::signal_unknown()));
    }
}
