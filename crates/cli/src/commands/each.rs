//! One thing done to each of several crews: what is said, what is answered as JSON, and the exit status.

use serde::Serialize;
use serde_json::{Value, json};

use crate::control::{ANSWER_WITHIN, Client, Crews, Failure, Found, Meant, choose, v1};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;
use crate::output::{print, print_json, say_plainly, unbroken};

/// What was done to one crew.
pub(super) struct Done {
    /// In one line.
    pub(super) words: String,
    /// For programs; its fields stand beside `name` and `ok`.
    pub(super) answer: Value,
    pub(super) status: ExitStatus,
}

impl Done {
    pub(super) fn well(words: String, answer: &impl Serialize) -> Self {
        let answer = serde_json::to_value(answer).expect("answers have text keys");
        Self { words, answer, status: ExitStatus::Stopped }
    }
}

/// What was not.
pub(super) struct Undone {
    pub(super) words: String,
    pub(super) answer: Value,
    pub(super) status: ExitStatus,
}

/// Finds the crews that are meant and does it to one after the other: all of them, also after a failure. The status is
/// the first that is not 0.
pub(super) fn each(
    targets: &[String],
    as_json: bool,
    act: impl FnMut(&str, &Client) -> Result<Done, Undone>,
) -> ExitStatus {
    match find(targets) {
        Ok((crews, meant)) => each_found(&crews, &meant, as_json, act),
        Err((words, status)) => refuse(&words, as_json, status),
    }
}

/// The same where they have been found.
pub(super) fn each_found(
    crews: &Crews,
    meant: &[Meant],
    as_json: bool,
    mut act: impl FnMut(&str, &Client) -> Result<Done, Undone>,
) -> ExitStatus {
    each_of(meant, as_json, |name| match crews.find(name) {
        Found::Crew(client) => act(name, &client),
        Found::Silent(pid) | Found::Full(pid) => Err(silent(name, pid)),
        Found::Nobody => Err(nobody(name)),
    })
}

/// The same for what is known already of the targets.
pub(super) fn each_of(
    meant: &[Meant],
    as_json: bool,
    mut act: impl FnMut(&str) -> Result<Done, Undone>,
) -> ExitStatus {
    let mut status = ExitStatus::Stopped;
    let mut results = Vec::new();
    for one in meant {
        let (name, result) = match one {
            Meant::Crew(name) => (name, act(name)),
            Meant::Nobody { target, words } => {
                (target, Err(plain(words.clone(), ExitStatus::NoCrew)))
            }
        };
        let (its, ok, words, answer) = match result {
            Ok(done) => (done.status, true, done.words, done.answer),
            Err(undone) => (undone.status, false, undone.words, undone.answer),
        };
        if !as_json && ok && !words.is_empty() {
            print(&format!("{}\n", unbroken(&words)));
        } else if !as_json && !ok {
            say_plainly(&words);
        }
        if status == ExitStatus::Stopped {
            status = its;
        }
        results.push(result_of(name, ok, answer));
    }
    if as_json {
        print_json(&json!({ "api": v1::API, "results": results }));
    }
    status
}

/// Asks each crew for a text of several lines, or for its answer as it is: `{"api", "crews": [...]}`.
pub(super) fn each_apart(
    targets: &[String],
    as_json: bool,
    mut ask: impl FnMut(&str, &Client) -> Result<(String, Value), Undone>,
) -> ExitStatus {
    let mut answers = Vec::new();
    let mut texts = Vec::new();
    let status = each(targets, false, |name, client| {
        let (text, answer) = ask(name, client)?;
        texts.push(text);
        answers.push(answer);
        Ok(Done { words: String::new(), answer: Value::Null, status: ExitStatus::Stopped })
    });
    if as_json {
        print_json(&json!({ "api": v1::API, "crews": answers }));
    } else {
        print(&texts.join("\n"));
    }
    status
}

