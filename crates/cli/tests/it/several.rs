//! Several names on one command: each is tried, whatever became of the others.

use std::fs;

use crate::home::Home;

const UNKNOWN: &str = "there is no crew nobody.";

#[test]
fn an_unknown_name_does_not_keep_a_command_from_the_crews_beside_it() {
    let home = Home::new();
    let mut crew = home.crew("api", "1");
    for (args, said) in [
        (&["describe", "nobody", "api"][..], "crew         api"),
        (&["why", "nobody", "api"], "api: nothing befell it"),
        (&["list", "nobody", "api"], "api "),
        (&["scale", "nobody", "api", "2"], "api: 2 workers wanted"),
        (&["policy", "nobody", "api", "rr"], "api: round-robin from now on"),
        (&["reload", "nobody", "api"], "api: reloaded in "),
        (&["restart", "nobody", "api"], "api: reloaded in "),
        (&["stop", "nobody", "api"], "api: stopped"),
    ] {
        let answer = home.ask(args);
        assert_eq!(answer.status, 6, "{args:?}");
        assert!(answer.stderr.contains(UNKNOWN), "{args:?}: {}", answer.stderr);
        assert!(answer.stdout.contains(said), "{args:?}: {} {}", answer.stdout, answer.stderr);
    }
    assert_eq!(crew.status(), 0);
}

#[test]
fn an_unknown_name_is_one_result_of_several_in_json() {
    let home = Home::new();
    let _crew = home.crew("api", "1");
    let answer = home.json(&["scale", "--json", "nobody", "api", "1"]);
    let results = answer["results"].as_array().unwrap();
    assert_eq!((&results[0]["name"], &results[0]["ok"]), (&"nobody".into(), &false.into()));
    assert!(results[0]["error"].as_str().unwrap().contains(UNKNOWN));
    assert_eq!((&results[1]["name"], &results[1]["ok"]), (&"api".into(), &true.into()));
}

#[test]
fn the_logs_of_crews_that_do_not_run_are_deleted_by_name_by_pattern_and_all() {
    let home = Home::new();
    let _crew = home.crew("api", "1");
    for (target, gone) in [("one", &["one"][..]), ("t*", &["two", "three"]), ("all", &["four"])] {
        for name in gone {
            fs::create_dir_all(home.logs(name)).unwrap();
        }
        let answer = home.ask(&["delete", target]);
        assert_eq!(answer.status, 0, "{target}: {}", answer.stderr);
        for name in gone {
            assert!(!home.logs(name).exists(), "{target}: {name}");
        }
    }
    let answer = home.ask(&["delete", "one"]);
    assert_eq!(answer.status, 6, "{}", answer.stdout);
}
