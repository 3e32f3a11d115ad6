//! Reloads and changes of the crew's size: no socket is closed under a client.

use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::require_node;

use super::{crew, node, rust};
use crate::support::{HANG, scaled};

/// No load lasts longer.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn reloads_under_load_lose_nothing() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        let (mut crew, address) = crew(program.env("STABLE_MS", "1"), 2);
        let load = Load::new(address).clients(16).time_limit(LONG).background();
        for _ in 0..scaled(3, 200) {
            load.wait_answered(50, HANG);
            crew.tell("reload");
            crew.next_where("crew", |it| {
                it["notice"].as_str().is_some_and(|it| it.contains("ReloadCommitted"))
            });
        }
        load.finish().assert_all_ok();
    }
}

#[test]
fn growing_and_shrinking_under_load_loses_nothing() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        let (mut crew, address) = crew(program, 2);
        let load = Load::new(address).clients(16).time_limit(LONG).background();
        for _ in 0..scaled(5, 100) {
            crew.tell("scale 2");
            crew.listening(2);
            load.wait_answered(50, HANG);
            crew.tell("scale -2");
            crew.next("exit");
            crew.next("exit");
            load.wait_answered(50, HANG);
        }
        load.finish().assert_all_ok();
    }
}
