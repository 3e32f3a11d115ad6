//! What the page says that does not work. A test fails when it does.

use std::net::SocketAddr;

use super::world::{installed, whole};
use crate::cache;
use crate::crew::{Crew, HANG, portcrew};

#[test]
fn the_http_server_of_bun_listens_elsewhere() {
    if !whole() {
        return cache::skipped("bun takes part in `just recipes`");
    }
    let script = "const server = require('node:http').createServer();
        server.listen({ fd: 3 }, () => console.log('LISTENING', server.address().port));";
    let program =
        portcrew("run").args(["--no-control", "-w", "1", "--listen", "127.0.0.1:0", "--"]);
    let program = program.arg(installed().join("bin/bun")).args(["-e", script]);
    let crew = Crew { process: program.start() };
    let asked: SocketAddr = crew.address();
    let said = crew.process.wait_line(|line| line.contains(" | LISTENING "), HANG);
    let port: u16 = said.text.rsplit(' ').next().unwrap().parse().unwrap();
    assert_ne!(port, asked.port(), "docs/any-language.md says that it does not");
}
