//! A prefork server as people write it by hand: each process binds the port by itself, with SO_REUSEPORT.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use tokio::net::{TcpListener, TcpSocket};

use super::Failure;
use super::fixture::{Hello, announce, runtime};

/// The kernel's queue, as long as Node's and ours.
const BACKLOG: u32 = 511;

/// Starts the processes and waits for their end. They end with their process group: the benchmark kills it.
pub(crate) fn run(workers: u16, hello: Hello) -> Result<(), Failure> {
    // It keeps the port, and does not listen: no connection comes here.
    let held = socket((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = held.local_addr()?.to_string();
    let exe = std::env::current_exe()?;
    let words = ["serve", "prefork-worker", &address, hello.word()];
    let start = |_| Command::new(&exe).args(words).spawn();
    let children = (0..workers).map(start).collect::<Result<Vec<_>, _>>()?;
    for mut child in children {
        child.wait()?;
    }
    Ok(())
}

/// Is one of them.
pub(crate) fn serve<F: Future<Output = Result<(), Failure>>>(
    address: SocketAddr,
    accept_all: impl FnOnce(TcpListener) -> F,
) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let listener = socket(address)?.listen(BACKLOG)?;
        announce(listener.local_addr()?)?;
        accept_all(listener).await
    })
}

fn socket(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
