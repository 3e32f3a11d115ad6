//! One address for the health checks of all workers: whoever wrote its port into a file last is asked.
//!
//! A probe has one address, and old workers must not answer it for a new one. So nobody is asked before the newcomer
//! has written the file, which is taken away before each reload.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A check that takes longer has failed.
const WITHIN: Duration = Duration::from_secs(1);

/// The longest head of a request or of an answer.
const HEAD_BYTES: usize = 2048;

const NOBODY: &[u8] = b"HTTP/1.1 503 Nobody\r\nContent-Length: 0\r\n\r\n";

/// Answers until the benchmark ends.
#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) address: SocketAddr,
    file: PathBuf,
}

impl Health {
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let file = directory.join("health-port");
        let asked = file.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A prober that goes away early has its own reasons.
                let _ = answer(stream, &asked);
            }
        });
        Ok(Self { address, file })
    }

    /// Where workers write their ports to.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// From now on only a worker that has still to start is asked.
    pub(crate) fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn answer(mut stream: TcpStream, file: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(WITHIN))?;
    let mut request = [0; HEAD_BYTES];
    // One small request of our own primary is one segment.
    if stream.read(&mut request)? == 0 {
        return Ok(());
    }
    let answer = ask(file).unwrap_or_else(|_| NOBODY.to_vec());
    stream.write_all(&answer)
}

fn ask(file: &Path) -> io::Result<Vec<u8>> {
    let port: u16 = fs::read_to_string(file)?.parse().map_err(io::Error::other)?;
    let mut worker = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    worker.set_read_timeout(Some(WITHIN))?;
    worker.write_all(b"GET /health HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    worker.read_to_end(&mut answer)?;
    Ok(answer)
}
