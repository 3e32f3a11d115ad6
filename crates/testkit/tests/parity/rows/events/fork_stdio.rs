//! A further descriptor beside the channel.

use std::os::unix::net::UnixStream;

use portcrew::{ExtraFd, Role, Settings};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-fork-stdio",
    asserts: "a worker may have a further pipe as descriptor 4 beside the channel; it carries bytes both ways",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| both_ways(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| both_ways(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

/// Its number in the worker.
const NUMBER: i32 = 4;

const NODE_WORKER: &str = "
const pipe = new (require('node:net').Socket)({ fd: 4 });
pipe.on('data', (data) => pipe.write(data.toString().toUpperCase()));
pipe.unref();
say('channel');
";

fn both_ways(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers.fd(NUMBER, ExtraFd::Piped));
        let worker = primary.fork().await;
        assert!(worker.take_fd(NUMBER - 1).is_none(), "it was not asked for");
        let mut pipe = worker.take_fd(NUMBER).expect("it was asked for");
        pipe.write_all(b"there?").await.expect("the worker has the other end");
        let mut answer = [0; 6];
        pipe.read_exact(&mut answer).await.expect("it answers");
        assert_eq!(&answer, b"THERE?");
        assert_eq!(primary.message::<String>().await.1, "channel");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        cluster.setupPrimary({ stdio: ['ignore', 2, 2, 'ipc', 'pipe'] });
        const pipe = cluster.fork().process.stdio[4];
        let text = '';
        pipe.on('data', (data) => {
          text += data;
          if (text.length < 6) return;
          tell('answer', { text });
          cluster.disconnect();
        });
        pipe.write('there?');
        ",
    );
    assert_eq!(primary.next("answer")["text"], "THERE?");
    assert_eq!(primary.next("message")["message"], "channel");
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    let pipe = UnixStream::from(inherited());
    part::worker(role, async |worker| {
        worker.send("channel").expect("connected");
        pipe.set_nonblocking(true).expect("it is open");
        let mut pipe = tokio::net::UnixStream::from_std(pipe).expect("it is a socket");
        let mut text = [0; 6];
        pipe.read_exact(&mut text).await.expect("the primary writes");
        pipe.write_all(&text.map(|byte| byte.to_ascii_uppercase())).await.expect("it reads");
        worker.draining().await;
    });
}

/// A second descriptor of what was inherited: one that is safe to have, wherever the first one is closed.
fn inherited() -> std::os::fd::OwnedFd {
    let own = pidfd_open(getpid(), PidfdFlags::empty()).expect("it lives");
    pidfd_getfd(own, NUMBER, PidfdGetfdFlags::empty()).expect("it was inherited")
}
