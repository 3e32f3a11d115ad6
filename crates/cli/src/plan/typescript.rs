//! Whether a `node` runs TypeScript: by itself, when told, or not at all.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::note::Note;
use super::refusal::Refusal;

const FLAG: &str = "--experimental-strip-types";

/// How long `node --version` may take. It takes some hundredths of a second; a wrapper script may take longer.
const VERSION_DEADLINE: Duration = Duration::from_secs(5);

/// The option that this `node` needs for a TypeScript file, with a note when there is one.
///
/// # Errors
/// [`Refusal::NoTypes`] when it is too old, [`Refusal::NodeIsSilent`] when it does not say its version.
pub(super) fn option(
    node: &Path,
    script: &Path,
) -> Result<(Option<&'static str>, Option<Note>), Refusal> {
    let (script, node_path) = (script.to_owned(), node.to_owned());
    let Some(version) = version(node) else {
        return Err(Refusal::NodeIsSilent { script, node: node_path });
    };
    match support(&version) {
        Some(Support::Itself) => Ok((None, None)),
        Some(Support::WithFlag) => Ok((Some(FLAG), Some(Note::StripTypesFlag { version }))),
        Some(Support::None) => Err(Refusal::NoTypes { script, node: node_path, version }),
        None => Err(Refusal::NodeIsSilent { script, node: node_path }),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Support {
    Itself,
    WithFlag,
    None,
}

/// Types are stripped since 22.6 and 23.0 behind a flag, and since 22.18 and 23.6 without.
fn support(version: &str) -> Option<Support> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.');
    let major: u32 = numbers.next()?.parse().ok()?;
    let minor: u32 = numbers.next()?.parse().ok()?;
    Some(match (major, minor) {
        (24.., _) | (23, 6..) | (22, 18..) => Support::Itself,
        (23, _) | (22, 6..) => Support::WithFlag,
        _ => Support::None,
    })
}

/// What `node --version` prints, up to the deadline.
fn version(node: &Path) -> Option<String> {
    let mut child = Command::new(node)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.take(64).read_to_string(&mut text);
        // Nobody receives when the deadline has passed.
        let _ = sender.send(text);
    });
    let text = receiver.recv_timeout(VERSION_DEADLINE).ok();
    // It has said all that it has to say; a `node` that does not end by itself is ended. The pid is ours until `wait`.
    let _ = child.kill();
    let _ = child.wait();
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_sorted_by_what_they_can_do() {
        for (version, expected) in [
            ("v20.20.2", Some(Support::None)),
            ("v22.5.1", Some(Support::None)),
            ("v22.6.0", Some(Support::WithFlag)),
            ("v22.17.9", Some(Support::WithFlag)),
            ("v22.18.0", Some(Support::Itself)),
            ("v23.0.0", Some(Support::WithFlag)),
            ("v23.6.0", Some(Support::Itself)),
            ("v24.0.0-nightly\n", Some(Support::Itself)),
            ("v100.1.2", Some(Support::Itself)),
            ("22.18.0", None),
            ("v22", None),
            ("", None),
        ] {
            assert_eq!(support(version), expected, "{version}");
        }
    }
}
