//! A Rust parent that puts the channel where a standard stream is, which only a program with `portcrew-ipc` does.

use std::process::{Command, Stdio};

use portcrew::Settings;
use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
use portcrew_ipc::contract;
use portcrew_ipc::message::UserMessage;
use portcrew_ipc::socket::pair_stream;

use super::{HANG, World};

/// Which standard stream of the child is the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Stdin,
    Stdout,
}

/// Starts the program so, sends it a message, and has it come back; the child must end with status 0.
pub(crate) fn placed(world: &World, settings: Settings, place: Place) {
    let (own, theirs) = pair_stream().expect("descriptors are left");
    let mut command = Command::new(settings.exec.expect("the helper names one"));
    let (stdin, stdout, number) = match place {
        Place::Stdin => (Stdio::from(theirs), Stdio::null(), "0"),
        Place::Stdout => (Stdio::null(), Stdio::from(theirs), "1"),
    };
    command.args(settings.args).stdin(stdin).stdout(stdout).env(contract::CHANNEL_FD, number);
    let mut child = command.spawn().expect("the program can be started");
    // The parent's copy of the child's end, or the end of the channel would not be seen.
    drop(command);
    world.run(async {
        let talk = async {
            let mut channel = Channel::from_fd(own, ChannelSettings::default())?;
            channel.send(&UserMessage::new("there and back")?.into(), None).await?;
            let Some(Incoming::User { message, handle: None }) =
                channel.recv().await.transpose()?
            else {
                panic!("no message")
            };
            assert_eq!(message.json::<String>()?, "there and back");
            assert!(channel.recv().await.is_none(), "something besides came by the channel");
            Ok::<(), Box<dyn std::error::Error>>(())
        };
        tokio::time::timeout(HANG, talk).await.expect("no answer").expect("it talks");
    });
    // Its channel has ended: it does so, too, unless it is broken.
    assert_eq!(child.wait().expect("it is ours").code(), Some(0));
}
