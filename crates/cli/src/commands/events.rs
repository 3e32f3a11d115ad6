//! `portcrew events`: what happens in crews, as it happens.

use std::fmt::Write;
use std::sync::mpsc;
use std::thread;

use serde_json::Value;

use super::each::{Undone, find, names_of, refuse, silent, undone};
use crate::args::TargetArgs;
use crate::control::Found;
use crate::exit::ExitStatus;
use crate::output::words::commands as words;
use crate::output::{print, say_plainly};

/// What has its own place in a line.
const HEAD: [&str; 3] = ["event", "time_ms", "worker"];

/// Lines that wait between the crews and the output. When it is slow, the crews' own queues fill and are counted.
const WAITING: usize = 64;

/// What comes from one crew.
enum News {
    /// An event as it is.
    Event(String),
    /// It is not there any more, though it has not said so.
    Lost(Undone),
    Ended,
}

/// Follows each crew that is meant until the last of them has ended.
pub(crate) fn run(args: &TargetArgs) -> ExitStatus {
    let (crews, meant) = match find(&args.targets) {
        Ok(found) => found,
        Err((words, status)) => return refuse(&words, args.json, status),
    };
    let (names, mut status) = names_of(meant);
    let several = names.len() > 1;
    let (sender, lines) = mpsc::sync_channel(WAITING);
    for name in names {
        let events = match crews.find(&name) {
            Found::Crew(client) => client.events().map_err(|it| undone(&name, it)),
            Found::Silent(pid) | Found::Full(pid) => Err(silent(&name, pid)),
            Found::Nobody => continue,
        };
        match events {
            Ok(events) => {
                let sender = sender.clone();
                thread::spawn(move || {
                    for event in events {
                        let news = match event {
                            Ok(event) => News::Event(event),
                            Err(failure) => News::Lost(undone(&name, failure)),
                        };
                        let is_last = matches!(news, News::Lost(_));
                        // The output was closed: this process ends.
                        if sender.send((name.clone(), news)).is_err() || is_last {
                            return;
                        }
                    }
                    let _ = sender.send((name, News::Ended));
                });
            }
            Err(Undone { words, status: its, .. }) => {
                say_plainly(&words);
                status = its;
            }
        }
    }
    drop(sender);
    for (name, news) in lines {
        match news {
            News::Event(event) if args.json => print(&with_name(&name, &event)),
            News::Event(event) => print(&text(&name, &event, several)),
            News::Lost(Undone { words, status: its, .. }) => {
                say_plainly(&words);
                status = its;
            }
            News::Ended if args.json => {}
            News::Ended => say_plainly(&words::has_ended(&name)),
        }
    }
    status
}

/// The event as it is, with the crew's name as its first field.
fn with_name(name: &str, event: &str) -> String {
    // A name needs no escape. An event is an object and never empty.
    format!("{{\"crew\":\"{name}\",{}\n", event.strip_prefix('{').unwrap_or(event))
}

/// `fork worker=3 pid=77`.
fn text(name: &str, event: &str, several: bool) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(event) else {
        return format!("{event}\n");
    };
    let mut text = if several { format!("{name}: ") } else { String::new() };
    let kind = fields.get("event").and_then(Value::as_str).unwrap_or("?");
    text.push_str(kind);
    let others = fields.iter().filter(|(key, _)| !HEAD.contains(&key.as_str()));
    for (key, value) in fields.get_key_value("worker").into_iter().chain(others) {
        let _ = match value {
            Value::Null => Ok(()),
            // Without what could move the cursor.
            Value::String(it) => write!(text, " {key}={}", it.escape_debug()),
            it => write!(text, " {key}={it}"),
        };
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_for_people_and_for_programs() {
        let event = r#"{"time_ms":1,"event":"exit","worker":3,"code":null,"signal":"SIGKILL"}"#;
        assert_eq!(text("api", event, false), "exit worker=3 signal=SIGKILL\n");
        assert_eq!(text("api", event, true), "api: exit worker=3 signal=SIGKILL\n");
        let line: Value = serde_json::from_str(&with_name("api", event)).unwrap();
        assert_eq!((&line["crew"], &line["worker"]), (&"api".into(), &3.into()));
    }
}
