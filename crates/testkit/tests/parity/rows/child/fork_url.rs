//! Node's `fork` with a URL of a file.

use portcrew::Role;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::World;

/// In the other pairings the parent is Rust, where the program is a path and nothing else.
pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-url",
    asserts: "the module may be a file URL, which the child sees as a path; other URLs are refused",
    verdict: Verdict::Passes,
    proofs: &[Proof::node_rust(under_node)],
    parts: &[Part::new("child", tells)],
};

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const options = { execPath: exe, execArgv: ['--part', part], stdio: ['ignore', 2, 2, 'ipc'] };
        const remote = new URL('http://127.0.0.1/child.js');
        assert.throws(() => child_process.fork(remote, options), { code: 'ERR_INVALID_URL_SCHEME' });
        told(child_process.fork(require('node:url').pathToFileURL(`${directory}/a child.js`), options));
        ",
    );
    let path = world.directory().join("a child.js");
    assert_eq!(parent.next("message")["message"], path.to_str().expect("a name in UTF-8"));
    parent.child_ends_with(0);
}

fn tells(role: Role) {
    part::child(role, async |parent| {
        parent.send(&std::env::args().nth(3)).expect("connected");
    });
}
