//! `portcrew describe`: everything about a crew.

use portcrew_testkit::http::Load;

use crate::home::{Home, normal};

#[test]
fn a_crew_is_described_with_its_workers_and_listeners() {
    let home = Home::new();
    let crew = home.crew("api", "2");
    Load::new(crew.address()).requests(10).run().assert_all_ok();
    let answer = home.ask(&["describe", "api"]);
    assert_eq!(
        without_depths(&normal(&answer.stdout, &home)),
        "crew  api\n\
         state  running, 2 of 2 workers ready\n\
         program  PORTCREW demo --port 0\n\
         directory  HOME\n\
         primary  pid PID, up AGE, portcrew 0.1.0\n\
         listens on  127.0.0.1:PORT\n\
         policy  round-robin\n\
         generation  0\n\
         restarts  none\n\
         connections  10 accepted, 10 taken\n\
         \n\
         worker  slot  pid  state  gen  up  taken  live  cpu  memory\n\
         1  0  PID  ready  0  AGE  5  -  CPU  SIZE\n\
         2  1  PID  ready  0  AGE  5  -  CPU  SIZE\n\
         \n\
         listener  policy  accepted  waiting  most  unaccepted  workers\n\
         127.0.0.1:0:4:undefined:0  round-robin  10  0  N  0 of PID, most N  1 2\n"
    );
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let json = home.json(&["show", "--json", "api"]);
    assert_eq!(json["crews"][0]["ledger"]["taken"], 10);
}

/// How many have waited at once is another number each time.
fn without_depths(text: &str) -> String {
    let line = |line: &str| match line.split("  ").collect::<Vec<_>>()[..] {
        [key, policy, accepted, waiting, _, queue, workers] if key.starts_with("127.0.0.1:") => {
            let queue = queue.rsplit_once(' ').map_or(queue, |it| it.0);
            [key, policy, accepted, waiting, "N", &format!("{queue} N"), workers].join("  ")
        }
        _ => line.to_owned(),
    };
    text.lines().map(|it| line(it) + "\n").collect()
}
