//! A worker that speaks as Bun does: a mark before each cluster message, deaf to those without it, and a listener of its
//! own that it announces without having asked and without a number.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;

use portcrew_ipc::inherit::Inherited;

const MARK: u8 = 0x02;

/// Until it is told to leave, or its primary is gone.
pub(crate) fn play(inherited: Inherited) -> io::Result<()> {
    let mut channel = UnixStream::from(inherited.channel);
    channel.set_nonblocking(false)?;
    say(&mut channel, r#""act":"online","seq":0"#)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let address = r#""data":null,"address":"127.0.0.1","addressType":4"#;
    say(&mut channel, &format!(r#""act":"listening","port":{port},{address}"#))?;
    for line in BufReader::new(channel).split(b'\n') {
        let line = line?;
        let Some(message) = line.strip_prefix(&[MARK]) else {
            println!("UNMARKED {}", String::from_utf8_lossy(&line));
            continue;
        };
        if String::from_utf8_lossy(message).contains(r#""act":"disconnect""#) {
            println!("HEARD");
            return Ok(());
        }
    }
    Ok(())
}

fn say(channel: &mut UnixStream, fields: &str) -> io::Result<()> {
    let mut line = vec![MARK];
    line.extend_from_slice(format!("{{\"cmd\":\"NODE_CLUSTER\",{fields}}}\n").as_bytes());
    channel.write_all(&line)
}
