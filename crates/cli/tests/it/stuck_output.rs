//! Standard output and standard error that nobody reads, that have gone, or that are full: the crew serves, its memory
//! is bounded, and what was dropped is counted.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Program, Signal, eventually, proc_fs};
use portcrew_testkit::require_node;
use serde_json::Value;

use crate::crew::{Crew, HANG};
use crate::home::Home;

/// Lines that the worker prints for one request, of a hundred bytes each.
const LINES: u64 = 100_000;

/// It prints before it answers: an answer says that its output was taken.
const CHATTY: &str = "const { writeSync, writeFileSync } = require('node:fs');\
    const [lines, text] = [Number(process.argv[2]), 'x'.repeat(83)];\
    let next = 0;\
    const write = (text) => { for (let at = 0; at < text.length;) {\
      try { at += writeSync(1, text.slice(at)) } catch (error) { if (error.code !== 'EAGAIN') throw error }\
    } };\
    require('node:http').createServer((request, response) => {\
      if (request.url === '/end') write('the end\\n');\
      else for (let end = next + lines; next < end; next += 500) {\
        write(Array.from({ length: 500 }, (_, n) => `line ${String(next + n).padStart(10, '0')} ${text}\\n`).join(''));\
      }\
      response.end('x');\
    }).listen(0, '127.0.0.1', function () { writeFileSync('port', String(this.address().port)) });";

/// `portcrew run` of the chatty worker, its output sent where a shell sends it.
fn chatty(home: &Home, redirection: &str) -> Program {
    fs::write(home.path().join("chatty.js"), CHATTY).unwrap();
    let lines = LINES.to_string();
    let args = ["run", "--name", "chatty", "-w", "1", "--grace", "5s", "chatty.js", &lines];
    let script = format!("exec \"$@\" {redirection}");
    home.program(&args).through("sh", ["-c", &script, "sh"])
}

/// Where it listens, as it has written it down.
fn address(home: &Home) -> SocketAddr {
    let port = eventually("the worker listens", HANG, || {
        fs::read_to_string(home.path().join("port")).ok()?.parse::<u16>().ok()
    });
    (Ipv4Addr::LOCALHOST, port).into()
}

fn ask(address: SocketAddr, path: &str, times: u64) {
    let load = Load::new(address).path(path).requests(times).per_try_timeout(HANG);
    load.run().assert_all_ok();
}

fn fifo(home: &Home) -> PathBuf {
    let path = home.path().join("out");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// The lines of a pipe, as they come.
fn lines(pipe: File) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Lines lost so far, as the crew counts them.
fn lost(home: &Home) -> u64 {
    home.api("chatty", "GET", "/v1/status", "").1["output_lost"].as_u64().unwrap()
}

fn stop(mut crew: Crew) {
    crew.process.signal(Signal::Term);
    assert_eq!(crew.process.wait_exit(HANG).code(), Some(0));
}

/// The number in a line of the primary about lines that are missing.
fn missing(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once('…')?;
    rest.trim_start().split(' ').next()?.replace(',', "").parse().ok()
}

#[test]
fn a_reader_that_stands_still_costs_lines_that_are_counted_and_said_and_nothing_else() {
    let _node = require_node!();
    let home = Home::new();
    let path = fifo(&home);
    // Opened for both, so that nobody waits for the other; nothing reads until all was written.
    let pipe = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let crew = Crew { process: chatty(&home, "> out").start() };
    let address = address(&home);
    let before = proc_fs::rss(crew.process.pid()).unwrap();
    ask(address, "/", 5);
    let peak = proc_fs::peak_rss(crew.process.pid()).unwrap();
    println!("{} KiB before, {} KiB at most", before >> 10, peak >> 10);
    assert!(peak < before + (16 << 20), "{before} {peak}");
    assert!(lost(&home) > 0);

    let lines = lines(pipe);
    let next = || lines.recv_timeout(HANG).unwrap();
    let (mut read, mut said) = (0, 0);
    while said == 0 {
        let line = next();
        said = missing(&line).unwrap_or(0);
        read += u64::from(line.starts_with("1 | line "));
    }
    ask(address, "/end", 1);
    loop {
        match next() {
            line if line == "1 | the end" => break,
            line => {
                said += missing(&line).unwrap_or(0);
                read += u64::from(line.starts_with("1 | line "));
            }
        }
    }
    assert_eq!(read + said, 5 * LINES, "every line is read or said to be missing");
    assert_eq!(lost(&home), said);
    stop(crew);
}

#[test]
fn a_reader_that_has_gone_costs_its_lines_and_nothing_else() {
    let _node = require_node!();
    let home = Home::new();
    let path = fifo(&home);
    let process = chatty(&home, "> out").start();
    // What `head -1` does.
    let reader = File::open(&path).unwrap();
    let crew = Crew { process };
    let address = address(&home);
    std::thread::scope(|scope| {
        scope.spawn(|| ask(address, "/", 1));
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).unwrap();
        assert!(line.starts_with("1 | line 0000000000 "), "{line}");
    });
    ask(address, "/", 2);
    assert!(lost(&home) >= 2 * LINES);
    stop(crew);
}

