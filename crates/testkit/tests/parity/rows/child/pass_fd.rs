//! Many connections come from several children at once.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use portcrew::{Child, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, World, child, connected, ends, letter, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-pass-fd",
    asserts: "80 connections that children pass to their parent, and of which they keep nothing, all live there: none is \
              closed before it has arrived",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| all_live(world, &world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| all_live(world, &world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", passes)],
};

const CHILDREN: usize = 4;

/// Of each child. It sends them all at once, so that most wait behind another.
const CONNECTIONS: usize = 20;

/// It writes into its ends, and hears through them what the parent writes.
const NODE_CHILD: &str = r"
const net = require('node:net');
let near = 0;
let heard = 0;
const server = net.createServer({ pauseOnConnect: true }, (far) => {
  say('yours', far);
  if (++near === 20) server.close();
});
server.listen(0, '127.0.0.1', () => {
  for (let number = 0; number < 20; number++) {
    const client = net.connect(server.address().port, '127.0.0.1');
    client.end('to the parent');
    client.setEncoding('utf8').on('data', (data) => {
      assert.strictEqual(data, 'to the child');
      if (++heard === 20) say('all heard');
    });
  }
});
";

fn all_live(world: &World, settings: &Settings) {
    world.run(async {
        let children = [(); CHILDREN].map(|()| child(settings.clone()));
        let mut sockets = Vec::new();
        for child in &children {
            for _ in 0..CONNECTIONS {
                let letter = letter(child).await;
                assert_eq!(letter.json::<String>(), "yours");
                sockets.push(letter.stream());
            }
        }
        for mut socket in sockets {
            let mut text = String::new();
            socket.read_to_string(&mut text).expect("it is alive");
            assert_eq!(text, "to the parent");
            socket.write_all(b"to the child").expect("it is alive");
        }
        for child in &children {
            all_heard(child).await;
        }
    });
}

async fn all_heard(child: &Child) {
    assert_eq!(said::<String>(child).await, "all heard");
    ends(child, 0).await;
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        let alive = 0;
        for (let number = 0; number < 4; number++) {
          const child = start();
          child.on('message', (message, socket) => {
            if (message !== 'yours') return;
            let text = '';
            socket.setEncoding('utf8').on('data', (data) => { text += data; });
            socket.on('error', (error) => tell('error', { error: error.message }));
            socket.on('end', () => {
              assert.strictEqual(text, 'to the parent');
              socket.end('to the child');
              alive += 1;
              if (alive === 80) tell('all alive');
            });
          });
        }
        ",
    );
    parent.next("all alive");
    for _ in 1..CHILDREN {
        assert_eq!(parent.next("exit")["code"], 0);
    }
    parent.child_ends_with(0);
}

fn passes(role: Role) {
    part::child(role, async |parent| {
        let mut near: Vec<TcpStream> = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, far) = connected();
            parent.send_with("yours", far).expect("connected");
            near.push(client);
        }
        for client in &mut near {
            client.write_all(b"to the parent").expect("it is alive");
            client.shutdown(std::net::Shutdown::Write).expect("it is alive");
            client.set_read_timeout(Some(HANG)).expect("not zero");
        }
        let heard = tokio::task::spawn_blocking(move || {
            for mut client in near {
                let mut text = String::new();
                client.read_to_string(&mut text).expect("it is alive");
                assert_eq!(text, "to the child");
            }
        });
        heard.await.expect("all are alive");
        parent.send("all heard").expect("connected");
    });
}
