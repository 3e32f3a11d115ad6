//! A client of Node's inspector, over a WebSocket of its own: just enough to hold a program and to let it go on.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Only detects a hang.
const WITHIN: Duration = Duration::from_secs(30);

/// Asks a program that waits for its debugger to run.
const RUN: &str = r#"{"id":2,"method":"Runtime.runIfWaitingForDebugger"}"#;

/// A debugger that is attached.
#[derive(Debug)]
pub struct Debugger(BufReader<TcpStream>);

impl Debugger {
    /// Attaches to the program that wrote `Debugger listening on ws://ADDRESS/PATH`.
    ///
    /// # Panics
    /// When nobody there takes it.
    #[must_use]
    pub fn attach(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the inspector listens");
        stream.set_read_timeout(Some(WITHIN)).expect("not zero");
        let mut reader = BufReader::new(stream);
        let asked = write!(
            reader.get_mut(),
            "GET /{path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        asked.expect("the inspector reads");
        let mut line = String::new();
        reader.read_line(&mut line).expect("the inspector answers");
        assert!(line.contains(" 101 "), "{line}");
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line).expect("the answer has an end");
        }
        Self(reader)
    }

    /// Lets a program that was started with `--inspect-brk` run as far as its first line, before which it stops.
    ///
    /// # Panics
    /// When it does not stop there.
    pub fn run_to_the_first_line(&mut self) {
        let can_tell = self.wait_for_its_wait();
        self.say(r#"{"id":1,"method":"Debugger.enable"}"#);
        self.say(RUN);
        self.hear_until("stops before its first line", |debugger, heard| {
            if heard["id"] == 2 && !can_tell {
                // Node forgets a word that comes before it begins to wait for it.
                debugger.say(RUN);
            }
            heard["method"] == "Debugger.paused"
        });
    }

    /// Returns when the program waits for its debugger: Node 20 and less may die of what it is told while it still
    /// starts. False where it cannot tell (Node 18).
    fn wait_for_its_wait(&mut self) -> bool {
        self.say(r#"{"id":0,"method":"NodeRuntime.enable"}"#);
        let mut can_tell = true;
        self.hear_until("waits for its debugger", |_, heard| {
            can_tell &= heard["error"].is_null();
            !can_tell || heard["method"] == "NodeRuntime.waitingForDebugger"
        });
        can_tell
    }

    fn hear_until(&mut self, what: &str, mut is_it: impl FnMut(&mut Self, &Value) -> bool) {
        let deadline = Instant::now() + WITHIN;
        while Instant::now() < deadline {
            let heard = self.hear().unwrap_or_else(|error| panic!("the program {what}: {error}"));
            if is_it(self, &heard) {
                return;
            }
        }
        panic!("never: the program {what}");
    }

    /// Lets it go on from where it stopped, and detaches: else it would wait at its end for that.
    ///
    /// # Panics
    /// When it does not go on.
    pub fn go_on(mut self) {
        self.say(r#"{"id":3,"method":"Debugger.resume"}"#);
        // Node 20 may die of who leaves while it is still about to.
        self.hear_until("goes on", |_, heard| heard["method"] == "Debugger.resumed");
    }

    /// One text frame. A client masks what it sends; a mask of zeroes changes nothing.
    fn say(&mut self, text: &str) {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        assert!(length < 126, "a short frame");
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat();
        // Where the program has ended, there is nothing more to hear either.
        let _ = self.0.get_mut().write_all(&frame);
    }

    fn hear(&mut self) -> io::Result<Value> {
        let [_, length] = self.bytes()?;
        let length = match length & 0x7f {
            126 => u64::from(u16::from_be_bytes(self.bytes()?)),
            127 => u64::from_be_bytes(self.bytes()?),
            short => short.into(),
        };
        let mut text = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.0.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
