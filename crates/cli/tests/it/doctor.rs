//! `portcrew doctor` and `completions`.

use crate::home::Home;

#[test]
fn the_doctor_tells_of_each_thing_what_was_found_and_what_to_change() {
    let home = Home::new();
    let _crew = home.crew("api", "1");
    let json = home.json(&["doctor", "--json"]);
    let checks = json["checks"].as_array().unwrap();
    for what in ["pidfd", "SO_REUSEPORT", "sock_diag", "open descriptors", "control sockets"] {
        let check = checks.iter().find(|it| it["what"] == what).unwrap();
        let is_good = check["verdict"] == "good";
        assert_eq!(check["next"].is_null(), is_good, "{check}");
    }
    let answer = home.ask(&["doctor"]);
    assert!(answer.stdout.contains("ok      pidfd: works\n"), "{}", answer.stdout);
    assert_eq!(answer.status, 0);
    let few = home.program(&["doctor"]).through("sh", ["-c", "ulimit -Sn 256; exec \"$@\"", "sh"]);
    let (few, _) = home.ended(few.start());
    assert!(few.stdout.contains("advice  open descriptors: up to 256\n"), "{}", few.stdout);
    assert!(few.stdout.contains("ulimit -n "), "{}", few.stdout);
}

#[test]
fn completions_know_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = home.ask(&["completions", shell]);
        assert_eq!(answer.status, 0);
        for command in ["run", "start", "list", "reload", "scale", "why", "doctor"] {
            assert!(answer.stdout.contains(command), "{shell}: {command}");
        }
        let offers = answer
            .stdout
            .lines()
            .filter(|line| ["opts=", "=[", "complete "].iter().any(|it| line.contains(it)));
        let hidden = offers.filter(|line| line.contains("detached")).count();
        assert_eq!(hidden, 0, "{shell} offers what is not for people");
    }
    assert_eq!(home.ask(&["completions", "tcsh"]).status, 2);
}
