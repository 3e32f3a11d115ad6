//! The number of a process that has ended belongs to a stranger: no command and no end of a crew touches that one.

use std::path::Path;

use portcrew_testkit::process::{Process, Program};

use crate::crew::HANG;
use crate::home::{Home, PORTCREW};
use crate::init::{NAMESPACE, may_unshare};

/// Numbers are given in turn, and the last that was given can be set. The stranger leads a session and a group of its
/// own, so that it is met by its number however it is meant.
const STRANGER: &str = r#"
stranger() {
    tries=0
    while [ $tries -lt 500 ]; do
        tries=$((tries + 1))
        echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid
        setsid sleep 1000 &
        [ $! = $1 ] && return 0
        kill -KILL $!
    done
    echo "NO STRANGER GOT $1"
    exit 1
}
ended() { while kill -0 $1 2>/dev/null; do sleep 0.01; done; }
lives() { kill -0 $1 && echo "$1 LIVES"; }
ready() { until "$PORTCREW" list --json | grep -q '"ready":2'; do sleep 0.05; done; }
worker() { "$PORTCREW" describe --json api | tr ',{' '\n\n' | sed -n 's/^"pid"://p' | sed -n 2p; }
"#;

fn may_choose_numbers() -> bool {
    let may = Path::new("/proc/sys/kernel/ns_last_pid").exists();
    if !may {
        eprintln!("skipped: this kernel lets nobody choose the next process number");
    }
    may && may_unshare()
}

fn play(home: &Home, script: &str) -> Process {
    let script = format!("{STRANGER}{script}");
    let all: Vec<_> = NAMESPACE.into_iter().chain(["sh", "-euc", &script]).collect();
    // The binary itself is not run: it is what the script runs.
    let program: Program = home.program(&[]).env("PORTCREW", PORTCREW);
    program.through("unshare", all).start()
}

#[test]
fn the_number_of_a_dead_worker() {
    if !may_choose_numbers() {
        return;
    }
    let script = r#"
"$PORTCREW" run --name api -w 2 --stable 100ms "$PORTCREW" demo --port 0 &
ready
worker=$(worker)
kill -KILL $worker
ended $worker
stranger $worker
ready
"$PORTCREW" reload api
"$PORTCREW" restart --hard api
"$PORTCREW" stop api
lives $worker
"#;
    let home = Home::new();
    let process = play(&home, script);
    process.wait_line(|line| line.ends_with(" LIVES"), HANG);
}

#[test]
fn the_number_of_a_dead_primary() {
    if !may_choose_numbers() {
        return;
    }
    let script = r#"
"$PORTCREW" run --name api -w 2 "$PORTCREW" demo --port 0 &
primary=$!
ready
kill -KILL $primary
wait $primary || true
ended $primary
stranger $primary
for command in "stop api" "stop $primary" "kill $primary" "delete $primary" "kill api"; do
    "$PORTCREW" $command || true
done
lives $primary
"$PORTCREW" run --name api -w 2 "$PORTCREW" demo --port 0 &
ready
"$PORTCREW" stop api
lives $primary
echo ALL DONE
"#;
    let home = Home::new();
    let process = play(&home, script);
    process.wait_line(|line| line == "ALL DONE", HANG);
    let lives = process.lines().iter().filter(|line| line.text.ends_with(" LIVES")).count();
    assert_eq!(lives, 2);
}
