//! A child that is a shell: its channel is descriptor 3.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Child;
use crate::{Error, ExtraFd, Received, Settings, Signal, Stdio};

/// Only detects a hang.
const HANG: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Settings {
    Settings::program("/bin/sh", ["-c", script])
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

async fn text(child: &Child) -> Option<String> {
    match soon(child.recv()).await? {
        Received::Message { message, .. } => Some(message.json().unwrap()),
        other => panic!("no message: {other:?}"),
    }
}

#[tokio::test]
async fn what_it_said_is_there_when_its_end_is_told() {
    let child = Child::spawn(shell(r#"printf '"one"\n"two"\n' >&3; exit 7"#)).unwrap();
    assert_eq!(soon(child.wait()).await.unwrap().code(), Some(7));
    assert_eq!(text(&child).await.as_deref(), Some("one"));
    assert_eq!(text(&child).await.as_deref(), Some("two"));
    assert_eq!(text(&child).await, None);
    assert!(!child.is_connected());
    assert!(matches!(child.send(&1), Err(Error::Disconnected)));
}

#[tokio::test]
async fn it_is_no_worker_and_has_a_channel_alone() {
    let script =
        r#"printf '"%s %s %s"\n' "$NODE_CHANNEL_FD" "$NODE_UNIQUE_ID" "$PORTCREW_LANE_FD" >&3"#;
    let child = Child::spawn(shell(script)).unwrap();
    assert_eq!(text(&child).await.as_deref(), Some("3  "));
}

#[tokio::test]
async fn its_pipes_are_given_once_and_outlive_it() {
    let mut settings = shell(r#"read line; echo "out $line"; echo "err $line" >&2"#).silent();
    settings.stdin = Stdio::Piped;
    let child = Child::spawn(settings).unwrap();
    let mut stdin = child.take_stdin().unwrap();
    assert!(child.take_stdin().is_none());
    soon(stdin.write_all(b"word\n")).await.unwrap();
    assert!(soon(child.wait()).await.unwrap().success());
    let (mut out, mut err) = (String::new(), String::new());
    soon(child.take_stdout().unwrap().read_to_string(&mut out)).await.unwrap();
    soon(child.take_stderr().unwrap().read_to_string(&mut err)).await.unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("out word\n", "err word\n"));
}

#[tokio::test]
async fn a_signal_reaches_it_and_after_its_end_nobody() {
    use std::os::unix::process::ExitStatusExt as _;
    let child = Child::spawn(shell("exec sleep 120")).unwrap();
    child.kill(Signal::Kill).unwrap();
    assert_eq!(soon(child.wait()).await.unwrap().signal(), Some(Signal::Kill.number()));
    child.kill(Signal::Terminate).unwrap();
}

#[tokio::test]
async fn a_grandchild_that_holds_the_channel_does_not_hide_the_end() {
    // It ends with the channel.
    let child = Child::spawn(shell("read line <&3 & exit 3")).unwrap();
    assert_eq!(soon(child.wait()).await.unwrap().code(), Some(3));
}

#[tokio::test]
async fn a_child_that_nobody_holds_loses_its_channel_after_what_was_sent_and_is_reaped() {
    let child = Child::spawn(shell(r#"read line <&3; [ "$line" = '"last"' ] && exit 5"#)).unwrap();
    child.send("last").unwrap();
    let mut end = child.body.end.clone();
    drop(child);
    let ended = soon(end.wait_for(|end| *end != super::End::Lives)).await.unwrap();
    let super::End::Ended(status) = *ended else { panic!("{ended:?}") };
    assert_eq!(status.code(), Some(5));
}

#[tokio::test]
async fn disconnecting_waits_until_the_child_has_closed_too() {
    let script = r#"while read line <&3; do :; done; printf '"bye"\n' >&3"#;
    let child = Child::spawn(shell(script)).unwrap();
    soon(child.disconnect()).await;
    assert_eq!(text(&child).await.as_deref(), Some("bye"));
    assert_eq!(text(&child).await, None);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let error = Child::spawn(Settings::program("/nowhere/to/be/found", [""])).unwrap_err();
    assert!(format!("{error:?}").contains("/nowhere/to/be/found"), "{error:?}");
}

#[tokio::test]
async fn what_comes_by_an_extra_descriptor_goes_back_by_it() {
    let settings = shell("cat <&3 >&3").fd(3, ExtraFd::Piped);
    let child = Child::spawn(settings).unwrap();
    let mut stream = child.take_fd(3).unwrap();
    assert!(child.take_fd(3).is_none());
    soon(stream.write_all(b"there")).await.unwrap();
    soon(stream.shutdown()).await.unwrap();
    let mut back = String::new();
    soon(stream.read_to_string(&mut back)).await.unwrap();
    assert_eq!(back, "there");
    assert!(soon(child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_refused() {
    let mut settings = shell("true");
    settings.uid = Some(1);
    let error = Child::spawn(settings).unwrap_err();
    assert!(matches!(error, Error::Setting { setting: "uid", .. }), "{error:?}");
}
