//! Settings that add up.

use std::ffi::OsString;

use portcrew::Settings;
use serde_json::Value;

use super::look::{self, here, said};
use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-setup-primary-cumulative",
    asserts: "settings begin with the primary's own program and arguments; each setup changes what it names and \
              leaves the rest, one that names nothing changes nothing (Node has no settings at all before the first \
              setup, where there is no cluster here)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| add_up(world, &look::node_workers(world))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| add_up(world, &look::rust_workers(world))),
    ],
    parts: &[look::PART],
};

fn add_up(world: &World, workers: &Settings) {
    let there = world.directory().canonicalize().expect("it is there");
    world.run(async {
        let mut primary = Primary::new(Settings::default());
        let own = std::env::args_os().skip(1).collect::<Vec<_>>();
        let begin = primary.cluster.settings();
        assert_eq!((&begin.exec, &begin.args, &begin.cwd), (&None, &own, &None));

        let setup = |change: &dyn Fn(&mut Settings)| {
            primary.cluster.setup_with(change).expect("it can be set");
            let now = primary.cluster.settings();
            (now.exec.clone(), now.args.clone(), now.cwd.clone())
        };
        let exec = workers.exec.clone();
        assert_eq!(setup(&|it| it.exec.clone_from(&exec)), (exec.clone(), own, None));
        let args: Vec<OsString> =
            workers.args.iter().cloned().chain(["foo".into(), "bar".into()]).collect();
        let expected = (exec.clone(), args.clone(), None);
        assert_eq!(setup(&|it| it.args.clone_from(&args)), expected);
        let expected = (exec, args, Some(there.clone()));
        assert_eq!(setup(&|it| it.cwd = Some(there.clone())), expected);
        assert_eq!(setup(&|it| it.helper.clone_from(&workers.helper)), expected);
        assert_eq!(setup(&|_| {}), expected);

        primary.fork().await;
        assert_eq!(primary.message::<Value>().await.1, said(&["foo", "bar"], &there));
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const part = process.env.PARITY_PART;
        cluster.setupPrimary({ args: [part, 'foo'] });
        cluster.fork().on('message', () => {
          cluster.setupPrimary({ cwd: directory });
          cluster.setupPrimary({ args: [part, 'foo', 'bar'] });
          cluster.setupPrimary();
          cluster.fork().on('message', () => cluster.disconnect());
        });
        ",
    );
    let there = world.directory().canonicalize().expect("it is there");
    for expected in [said(&["foo"], &here()), said(&["foo", "bar"], &there)] {
        assert_eq!(primary.next("message")["message"], expected);
    }
    primary.ends_with(0);
}
