//! Which group of this user has a port: a name that only one can have.

use std::io;
use std::net::SocketAddr;

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Uid, geteuid};
use socket2::{Domain, SockAddr, Socket, Type};

use super::Protocol;

/// So often it is looked who has the name, while that one is between taking it and listening on it.
const LOOKS: usize = 1000;

/// More are not in its queue: each is one that found the port locked.
const QUEUE: i32 = 4096;

/// Holds a name in the abstract namespace of Unix-domain sockets. That has the same scope as ports, the network
/// namespace, and the kernel gives a name up with whoever holds it, however that one ends.
///
/// Any user can take any such name. So one that another user holds is not a lock: whoever took it has the port itself, or
/// else only that two starts of this user in the same moment are not told apart.
#[derive(Debug)]
pub(super) struct PortLock {
    /// None: another user has the name.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is held, and that is all"))]
    name: Option<Socket>,
}

/// Who has a name.
enum Holder {
    ThisUser,
    Another,
    /// It was given up, or is being taken.
    Nobody,
}

impl PortLock {
    /// # Errors
    /// `AddrInUse`: another group of this user has it. Else a limit of the system.
    pub(super) fn take(protocol: Protocol, address: SocketAddr) -> io::Result<Self> {
        let user = geteuid();
        let name = format!("\0portcrew/port/{}/{user}/{address}", protocol.name());
        Self::take_name(&SockAddr::unix(name)?, user)
    }

    fn take_name(name: &SockAddr, user: Uid) -> io::Result<Self> {
        for _ in 0..LOOKS {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            match socket.bind(name) {
                Ok(()) => {
                    // So that others can see who has it.
                    socket.listen(QUEUE)?;
                    return Ok(Self { name: Some(socket) });
                }
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(error),
                Err(taken) => match holder(name, user)? {
                    Holder::ThisUser => return Err(taken),
                    Holder::Another => return Ok(Self { name: None }),
                    Holder::Nobody => std::thread::yield_now(),
                },
            }
        }
        // A group listens at once. This is somebody else, who does not.
        Ok(Self { name: None })
    }
}

fn holder(name: &SockAddr, user: Uid) -> io::Result<Holder> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(name) {
        // The kernel noted who it was when it began to listen.
        Ok(()) if socket_peercred(&socket)?.uid == user => Ok(Holder::ThisUser),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Holder::Nobody),
        // Another user, a socket of another type, or a queue that is full.
        Ok(()) | Err(_) => Ok(Holder::Another),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(test: &str) -> SockAddr {
        SockAddr::unix(format!("\0portcrew/test/{}/{test}", std::process::id())).unwrap()
    }

    #[test]
    fn a_name_is_had_once_and_again_after_it_was_given_up() {
        let name = name("once");
        let lock = PortLock::take_name(&name, geteuid()).unwrap();
        let error = PortLock::take_name(&name, geteuid()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(lock);
        PortLock::take_name(&name, geteuid()).unwrap();
    }

    #[test]
    fn who_takes_a_name_without_listening_on_it_holds_nobody_up() {
        let name = name("squatter");
        let squatter = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        squatter.bind(&name).unwrap();
        assert!(PortLock::take_name(&name, geteuid()).unwrap().name.is_none());
    }

    #[test]
    fn a_name_that_another_user_has_is_no_lock() {
        let name = name("another");
        let _lock = PortLock::take_name(&name, geteuid()).unwrap();
        let another = Uid::from_raw(geteuid().as_raw() + 1);
        assert!(PortLock::take_name(&name, another).unwrap().name.is_none());
    }
}
