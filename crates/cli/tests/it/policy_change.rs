//! `POST /v1/policy`: in force when it is answered, or not at all.

use portcrew_testkit::http::Load;

use crate::crew::Crew;
use crate::home::Home;

#[test]
fn a_policy_that_needs_other_workers_comes_with_them_or_stays_what_it_was() {
    let home = Home::new();
    let program = home.release();
    let args = ["run", "--name", "api", "-w", "1", program.to_str().unwrap()];
    let crew =
        Crew { process: home.program(&[&args[..], &["demo", "--port", "0"]].concat()).start() };
    let address = crew.address();
    let set = |policy: &str| {
        home.api("api", "POST", "/v1/policy", &format!(r#"{{"policy": "{policy}"}}"#))
    };
    let now = || home.api("api", "GET", "/v1/status", "").1["policy"].as_str().unwrap().to_owned();
    assert_eq!(set("sticky=cookie:sid").1["reloaded"], false);
    assert_eq!(now(), "sticky=cookie:sid");
    assert_eq!(set("stikcy").0, 400);
    assert_eq!(set("least-connections").1["reloaded"], false);
    assert_eq!(now(), "least-connections");
    home.break_release();
    for _ in 0..2 {
        let (status, problem) = set("shared");
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["output"][0], "cannot find the database");
        assert_eq!(now(), "least-connections");
    }
    home.mend_release();
    let (status, answer) = set("shared");
    assert_eq!((status, &answer["reloaded"]), (200, &true.into()), "{answer}");
    assert_eq!(now(), "shared");
    Load::new(address).requests(20).run().assert_all_ok();
    let (_, listeners) = home.api("api", "GET", "/v1/status", "");
    assert_eq!(listeners["listeners"][0]["policy"], "shared");
}
