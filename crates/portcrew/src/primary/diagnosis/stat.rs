//! The files of `/proc` about a process, as text. Pure.

use super::{Diagnosis, ProcessState};

/// The longest name of a function of the kernel that is told, in bytes.
const LONGEST_NAME: usize = 64;

/// What `stat` says: the state and the number of threads. The second field is a name in parentheses, which may hold
/// anything.
pub(super) fn stat(text: &str) -> Option<(ProcessState, Option<u32>)> {
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = state(fields.next()?);
    Some((state, fields.nth(16).and_then(|it| it.parse().ok())))
}

fn state(letter: &str) -> ProcessState {
    match letter {
        "R" => ProcessState::Running,
        "S" | "I" => ProcessState::Sleeping,
        "D" => ProcessState::Uninterruptible,
        "T" => ProcessState::Stopped,
        "t" => ProcessState::Traced,
        "Z" | "X" | "x" => ProcessState::Dead,
        // Of a kernel that is newer, or older.
        _ => ProcessState::Unknown,
    }
}

/// The `TracerPid` of `status`.
pub(super) fn tracer(text: &str) -> Option<u32> {
    let rest = text.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
    rest.trim().parse().ok().filter(|pid| *pid != 0)
}

/// `wchan`: a name, or `0` for none.
pub(super) fn waits_in(text: &str) -> Option<String> {
    let name = name(text.trim())?;
    (name != "0").then_some(name)
}

/// `syscall`: `running`, or the number of the call and what it was given; -1 for one that waits in none.
pub(super) fn system_call(text: &str) -> Option<u32> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// `stack`: lines such as `[<0>] hrtimer_nanosleep+0x9b/0x180`.
pub(super) fn stack(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let function = line.split_once("] ").map_or(line, |(_, function)| function);
        name(function.split(['+', ' ']).next()?)
    });
    names.take(Diagnosis::STACK_LIMIT).collect()
}

/// The first field of `schedstat`: nanoseconds on a processor.
pub(super) fn nanoseconds(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// Of letters, digits, and what compilers add.
fn name(text: &str) -> Option<String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    let fits = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_part);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_a_process_is_known_whatever_its_name() {
        let of = |letter: &str| {
            stat(&format!("12 (a) b) c) {letter} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 77 0"))
        };
        for (letter, expected) in [
            ("R", ProcessState::Running),
            ("S", ProcessState::Sleeping),
            ("I", ProcessState::Sleeping),
            ("D", ProcessState::Uninterruptible),
            ("T", ProcessState::Stopped),
            ("t", ProcessState::Traced),
            ("Z", ProcessState::Dead),
            ("X", ProcessState::Dead),
            ("P", ProcessState::Unknown),
        ] {
            assert_eq!(of(letter), Some((expected, Some(77))), "{letter}");
        }
        assert_eq!(stat("12 (cut) S 1 2"), Some((ProcessState::Sleeping, None)));
        for text in ["", "12", "12 (cut", "12 (cut)"] {
            assert_eq!(stat(text), None, "{text}");
        }
    }

    #[test]
    fn a_tracer_is_a_process_and_zero_is_none() {
        assert_eq!(tracer("Name:\tx\nTracerPid:\t0\n"), None);
        assert_eq!(tracer("Name:\tx\nTracerPid:\t4711\nUid:\t0\n"), Some(4711));
        assert_eq!(tracer(""), None);
    }

    #[test]
    fn where_it_waits_is_a_name_of_the_kernels() {
        assert_eq!(waits_in("hrtimer_nanosleep"), Some("hrtimer_nanosleep".to_owned()));
        for text in ["0", "", "0\n", "a b", "\u{1b}[31m", &"x".repeat(65)] {
            assert_eq!(waits_in(text), None, "{text:?}");
        }
        assert_eq!(system_call("230 0x0 0x0 0x7ffe 0x7ffe 0x0 0x0 0x7ffe 0x7f3c\n"), Some(230));
        for text in ["running\n", "-1 0x7ffe 0x7f3c\n", ""] {
            assert_eq!(system_call(text), None, "{text}");
        }
    }

    #[test]
    fn of_a_stack_the_innermost_functions_are_told() {
        let text = "[<0>] folio_wait_bit_common+0x12d/0x310\n[<0>] do_syscall_64+0x5f/0x90\n";
        assert_eq!(stack(text), ["folio_wait_bit_common", "do_syscall_64"]);
        let deep = "[<0>] f.isra.0+0x1/0x2 [module]\n".repeat(40);
        assert_eq!(stack(&deep), vec!["f.isra.0"; Diagnosis::STACK_LIMIT]);
        assert_eq!(stack(""), Vec::<String>::new());
    }

    #[test]
    fn time_on_a_processor_is_the_first_of_three_numbers() {
        assert_eq!(nanoseconds("1234567 89 12\n"), Some(1_234_567));
        assert_eq!(nanoseconds("0 0 0\n"), Some(0));
        assert_eq!(nanoseconds(""), None);
    }
}
