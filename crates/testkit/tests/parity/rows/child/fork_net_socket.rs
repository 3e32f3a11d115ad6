//! Connections are given to a child.

use std::io::Write as _;

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, World, child, connect, connected, ends, letter, read_all, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-net-socket",
    asserts: "the parent gives four connections to a child, which writes to each and ends it; the parent's server is closed \
              when the child has closed the last",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| gives(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| gives(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", ends_each)],
};

const SOCKETS: usize = 4;

/// How the parent names the server that they come from.
const KEY: &str = "the server";

/// The last connection is closed only when the parent says so.
const NODE_CHILD: &str = r"
let last;
process.on('message', (message, socket) => {
  if (message === 'ping') return say('pong');
  if (message === 'the last') {
    last.end();
    process.removeAllListeners('message');
    return;
  }
  socket.write(`echo ${message}`);
  if (message === 3) last = socket;
  else socket.end();
});
";

fn gives(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let mut clients = Vec::new();
        for number in 0..SOCKETS {
            let (client, accepted) = connected();
            clients.push(client);
            child.send_counted(&number, accepted, KEY).expect("connected");
        }
        let last = clients.pop().expect("there are some");
        for (number, client) in clients.into_iter().enumerate() {
            assert_eq!(read_all(client), format!("echo {number}"));
        }
        let waiting = child.all_closed(KEY);
        tokio::pin!(waiting);
        // It asks before the ping, and so would be answered before the pong.
        tokio::select! {
            biased;
            closed = &mut waiting => panic!("one is open: {closed:?}"),
            pong = async {
                child.send("ping").expect("connected");
                said::<String>(&child).await
            } => assert_eq!(pong, "pong"),
        }
        child.send("the last").expect("connected");
        assert_eq!(read_all(last), "echo 3");
        let closed = tokio::time::timeout(HANG, waiting).await.expect("all are closed");
        closed.expect("the child says so before it ends");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        let given = 0;
        let closed = false;
        const server = require('node:net').createServer({ pauseOnConnect: true }, (socket) => {
          child.send(given++, socket);
          if (given < 4) return;
          server.close(() => { closed = true; tell('closed'); });
          child.send('ping');
        });
        server.listen(0, '127.0.0.1', () => tell('port', { port: server.address().port }));
        // Whatever is to be told because of what came before has its turn first.
        child.on('message', () => setImmediate(() => {
          tell('pong', { closed });
          child.send('the last');
        }));
        ",
    );
    let port = parent.port_in("port");
    let [first, second, third, last] = [(); SOCKETS].map(|()| connect(port));
    for (number, client) in [first, second, third].into_iter().enumerate() {
        assert_eq!(read_all(client), format!("echo {number}"));
    }
    assert_eq!(parent.next("pong")["closed"], false);
    assert_eq!(read_all(last), "echo 3");
    parent.next("closed");
    parent.child_ends_with(0);
}

fn ends_each(role: Role) {
    part::child(role, async |parent| {
        let mut last = None;
        for number in 0..SOCKETS {
            let mut letter = letter(&parent).await;
            assert_eq!(letter.json::<usize>(), number);
            let counted = letter.counted.take().expect("it comes from a server");
            let mut stream = letter.stream();
            write!(stream, "echo {number}").expect("its client waits");
            last = Some((stream, counted));
        }
        assert_eq!(said::<String>(&parent).await, "ping");
        parent.send("pong").expect("connected");
        assert_eq!(said::<String>(&parent).await, "the last");
        drop(last);
    });
}
