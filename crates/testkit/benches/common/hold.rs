//! A client that opens many connections and then does nothing. A process of its own: its descriptors are not the
//! benchmark's.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::Failure;

/// The end of a request's answer: the servers' bodies are one line.
const END: u8 = b'\n';

/// Opens them one after another, says `HELD`, and holds them until its standard input ends.
pub(crate) fn run(address: SocketAddr, connections: u32) -> Result<(), Failure> {
    let held = (0..connections).map(|_| open(address)).collect::<io::Result<Vec<_>>>()?;
    writeln!(io::stdout(), "HELD {}", held.len())?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// One that a worker has taken: it has answered.
fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut room = [0; 1024];
    let mut got = 0;
    // The head ends with an empty line; only the body ends with a character and one end of a line.
    while !is_answer(&room[..got]) {
        match stream.read(&mut room[got..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => got += count,
        }
    }
    Ok(stream)
}

fn is_answer(got: &[u8]) -> bool {
    let body = got.windows(4).position(|it| it == b"\r\n\r\n").map(|end| &got[end + 4..]);
    body.is_some_and(|body| body.contains(&END))
}
