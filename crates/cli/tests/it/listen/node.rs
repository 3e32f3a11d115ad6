//! A Node program with `--listen` is started like any other, and it is said which rule applies.

use std::fs;

use portcrew_testkit::require_node;

use super::world::load;
use crate::crew::{Crew, portcrew};

/// Serves on the descriptor that it was started with, and has no cluster.
const SERVER: &str = "const cluster = require('node:cluster');\n\
    if (cluster.isWorker || process.send) throw new Error('there is a channel');\n\
    const server = require('node:http').createServer((request, response) => {\n\
      response.setHeader('x-worker', process.pid); response.end();\n\
    });\n\
    server.listen({ fd: Number(process.argv[2]) }, () => console.log('LISTENING on it'));\n\
    process.on('SIGTERM', () => server.close());\n";

#[test]
fn a_node_script_gets_descriptors_and_no_channel_and_that_is_said() {
    let _node = require_node!();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("server.js");
    fs::write(&script, SERVER).unwrap();
    let options = ["--no-control", "-w", "2", "--stable", "100ms", "--listen", "127.0.0.1:0"];
    let program = portcrew("run").args(options).arg(&script).arg("{fd}");
    let crew = Crew { process: program.start() };
    crew.says("with --listen each worker is started with descriptors and has no cluster channel");
    crew.all_serve(2);
    load(crew.address()).clients(4).requests(100).run().assert_all_ok();
}
