//! Options before the program's name and arguments behind it reach the child.

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-exec-argv",
    asserts: "execArgv stand before the module and args behind it, as the child sees them",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(with_options),
        Proof::node_rust(under_node),
        Proof::rust_rust(with_arguments),
    ],
    parts: &[Part::new("child", tells)],
};

const NODE_CHILD: &str = "say({ options: process.execArgv, rest: process.argv.slice(2) });";

fn with_options(world: &World) {
    let mut settings = world.node_workers(NODE_CHILD);
    settings.args.splice(0..0, ["--no-warnings".into(), "--stack-size=256".into()]);
    settings.args.extend(["one".into(), "two three".into(), "".into()]);
    let wanted = json!({
        "options": ["--no-warnings", "--stack-size=256"], "rest": ["one", "two three", ""],
    });
    hears(world, settings, &wanted);
}

fn with_arguments(world: &World) {
    let mut settings = world.rust_workers("child");
    settings.args.extend(["one".into(), "two three".into(), "".into()]);
    hears(world, settings, &json!(["one", "two three", ""]));
}

fn hears(world: &World, settings: Settings, wanted: &Value) {
    world.run(async {
        let child = child(settings);
        assert_eq!(&said::<Value>(&child).await, wanted);
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        // This program takes its part where Node takes its options.
        told(child_process.fork('module.js', ['one', 'two three', ''], {
          execPath: exe, execArgv: ['--part', part], stdio: ['ignore', 2, 2, 'ipc'],
        }));
        ",
    );
    let wanted = json!(["module.js", "one", "two three", ""]);
    assert_eq!(parent.next("message")["message"], wanted);
    parent.child_ends_with(0);
}

/// What stands behind the part's name.
fn tells(role: Role) {
    part::child(role, async |parent| {
        let args: Vec<String> = std::env::args().skip(3).collect();
        parent.send(&args).expect("connected");
    });
}
