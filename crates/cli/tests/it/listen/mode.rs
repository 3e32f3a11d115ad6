//! Whether `accept` waits: it is everybody's property, so it is set once, before anybody has the socket.

use portcrew_testkit::process::{Mark, Signal};

use super::world::{crew, python};
use crate::crew::{Crew, HANG};

/// Waits for the next worker's word after this.
fn found_after(crew: &Crew, mark: Mark, words: &str) {
    let is_said = |line: &str| line.contains(" | FOUND ");
    let line = crew.process.wait_line_after(mark, is_said, HANG);
    assert!(line.text.ends_with(words), "{}", line.text);
}

#[test]
fn a_successor_leaves_the_mode_that_its_predecessor_has_set_and_still_uses() {
    let Some(python) = python() else { return };
    for policy in ["shared", "kernel"] {
        let options = ["-w", "1", "--policy", policy, "--listen", "127.0.0.1:0"];
        let crew = crew(&python, &options, "mode.py", &[]);
        crew.process.wait_line(|line| line.ends_with("FOUND one that blocks"), HANG);
        crew.all_serve(1);
        let mark = crew.process.mark();
        crew.process.signal(Signal::Hup);
        found_after(&crew, mark, "does not block");
    }
}

#[test]
fn sockets_do_not_block_where_that_is_asked_for() {
    let Some(python) = python() else { return };
    for policy in ["shared", "kernel"] {
        let options = ["-w", "2", "--policy", policy, "--listen", "127.0.0.1:0"];
        let options = [&options[..], &["--listen-nonblocking"]].concat();
        let crew = crew(&python, &options, "mode.py", &[]);
        crew.all_serve(2);
        let lines = crew.process.lines();
        let said: Vec<_> = lines.iter().filter(|it| it.text.contains(" | FOUND ")).collect();
        assert_eq!(said.len(), 2);
        assert!(said.iter().all(|it| it.text.ends_with("does not block")), "{said:?}");
    }
}
