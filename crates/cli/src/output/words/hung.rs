//! The words about a worker that hangs: what it was doing, and what is done about it.

use std::fmt::Display;

use portcrew::{Diagnosis, Found, ProcessState};

use super::{of, signal_name};

/// What it does, and what for: the subject is the worker.
pub(crate) fn hangs(how: &str, diagnosis: &Diagnosis) -> String {
    format!("hangs: it {how}; {}", doing(diagnosis))
}

/// The whole line.
pub(crate) fn notice(
    worker: &dyn Display,
    hangs: &str,
    found: Found,
    signal: i32,
    has_said: bool,
) -> String {
    let last = if has_said { "; its last lines" } else { "" };
    format!("worker {worker} {hangs}. {}{last}", then(found, signal))
}

/// What comes of it.
fn then(found: Found, signal: i32) -> String {
    match found {
        Found::Able => format!("It gets {}", signal_name(signal)),
        Found::Stopped => "Only SIGKILL can end it, and it gets that".to_owned(),
        Found::Traced => {
            "Somebody debugs it, so it is left alone, and the connections that it has not taken wait for it".to_owned()
        }
    }
}

fn doing(diagnosis: &Diagnosis) -> String {
    let about = [
        diagnosis.cpu.map(|it| format!("{it} % of a processor")),
        diagnosis.threads.map(|it| of(it.into(), "thread")),
        diagnosis.waits_in.as_ref().map(|it| format!("in {it}")),
        diagnosis.tracer.map(|it| format!("debugged by process {it}")),
    ];
    let about: Vec<_> = about.into_iter().flatten().collect();
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
    let stack = match &diagnosis.kernel_stack[..] {
        // The one function is where it waits.
        [] | [_] => String::new(),
        stack => format!("; in the kernel: {}", stack.join(" < ")),
    };
    format!("{}{about}{stack}", state(diagnosis.state))
}

fn state(state: ProcessState) -> &'static str {
    match state {
        ProcessState::Running => "it is running",
        ProcessState::Sleeping => "it is sleeping",
        ProcessState::Uninterruptible => {
            "it waits in the kernel, where no signal reaches it, as for a disk"
        }
        ProcessState::Stopped => "it is stopped (SIGSTOP)",
        ProcessState::Traced => "a debugger holds it",
        ProcessState::Dead => "its main thread has ended",
        // Or one of a newer library.
        _ => "what it is doing is not known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(state: ProcessState) -> Diagnosis {
        let mut it = Diagnosis::default();
        (it.state, it.threads) = (state, Some(11));
        it
    }

    #[test]
    fn a_line_says_how_it_was_noticed_what_it_does_and_what_comes_of_it() {
        let mut spins = diagnosis(ProcessState::Running);
        spins.cpu = Some(98);
        let hangs = hangs("left a connection unanswered for 5 s", &spins);
        assert_eq!(
            notice(&3, &hangs, Found::Able, 15, false),
            "worker 3 hangs: it left a connection unanswered for 5 s; it is running (98 % of a processor, 11 threads). \
             It gets SIGTERM"
        );
        assert!(
            notice(&3, &hangs, Found::Able, 6, true).ends_with("It gets SIGABRT; its last lines")
        );
    }

    #[test]
    fn one_that_waits_says_where_and_one_that_nobody_can_see_says_that() {
        let mut waits = diagnosis(ProcessState::Uninterruptible);
        waits.waits_in = Some("folio_wait_bit_common".to_owned());
        waits.kernel_stack = ["folio_wait_bit_common", "ext4_sync_file"].map(String::from).into();
        let text = doing(&waits);
        assert!(text.contains("(11 threads, in folio_wait_bit_common)"), "{text}");
        assert!(text.ends_with("in the kernel: folio_wait_bit_common < ext4_sync_file"), "{text}");
        assert_eq!(doing(&Diagnosis::default()), "what it is doing is not known");
    }
}
