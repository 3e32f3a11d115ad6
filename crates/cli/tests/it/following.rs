//! `portcrew events`: what happens, as it happens.

use portcrew_testkit::process::{Signal, eventually};
use serde_json::Value;

use crate::crew::HANG;
use crate::home::Home;

#[test]
fn events_are_followed_in_text_and_in_json_until_the_crew_ends() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    let text = home.program(&["events", "api"]).start();
    let json = home.program(&["events", "--json", "api"]).start();
    // Nothing tells when they have connected, so there is news until both have had some.
    eventually("news for both", HANG, || {
        home.api("api", "POST", "/v1/scale", r#"{"by": 1}"#);
        home.api("api", "POST", "/v1/scale", r#"{"by": -1}"#);
        let heard = |process: &portcrew_testkit::process::Process| {
            process.lines().iter().any(|line| line.text.contains("fork"))
        };
        (heard(&text) && heard(&json)).then_some(())
    });
    crew.process.signal(Signal::Term);
    let (text, _) = home.ended(text);
    assert!(text.stdout.lines().any(|it| it.starts_with("fork worker=")), "{}", text.stdout);
    assert!(text.stderr.contains("api: the crew has ended"), "{}", text.stderr);
    let (json, _) = home.ended(json);
    for line in json.stdout.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["crew"], "api");
    }
    assert_eq!((text.status, json.status), (0, 0));
}
