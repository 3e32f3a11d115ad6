//! The values of variables are in nothing that the command says of a crew.

use portcrew_testkit::process::Signal;

use crate::crew::Crew;
use crate::home::{Home, PORTCREW};

/// In the primary's environment, and given to the workers alone.
const SECRETS: [&str; 2] = ["hidden-from-all", "given-to-workers"];

#[test]
fn no_command_no_answer_and_no_event_has_the_value_of_a_variable() {
    let home = Home::new();
    let given = format!("TOKEN={}", SECRETS[1]);
    let args = ["run", "--name", "api", "-w", "1", "--events", "--explain", "--env", &given];
    let args = [&args[..], &[PORTCREW, "demo", "--port", "0"]].concat();
    let mut crew = Crew { process: home.program(&args).env("SECRET", SECRETS[0]).start() };
    crew.address();
    home.complete("api");
    home.api("api", "POST", "/v1/reload", "");
    let mut all = Vec::new();
    for command in ["describe", "list", "why", "doctor"] {
        let names: &[&str] = if command == "doctor" { &[] } else { &["api"] };
        for form in [&[][..], &["--json"]] {
            let answer = home.ask(&[&[command], names, form].concat());
            all.extend([answer.stdout, answer.stderr]);
        }
    }
    for path in ["/v1/status", "/v1/workers", "/v1/why", "/v1/metrics"] {
        all.push(home.http("api", "GET", path, "").1);
    }
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    all.extend(crew.process.lines().into_iter().map(|line| line.text));
    assert!(all.iter().any(|text| text.contains("\"event\":\"fork\"")), "the test shows nothing");
    for text in &all {
        assert!(!SECRETS.iter().any(|secret| text.contains(secret)), "{text}");
    }
}
