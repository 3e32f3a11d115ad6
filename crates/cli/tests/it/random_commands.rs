//! Many commands at once on one crew: whatever they were, `list` describes truly what is there afterwards.
//!
//! `PORTCREW_SOAK=1` makes them 1,000. The seed is in the name of each failure.

use std::collections::BTreeSet;
use std::thread;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually};
use serde_json::Value;

use crate::crew::HANG;
use crate::home::Home;

/// Hands that give commands at the same time.
const HANDS: u64 = 4;

/// Workers that are wanted at most, so that a small machine is not judged by its size.
const MOST: u64 = 4;

#[test]
fn after_many_random_commands_the_list_describes_what_is_there() {
    let commands = if std::env::var_os("PORTCREW_SOAK").is_some() { 1_000 } else { 120 };
    let home = Home::new();
    let crew = home.crew("api", "2");
    let load = Load::new(crew.address()).clients(2).background();
    thread::scope(|scope| {
        for hand in 0..HANDS {
            let (home, crew) = (&home, &crew);
            scope.spawn(move || {
                let mut random = Random(0x9e37_79b9 + hand);
                for _ in 0..commands / HANDS {
                    command(home, crew, &mut random);
                }
            });
        }
    });
    // A reload may be under way still: its end is its verdict, which this one waits for too.
    let (status, _) = home.api("api", "POST", "/v1/reload", "");
    assert_eq!(status, 200);
    let (_, last) = home.api("api", "POST", "/v1/scale", r#"{"workers": 3}"#);
    assert_eq!(last["wanted"], 3);
    load.finish().assert_all_ok();
    let status = eventually("a crew at rest", HANG, || {
        let status = home.json(&["list", "--json"])["crews"][0].clone();
        let is_at_rest = status["phase"] == "running"
            && status["ready"] == 3
            && status["workers"].as_array().is_some_and(|it| it.len() == 3);
        is_at_rest.then_some(status)
    });
    assert_true(&status, &crew.pids_when(3));
    Load::new(crew.address()).requests(30).run().assert_all_ok();
    assert_eq!(home.ask(&["stop", "api"]).status, 0);
}

/// One of all that can be asked. Each is answered, and by no status that says that the server is at fault.
fn command(home: &Home, crew: &crate::crew::Crew, random: &mut Random) {
    let workers = 1 + random.below(MOST);
    let (method, path, body) = match random.below(12) {
        0 | 1 => ("POST", "/v1/scale", format!(r#"{{"workers": {workers}}}"#)),
        2 => ("POST", "/v1/scale", r#"{"by": -1}"#.to_owned()),
        3 => ("POST", "/v1/reload", String::new()),
        4 => ("POST", "/v1/policy", r#"{"policy": "least-connections"}"#.to_owned()),
        5 => ("POST", "/v1/policy", r#"{"policy": "round-robin"}"#.to_owned()),
        6 => ("POST", "/v1/signal", r#"{"signal": "SIGCONT"}"#.to_owned()),
        7 => ("POST", "/v1/scale", r#"{"workers": 0}"#.to_owned()),
        8 => ("GET", "/v1/why", String::new()),
        9 => ("GET", "/v1/metrics", String::new()),
        10 => {
            crew.process.signal(if random.below(2) == 0 { Signal::Hup } else { Signal::Ttou });
            return;
        }
        _ => ("GET", "/v1/status", String::new()),
    };
    let (status, answer) = home.http("api", method, path, &body);
    let expected = if body == r#"{"workers": 0}"# { &[400][..] } else { &[200, 400, 422] };
    assert!(expected.contains(&status), "{path} {body}: {status} {answer}");
}

fn assert_true(status: &Value, pids: &BTreeSet<u32>) {
    let workers = status["workers"].as_array().unwrap();
    let told: BTreeSet<u32> =
        workers.iter().map(|it| u32::try_from(it["pid"].as_u64().unwrap()).unwrap()).collect();
    assert_eq!(told, *pids);
    for slot in status["slots"].as_array().unwrap() {
        assert_eq!(slot["state"], "held");
        let holder = workers.iter().find(|it| it["id"] == slot["worker"]).unwrap();
        assert_eq!((&holder["slot"], &holder["state"]), (&slot["slot"], &"ready".into()));
        assert_eq!(holder["generation"], status["generation"], "no release is mixed");
    }
    let ledger = &status["ledger"];
    let count = |key: &str| ledger[key].as_u64().unwrap();
    let closed: u64 =
        ledger["closed"].as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
    assert_eq!(count("accepted"), count("held") + count("offered") + count("taken") + closed);
}

/// A xorshift: the same commands in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
