//! The directory of a release is swapped or deleted while its crew runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG, is_said, run};

/// `releases/1`, `releases/2` and `current`, as deployment tools lay them out.
struct Deployment {
    directory: tempfile::TempDir,
}

impl Deployment {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let here = Self { directory };
        for number in 1..=2 {
            fs::create_dir_all(here.release(number)).unwrap();
            let hello = fixture("hello.js");
            let text = format!("console.log('RELEASE {number}'); require({hello:?});");
            fs::write(here.release(number).join("server.js"), text).unwrap();
        }
        here.point_to(1);
        here
    }

    fn release(&self, number: u32) -> PathBuf {
        self.directory.path().join(format!("releases/{number}"))
    }

    fn current(&self) -> PathBuf {
        self.directory.path().join("current")
    }

    /// In one step, as `ln -sfn` does not.
    fn point_to(&self, number: u32) {
        let new = self.directory.path().join("new");
        symlink(self.release(number), &new).unwrap();
        fs::rename(new, self.current()).unwrap();
    }

    fn start(&self) -> Crew {
        let script = self.current().join("server.js");
        run([
            "-w".as_ref(),
            "2".as_ref(),
            "--stable".as_ref(),
            "100ms".as_ref(),
            script.as_os_str(),
        ])
    }
}

fn kill_one(crew: &Crew) {
    let victim = *crew.pids_when(2).first().unwrap();
    crew.process.signal_descendant(victim, Signal::Kill).unwrap();
}

fn reload(crew: &Crew) {
    let mark = crew.process.mark();
    crew.process.signal(Signal::Hup);
    crew.process.wait_line_after(mark, is_said("reload: done in "), HANG);
}

/// Which release each worker is of, in the order of their starts.
fn releases(crew: &Crew) -> Vec<String> {
    let lines = crew.process.lines();
    let said = lines.iter().filter_map(|line| line.text.split_once(" | RELEASE "));
    said.map(|(worker, release)| format!("{worker}:{release}")).collect()
}

#[test]
fn after_a_swap_and_a_reload_all_are_of_the_new_release_and_no_request_fails() {
    let _node = require_node!();
    let deployment = Deployment::new();
    let crew = deployment.start();
    let load = Load::new(crew.serving(2)).clients(4).background();
    load.wait_answered(50, HANG);
    deployment.point_to(2);
    fs::remove_dir_all(deployment.release(1)).unwrap();
    reload(&crew);
    load.wait_answered(50, HANG);
    load.finish().assert_all_ok();
    let mut releases = releases(&crew);
    releases.sort();
    assert_eq!(releases, ["1:1", "2:1", "3:2", "4:2"]);
}

#[test]
fn a_worker_that_dies_between_swap_and_reload_comes_back_as_what_the_path_names_by_then() {
    let _node = require_node!();
    let deployment = Deployment::new();
    let crew = deployment.start();
    crew.serving(2);
    deployment.point_to(2);
    kill_one(&crew);
    crew.process.wait_line(|line| line == "3 | RELEASE 2", HANG);
    crew.serving(3);
}

#[test]
fn while_the_directory_is_gone_the_workers_that_live_serve_and_it_is_complete_again_by_itself() {
    let _node = require_node!();
    let deployment = Deployment::new();
    let crew = deployment.start();
    let address = crew.serving(2);
    let aside = deployment.directory.path().join("aside");
    fs::rename(deployment.release(1), &aside).unwrap();
    kill_one(&crew);
    crew.says("was ended by SIGKILL; a new one starts in ");
    let failed = crew.process.wait_line(is_said("exited with status 1"), HANG);
    Load::new(address).clients(4).requests(200).per_try_timeout(HANG).run().assert_all_ok();
    // A reload tells that there is nothing to start, and changes nothing.
    let living = crew.pids();
    crew.process.signal(Signal::Hup);
    crew.process.wait_line_after(failed.mark, is_said("rolled back, the old workers go on"), HANG);
    assert!(living.iter().any(|pid| crew.pids().contains(pid)));
    fs::rename(&aside, deployment.release(1)).unwrap();
    let is_back = |line: &str| line.ends_with(" | RELEASE 1");
    crew.process.wait_line_after(crew.process.mark(), is_back, HANG);
    crew.pids_when(2);
    Load::new(address).clients(4).requests(200).run().assert_all_ok();
}

#[test]
fn the_directory_in_which_the_primary_was_started_may_go() {
    let _node = require_node!();
    let deployment = Deployment::new();
    let program = crate::crew::portcrew("run").args(["-w", "2", "--stable", "100ms", "server.js"]);
    let crew = Crew { process: program.cwd(deployment.current()).start() };
    let address = crew.serving(2);
    fs::remove_dir_all(deployment.release(1)).unwrap();
    crew.process.signal(Signal::Hup);
    crew.says("rolled back, the old workers go on");
    Load::new(address).clients(4).requests(100).run().assert_all_ok();
}
