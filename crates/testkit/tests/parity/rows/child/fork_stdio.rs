//! A further pipe beside the channel.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use portcrew::{ExtraFd, Role, Settings, Stdio};
use portcrew_ipc::descriptor::duplicate;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-stdio",
    asserts: "the child has the descriptors that stdio lists, by number: pipes, the channel, and a further pipe that carries \
              bytes both ways; stdio without a channel is refused (in Rust it cannot be said)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| by_number(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| by_number(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", echoes)],
};

const NODE_CHILD: &str = r"
const socket = new (require('node:net').Socket)({ fd: 4, readable: true, writable: true });
let text = '';
socket.setEncoding('utf8').on('data', (data) => { text += data; });
socket.on('end', () => {
  console.log('to stdout');
  say(text.length, () => socket.end(`back: ${text}`));
});
";

/// Longer than one read.
const TEXT: &str = "to descriptor 4, ";
const TIMES: usize = 8000;

fn by_number(world: &World, settings: Settings) {
    let mut settings = settings.fd(4, ExtraFd::Piped);
    settings.stdout = Stdio::Piped;
    world.run(async {
        let child = child(settings);
        let mut socket = child.take_fd(4).expect("it is a pipe");
        assert!(child.take_fd(3).is_none(), "that is the channel");
        socket.write_all(TEXT.repeat(TIMES).as_bytes()).await.expect("the child reads");
        socket.shutdown().await.expect("it is open");
        assert_eq!(said::<usize>(&child).await, TEXT.len() * TIMES);
        let mut back = String::new();
        socket.read_to_string(&mut back).await.expect("text");
        assert!(back == format!("back: {}", TEXT.repeat(TIMES)), "{} bytes came back", back.len());
        let (mut stdout, mut text) = (child.take_stdout().expect("it is a pipe"), String::new());
        stdout.read_to_string(&mut text).await.expect("text");
        assert_eq!(text, "to stdout\n");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        assert.throws(() => start({ stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }), { code: 'ERR_CHILD_PROCESS_IPC_REQUIRED' });
        const text = 'to descriptor 4, '.repeat(8000);
        const child = start({ stdio: ['ignore', 'pipe', 2, 'ipc', 'pipe'] });
        const socket = child.stdio[4];
        let [out, back] = ['', ''];
        child.stdout.on('data', (data) => { out += data; });
        socket.setEncoding('utf8').on('data', (data) => { back += data; });
        socket.end(text);
        child.on('close', () => tell('outputs', { out, same: back === `back: ${text}` }));
        ",
    );
    assert_eq!(parent.next("message")["message"], TEXT.len() * TIMES);
    let outputs = parent.next("outputs");
    assert_eq!((&outputs["out"], &outputs["same"]), (&"to stdout\n".into(), &true.into()));
    parent.child_ends_with(0);
}

fn echoes(role: Role) {
    part::child(role, async |parent| {
        let mut socket = UnixStream::from(duplicate(4).expect("the parent has listed it"));
        socket.set_nonblocking(false).expect("open");
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("text");
        writeln!(std::io::stdout(), "to stdout").expect("somebody reads");
        parent.send(&text.len()).expect("connected");
        write!(socket, "back: {text}").expect("the parent reads");
    });
}
