//! Parts that do something with what they hold: the channel, the lane, the listening socket that all share.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::{Command, Stdio};

use portcrew_ipc::channel::Incoming;
use portcrew_testkit::fixture::tell;
use rustix::io::ioctl_fionbio;
use rustix::net::{Shutdown, shutdown};
use serde_json::json;

use crate::join::Rogue;
use crate::quiet::next;

/// Has a child with all that it holds, by way of `through` if that is given.
pub(crate) async fn parent(rogue: &mut Rogue, through: Option<String>) -> io::Result<()> {
    rogue.listen().await?;
    let mut words = through.into_iter().chain(["sleep".to_owned(), "100000".to_owned()]);
    let copy = |fd: Option<BorrowedFd<'_>>| -> io::Result<Stdio> {
        fd.map_or(Ok(Stdio::null()), |fd| fd.try_clone_to_owned().map(Stdio::from))
    };
    let child = Command::new(words.next().unwrap_or_default())
        .args(words)
        .stdin(copy(Some(rogue.channel.as_fd()))?)
        .stdout(copy(rogue.lane.as_ref().map(|it| it.as_fd()))?)
        .stderr(copy(rogue.listener.as_ref().map(|it| it.as_fd()))?)
        .spawn()?;
    tell("child", &json!({ "pid": child.id() }));
    let mut kept = Vec::new();
    while let Some(came) = next(rogue).await? {
        kept.extend(came);
    }
    Ok(())
}

pub(crate) async fn shuts(rogue: &mut Rogue) -> io::Result<()> {
    rogue.listen().await?;
    while let Some(incoming) = rogue.channel.recv().await {
        if let (Ok(Incoming::User { .. }), Some(listener)) = (incoming, &rogue.listener) {
            shutdown(listener, Shutdown::Both)?;
            tell("flipped", &json!({}));
        }
    }
    Ok(())
}

pub(crate) async fn flips(rogue: &mut Rogue) -> io::Result<()> {
    rogue.listen().await?;
    let listener = rogue.listener.take();
    let listener = listener.ok_or_else(|| io::Error::other("this part needs a shared socket"))?;
    loop {
        for _ in 0..1000 {
            ioctl_fionbio(&listener, false)?;
            ioctl_fionbio(&listener, true)?;
        }
        // Longest in the mode that others do not expect.
        ioctl_fionbio(&listener, false)?;
        tell("flipped", &json!({}));
    }
}
