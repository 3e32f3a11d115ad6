//! A server of the standard library alone, one request at a time.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::{error::Error, io, process};

use listenfd::ListenFd;
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::{consts::SIGTERM, low_level::pipe};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = ListenFd::from_env().take_tcp_listener(0)?.ok_or("started without a socket")?;
    listener.set_nonblocking(true)?;
    let (told, tell) = UnixStream::pair()?;
    pipe::register(SIGTERM, tell)?;
    loop {
        let mut both = [PollFd::new(&listener, PollFlags::IN), PollFd::new(&told, PollFlags::IN)];
        match poll(&mut both, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if !both[1].revents().is_empty() {
            return Ok(());
        }
        match listener.accept() {
            // A client that has gone away is nobody's fault.
            Ok((client, _)) => drop(answer(client)),
            // Another worker was faster.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn answer(mut client: std::net::TcpStream) -> io::Result<()> {
    client.set_nonblocking(false)?;
    let _ = client.read(&mut [0; 4096])?;
    let body = format!("worker {}\n", process::id());
    let length = body.len();
    write!(client, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}
