//! No shell stands between a parent and its child.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-no-shell",
    asserts: "fork starts the program without a shell, whatever the options say: arguments arrive as they are",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| passes(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| passes(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", tells)],
};

/// Whatever a shell would make something else of.
const TRAP: &str = r#"$HOME `id` "a" 'b' \ ; exit 3 | cat > /dev/null && *"#;

const NODE_CHILD: &str = "say(process.argv[2]);";

fn passes(world: &World, mut settings: Settings) {
    settings.args.push(TRAP.into());
    world.run(async {
        let child = child(settings);
        assert_eq!(said::<String>(&child).await, TRAP);
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    world.write("trap", TRAP);
    let parent = world.node_parent(
        "child",
        "start({ shell: true }, require('node:fs').readFileSync(`${directory}/trap`, 'utf8'));",
    );
    assert_eq!(parent.next("message")["message"], TRAP);
    parent.child_ends_with(0);
}

fn tells(role: Role) {
    part::child(role, async |parent| {
        parent.send(&std::env::args().nth(3)).expect("connected");
    });
}
