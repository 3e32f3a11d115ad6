//! Arguments for workers, and their output.

use portcrew::{Event, Role, Settings, Stdio};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-setup-primary",
    asserts: "custom arguments reach the workers, and with silent their output reaches the primary; setup tells the \
              settings, which the cluster has too",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| set_up(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| set_up(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const CUSTOM: &str = "custom argument";
const OUTPUT: &str = "to standard output";

const NODE_WORKER: &str = "
console.log('to standard output');
say(process.argv[2]);
";

fn set_up(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        assert_eq!(primary.cluster.settings().stdout, Stdio::Inherit);
        primary
            .cluster
            .setup_with(|it| {
                *it = it.clone().silent();
                it.args.push(CUSTOM.into());
            })
            .expect("it can be set");
        let heard = primary.until("setup", |it| match it {
            Event::Setup { settings } => Some(settings.clone()),
            _ => None,
        });
        let (heard, now) = (heard.await, primary.cluster.settings());
        for settings in [heard, now] {
            assert_eq!(settings.args.last(), Some(&CUSTOM.into()));
            assert_eq!((settings.stdout, settings.stderr), (Stdio::Piped, Stdio::Piped));
        }
        let worker = primary.fork().await;
        assert_eq!(primary.message_of::<String>(worker.id()).await, CUSTOM);
        let output = worker.take_stdout().expect("it is piped");
        let line = BufReader::new(output).lines().next_line().await.expect("it is text");
        assert_eq!(line.as_deref(), Some(OUTPUT));
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const args = [process.env.PARITY_PART, 'custom argument'];
        cluster.on('setup', ({ args, silent }) => tell('setup', { last: args.at(-1), silent }));
        cluster.setupPrimary({ args, silent: true, stdio: undefined });
        const worker = cluster.fork();
        let text = '';
        worker.process.stdout.on('data', (data) => { text += data; });
        worker.process.stdout.on('end', () => tell('output', { text }));
        worker.on('message', () => worker.disconnect());
        ",
    );
    // Of the first call, before the script's: it has come when that is told.
    primary.next("setup");
    let setup = primary.next("setup");
    assert_eq!((&setup["last"], &setup["silent"]), (&json!(CUSTOM), &json!(true)));
    assert_eq!(primary.next("message")["message"], CUSTOM);
    assert_eq!(primary.next("output")["text"], format!("{OUTPUT}\n"));
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

#[allow(clippy::print_stdout, reason = "the row is about a worker's output")]
fn worker(role: Role) {
    println!("{OUTPUT}");
    part::worker(role, async |worker| {
        // Behind this program, the word that a part follows, and its name.
        worker.send(&std::env::args().nth(3)).expect("connected");
        worker.draining().await;
    });
}