/// The crews of this user, and what is meant of them.
///
/// # Errors
/// When no target means a crew: what is to be said about all of them, in lines.
pub(super) fn find(targets: &[String]) -> Result<(Crews, Vec<Meant>), (String, ExitStatus)> {
    let crews = Crews::of_this_user().map_err(|words| (words, ExitStatus::NoCrew))?;
    let meant = some(choose(&crews.by_pid(targets, |_| false), &crews.names))?;
    Ok((crews, meant))
}

/// What was chosen, if a crew is among it.
///
/// # Errors
/// As [`find`].
pub(super) fn some(meant: Vec<Meant>) -> Result<Vec<Meant>, (String, ExitStatus)> {
    let mut said: Vec<&str> = Vec::new();
    for one in &meant {
        match one {
            Meant::Crew(_) => return Ok(meant),
            Meant::Nobody { words, .. } if said.contains(&words.as_str()) => {}
            Meant::Nobody { words, .. } => said.push(words),
        }
    }
    Err((said.join("\n"), ExitStatus::NoCrew))
}

/// The names of the crews that are meant. Of the other targets it is said that they mean none, which is a status too.
pub(super) fn names_of(meant: Vec<Meant>) -> (Vec<String>, ExitStatus) {
    let mut status = ExitStatus::Stopped;
    let mut names = Vec::new();
    for one in meant {
        match one {
            Meant::Crew(name) => names.push(name),
            Meant::Nobody { words, .. } => {
                say_plainly(&words);
                status = ExitStatus::NoCrew;
            }
        }
    }
    (names, status)
}

/// Says why nothing was done.
pub(super) fn refuse(words: &str, as_json: bool, status: ExitStatus) -> ExitStatus {
    if as_json {
        print_json(&json!({ "api": v1::API, "error": words }));
    } else {
        words.lines().for_each(say_plainly);
    }
    status
}

/// What a failure means to the user.
pub(super) fn undone(name: &str, failure: Failure) -> Undone {
    match failure {
        Failure::NoCrew => nobody(name),
        Failure::Late => plain(words::late(name, ANSWER_WITHIN), ExitStatus::NoCrew),
        Failure::Silent(span) => plain(words::gone_silent(name, span), ExitStatus::NoCrew),
        Failure::NoAnswer(error) => plain(words::no_answer(name, &error), ExitStatus::NoCrew),
        Failure::Refused(status, problem) => {
            let lines = problem.output.iter().map(|line| words::output_line(&unbroken(line)));
            let lines = lines.map(|line| format!("\n{line}"));
            // Why a reload was undone can be a worker's own words.
            let text = words::refused(name, &unbroken(&problem.error), &unbroken(&problem.next));
            Undone {
                words: lines.fold(text, |text, line| text + &line),
                answer: serde_json::to_value(&problem).expect("a problem has text keys"),
                status: status_of(status),
            }
        }
    }
}

/// What an HTTP status means here: it was not understood, there is nobody for it, or it was tried and failed.
fn status_of(status: u16) -> ExitStatus {
    match status {
        400 | 404 | 405 | 408 | 413 => ExitStatus::Usage,
        403 | 503 => ExitStatus::NoCrew,
        _ => ExitStatus::CrewFailed,
    }
}

pub(super) fn silent(name: &str, pid: Option<u32>) -> Undone {
    plain(words::silent(name, pid), ExitStatus::NoCrew)
}

/// Its primary died, and what it left was removed just now.
pub(super) fn nobody(name: &str) -> Undone {
    plain(words::no_such_crew(name, None, false), ExitStatus::NoCrew)
}

pub(super) fn plain(words: String, status: ExitStatus) -> Undone {
    let answer = json!({ "error": words });
    Undone { words, answer, status }
}

fn result_of(name: &str, ok: bool, answer: Value) -> Value {
    let mut all = serde_json::Map::new();
    all.insert("name".to_owned(), name.into());
    all.insert("ok".to_owned(), ok.into());
    if let Value::Object(fields) = answer {
        // The whole has its version once.
        all.extend(fields.into_iter().filter(|(key, _)| key != "api"));
    }
    Value::Object(all)
}
