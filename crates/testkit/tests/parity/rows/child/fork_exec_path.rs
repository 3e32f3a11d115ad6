//! The program of a child is chosen by its path.

use std::os::unix::fs::symlink;
use std::path::Path;

use portcrew::{Child, Error, Role, Settings, SpawnErrorKind};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-exec-path",
    asserts: "the child is the program at execPath, which may be a copy or a link elsewhere; one that is not there is an \
              error with ENOENT",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| starts(world, world.node_workers("say(process.argv0);"))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| starts(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", tells)],
};

fn starts(world: &World, mut settings: Settings) {
    let path = world.directory().join("another name");
    let exec = settings.exec.replace(path.clone()).expect("the helper names one");
    symlink(exec, &path).expect("a temporary directory can be written to");
    let path = path.to_str().expect("a name in UTF-8");
    world.run(async {
        let child = child(settings.clone());
        assert_eq!(said::<String>(&child).await, path);
        ends(&child, 0).await;
        settings.exec = Some(Path::new("/nowhere/to be found").into());
        let Err(Error::Spawn(error)) = Child::spawn(settings) else { panic!("it started") };
        assert_eq!(error.kind(), SpawnErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("/nowhere/to be found"), "{error}");
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const execPath = `${directory}/another name`;
        require('node:fs').symlinkSync(exe, execPath);
        start({ execPath });
        tell('path', { execPath });
        ",
    );
    assert_eq!(parent.next("message")["message"], json!(parent.next("path")["execPath"]));
    parent.child_ends_with(0);
}

/// By which name it was started.
fn tells(role: Role) {
    part::child(role, async |parent| {
        parent.send(&std::env::args().next()).expect("connected");
    });
}
