//! A worker ends although nobody asked it to: whatever its code, it is replaced, unless the code was said to be final.

use portcrew::{Event, Outcome, Settings};
use serde_json::json;

use crate::local::Local;
use crate::support::SERVER;

/// What becomes of the crew whose one worker ends with that code.
fn becomes(code: i32, last: &[i32]) -> Option<Outcome> {
    let mut settings = Settings::program(SERVER, [""; 0]).silent();
    settings.stop_exit_codes = last.to_vec();
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    let worker = local.until(|event| match event {
        Event::Fork { process, .. } => Some(process.clone()),
        _ => None,
    });
    local.until(|event| matches!(event, Event::Listening { .. }).then_some(()));
    worker.send(&json!({ "op": "exit", "code": code })).unwrap();
    let status = local.until(|event| match event {
        Event::Exit { status, planned, .. } => Some((status.code(), *planned)),
        _ => None,
    });
    assert_eq!(status, (Some(code), false));
    local.until(|event| match event {
        Event::Fork { .. } => Some(None),
        Event::Finished(outcome) => Some(Some(*outcome)),
        _ => None,
    })
}

#[test]
fn every_code_is_a_reason_for_a_successor_but_those_that_were_said_to_be_final() {
    for code in [0, 1, 3, 78, 255] {
        assert_eq!(becomes(code, &[]), None, "{code}, and nothing is final");
        assert_eq!(becomes(code, &[2, 79]), None, "{code}, and others are final");
        assert_eq!(becomes(code, &[2, code]), Some(Outcome::Retired { code }), "{code} is final");
    }
}
