//! `docs/frameworks.md`: what a whole run has found.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use portcrew_testkit::node::Node;

use super::project::WORKERS;
use crate::machine;

/// Every server, in the order of the page, with what it is called there. All of them make a whole run.
const ALL: [(&str, &str); 8] = [
    ("express", "Express"),
    ("fastify", "Fastify"),
    ("koa", "Koa"),
    ("hono", "Hono"),
    ("http2", "`node:http2` over TLS"),
    ("ws", "ws"),
    ("socket.io", "Socket.IO, websocket transport alone"),
    ("socket.io-polling", "Socket.IO by long polling, `--policy sticky=query:sid+turn`"),
];

/// A server that passed everything.
pub(crate) struct Row {
    /// As in [`ALL`].
    pub(crate) name: &'static str,
    pub(crate) packages: Vec<String>,
    pub(crate) in_turn: String,
    pub(crate) at_once: String,
    pub(crate) reload: String,
}

/// Remembers it. With the last of all the page is written: a run in which one fails leaves the old page.
pub(crate) fn passed(row: Row) {
    static ROWS: Mutex<Vec<Row>> = Mutex::new(Vec::new());
    // A test that failed did not get here, and nothing below panics while it holds the lock but the last.
    let mut rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(ALL.iter().any(|(name, _)| *name == row.name), "{} has no place on it", row.name);
    rows.push(row);
    if rows.len() == ALL.len() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/frameworks.md");
        fs::write(page, text(&rows)).unwrap();
    }
}

fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{}\n## Result of {}\n\n{}\n\n",
        INTRODUCTION.trim_start(),
        machine::today(),
        machine()
    );
    text.push_str("| server | packages | one after another | at once | across a reload |\n");
    text.push_str("|---|---|---|---|---|\n");
    for (name, title) in ALL {
        let row = rows.iter().find(|row| row.name == name).expect("each has passed once");
        let packages = match row.packages.as_slice() {
            [] => "–".to_owned(),
            packages => packages.join(", "),
        };
        let Row { in_turn, at_once, reload, .. } = row;
        text.push_str(&format!("| {title} | {packages} | {in_turn} | {at_once} | {reload} |\n"));
    }
    text
}

const INTRODUCTION: &str = "
# Frameworks

Servers written with well-known frameworks, unmodified, under `portcrew run -w 3 app.js`. Each program is in
`crates/cli/tests/interop/apps`, is as short as the framework's own first page, and knows nothing of clusters: it
answers with its pid.

```sh
just interop          # installs what is missing into a cache outside the repository, runs all, writes this page
```

Each row has passed all of this, with no failed request:

* **One after another**, over new connections, each of the three workers has exactly the same number of requests, or
  of sessions. A session stays with its worker: every request of it is answered by the same pid.
* **At once**, from many clients, every request is answered: over short connections and over kept ones.
* **A worker is killed** while nine sessions are open (HTTP/2, WebSockets): its own three end, and each of the six
  others answers as before. The successor serves.
* **A reload** (`SIGHUP`) under load replaces every worker; every request that was made before, meanwhile and after is
  answered, by the new workers too. The requests say `Connection: close`; the sessions are short and end by themselves.
* **SIGTERM** ends the crew with status 0: each worker leaves by itself, and no process stays behind.

Socket.IO begins with long polling unless it is told otherwise: several connections of one session, which must reach one
worker. Either its server and its clients have `transports: ['websocket']`, or the policy is sticky: by address where
clients connect themselves, behind a proxy by `sid`. For that the server says in one line in which slot a session lives
(`apps/socket.io-polling.js`); here all clients have one address, as behind a proxy, and no two requests a connection.
";

fn machine() -> String {
    let node = Node::find().map_or_else(String::new, |node| format!(", Node {}", node.version()));
    format!("{WORKERS} workers, {}{node}. All passed.", machine::machine())
}
