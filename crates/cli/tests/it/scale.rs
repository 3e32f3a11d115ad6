//! `portcrew scale`: as many workers as are asked for.

use crate::home::Home;

#[test]
fn a_crew_becomes_as_large_as_is_asked_and_the_answer_says_what_it_was() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    for (size, said, workers) in [
        ("3", "api: 3 workers wanted in place of 1\n", 3),
        ("+1", "api: 4 workers wanted in place of 3\n", 4),
        ("-3", "api: 1 worker wanted in place of 4\n", 1),
        ("1", "api: 1 worker wanted, as before\n", 1),
    ] {
        let answer = home.ask(&["scale", "api", size]);
        assert_eq!((answer.status, answer.stdout.as_str()), (0, said), "{}", answer.stderr);
        crew.pids_when(workers);
    }
    let json = home.json(&["scale", "--json", "api", "+1"]);
    assert_eq!(json["results"][0]["wanted"], 2);
}

#[test]
fn a_size_that_cannot_be_changes_nothing() {
    let home = Home::new();
    let _crew = home.crew("api", "1");
    for size in ["0", "-1", "1025", "+1024", "99999999999999999999"] {
        let answer = home.ask(&["scale", "api", size]);
        assert_eq!(answer.status, 2, "{size}: {}", answer.stderr);
    }
    assert_eq!(home.json(&["list", "--json"])["crews"][0]["wanted"], 1);
}