#[test]
fn streams_that_are_closed_or_full_from_the_beginning_on_hinder_nobody() {
    let _node = require_node!();
    for redirection in ["> /dev/full 2> /dev/full", ">&- 2>&-", "< /dev/null > /dev/full 2>&1"] {
        let home = Home::new();
        let crew = Crew { process: chatty(&home, redirection).start() };
        let address = address(&home);
        ask(address, "/", 1);
        stop(crew);
    }
}

/// A directory of state on a disk of 64 KiB that is full, in a mount namespace of its own.
const FULL_DISK: &str = "mkdir -p \"$XDG_STATE_HOME\" && \
    mount -t tmpfs -o size=64k none \"$XDG_STATE_HOME\" && \
    { head -c 1M /dev/zero > \"$XDG_STATE_HOME/filling\" 2> /dev/null; exec \"$@\"; }";

fn may_mount() -> bool {
    let try_it = ["--mount", "--", "mount", "-t", "tmpfs", "none", "/mnt"];
    let tried = Command::new("unshare").args(try_it).output();
    let may = tried.is_ok_and(|it| it.status.success());
    if !may {
        eprintln!("skipped: nothing can be mounted here");
    }
    may
}

#[test]
fn a_crew_starts_and_serves_on_a_full_disk_and_says_what_is_missing_when_there_is_room() {
    let _node = require_node!();
    if !may_mount() {
        return;
    }
    let home = Home::new();
    fs::write(home.path().join("chatty.js"), CHATTY).unwrap();
    let args = ["start", "--name", "chatty", "-w", "1", "chatty.js", "500"];
    let program =
        home.program(&args).through("unshare", ["--mount", "--", "sh", "-c", FULL_DISK, "sh"]);
    let (answer, _process) = home.ended(program.start());
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let address = address(&home);
    ask(address, "/", 3);
    eventually("lines are lost", HANG, || (lost(&home) >= 3 * 500).then_some(()));
    let (_, status) = home.api("chatty", "GET", "/v1/status", "");
    let state = inside(&status, &home);
    fs::remove_file(state.join("filling")).unwrap();
    ask(address, "/end", 1);
    let log = state.join("portcrew/chatty/out.log");
    let text = eventually("the log goes on", HANG, || {
        fs::read_to_string(&log).ok().filter(|it| it.contains("1 | the end\n"))
    });
    let said: Vec<_> = text.lines().filter_map(missing).collect();
    assert_eq!(said, [1_500], "{text}");
    assert!(text.lines().any(|line| line.ends_with("there was no room for this output")), "{text}");
    assert_eq!(home.ask(&["stop", "chatty"]).status, 0);
}

/// The directory of state as the crew sees it.
fn inside(status: &Value, home: &Home) -> PathBuf {
    let root = format!("/proc/{}/root{}", status["pid"], home.path().display());
    Path::new(&root).join("state")
}
