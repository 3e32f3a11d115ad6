//! A worker cannot be started for want of a process or a descriptor: its slot tries again, the others serve, and nothing
//! is left of the attempts.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, proc_fs};

use crate::stage::Stage;
use crate::starved;
use crate::support::{Crew, HANG, PRIMARY, SERVER, primary};

/// A user that nobody else here is: processes are counted by user.
const USER: &str = "54322";

/// More descriptors than a start takes, at any of its points.
const ENOUGH: usize = 14;

/// Two workers that serve, and the descriptors that the primary has with them.
fn two(mut crew: Crew) -> (Crew, std::net::SocketAddr, usize) {
    crew.tell("start 2");
    let address = crew.listening(2);
    Load::new(address).clients(4).requests(50).run().assert_all_ok();
    crew.settled_counts();
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    (crew, address, before)
}

fn kill_one(crew: &Crew) {
    let worker = proc_fs::children(crew.pid()).unwrap()[0];
    crew.process.signal_descendant(worker, Signal::Kill).unwrap();
    crew.next("exit");
}

#[test]
fn without_a_process_the_slot_tries_again_while_the_other_serves() {
    let Some(stage) = Stage::set() else { return };
    let program = stage.copy(PRIMARY);
    let server = stage.copy(SERVER);
    let (mut crew, address, before) = two(Crew::start(stage.run_as(USER, &[&program, &server])));
    stage.limit(USER, crew.pid(), "nproc", "1");
    kill_one(&crew);
    for _ in 0..3 {
        let error = crew.next("error")["error"].to_string();
        assert!(error.contains("cannot start") && error.contains("os error 11"), "{error}");
        Load::new(address).clients(4).requests(50).per_try_timeout(HANG).run().assert_all_ok();
    }
    stage.limit(USER, crew.pid(), "nproc", "1000");
    crew.next("listening");
    Load::new(address).clients(4).requests(50).run().assert_all_ok();
    crew.settled_counts();
    crew.assert_fds(before);
}

/// Leaves the primary so many numbers to open anything under, with what it has kept for it.
fn leave(pid: u32, numbers: usize) {
    let open = proc_fs::fds(pid).unwrap();
    // What is kept is a path to the root that can be used for nothing.
    let is_used = |number: u32| open.iter().any(|(fd, is)| *fd == number && is != "/");
    let limit = (0..).filter(|number| !is_used(*number)).nth(numbers).unwrap();
    starved::limit(pid, Some(limit.into()));
}

#[test]
fn wherever_a_start_runs_out_of_descriptors_nothing_is_left_of_it() {
    let (mut crew, address, before) = two(Crew::start(primary(SERVER)));
    let mut failed = 0;
    for numbers in 0..ENOUGH {
        leave(crew.pid(), numbers);
        let mark = crew.process.mark();
        // Those of the dead one are free as well.
        kill_one(&crew);
        let is_outcome = |line: &str| {
            [r#""event":"error""#, r#""event":"fork""#].iter().any(|it| line.contains(it))
        };
        let outcome = crew.process.wait_line_after(mark, is_outcome, HANG);
        failed += usize::from(outcome.text.contains(r#""error""#));
        starved::limit(crew.pid(), None);
        crew.next("listening");
        Load::new(address).clients(4).requests(50).per_try_timeout(HANG).run().assert_all_ok();
        crew.settled_counts();
        crew.assert_fds(before);
        assert_eq!(proc_fs::children(crew.pid()).unwrap().len(), 2, "with {numbers}");
    }
    println!("{failed} of {ENOUGH} starts failed at first");
    assert!(failed >= 3, "{failed}");
}
