//! Options of ours that stand behind the program, where they are the program's.

use std::ffi::OsString;

use clap::Args;

use super::note::Note;
use crate::args::RunArgs;

/// What to say when the program gets what looks as if it were meant for us. Nothing where `--` says for whom it is.
pub(super) fn note(args: &RunArgs) -> Option<Note> {
    let (program, rest) = args.command.split_first()?;
    let program = program.to_string_lossy();
    // One of ours inside one of ours has options of its own.
    if args.separated || program.rsplit('/').next() == Some("portcrew") {
        return None;
    }
    let mut options: Vec<String> = Vec::new();
    for option in rest.iter().take_while(|it| *it != "--").filter_map(ours) {
        if !options.contains(&option) {
            options.push(option);
        }
    }
    let command = if args.is_start { "start" } else { "run" };
    let program = program.into_owned();
    (!options.is_empty()).then_some(Note::OptionsBehind { command, options, program })
}

/// The option that a word is to us, without its value.
fn ours(word: &OsString) -> Option<String> {
    let word = word.to_str()?;
    let known = RunArgs::augment_args(clap::Command::new("run"));
    known.get_arguments().find_map(|option| {
        let long = option.get_long().map(|name| format!("--{name}")).filter(|name| {
            word.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        });
        let short = option.get_short().map(|name| format!("-{name}")).filter(|name| {
            // `-w2` and `-w=2`, but not `-watch`.
            let value = word.strip_prefix(name.as_str());
            value.is_some_and(|value| !value.starts_with(char::is_alphabetic))
        });
        long.or(short)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(words: &[&str]) -> Option<String> {
        words.iter().map(OsString::from).find_map(|word| ours(&word))
    }

    #[test]
    fn every_way_to_write_an_option_of_ours_is_known() {
        for (word, option) in [
            ("-w", "-w"),
            ("-w2", "-w"),
            ("-w=2", "-w"),
            ("--workers", "--workers"),
            ("--workers=2", "--workers"),
            ("--start-deadline", "--start-deadline"),
            ("--raw", "--raw"),
        ] {
            assert_eq!(behind(&["x", word]).as_deref(), Some(option), "{word}");
        }
    }

    #[test]
    fn what_is_none_of_ours_is_left_alone() {
        for word in
            ["2", "-watch", "--workersx", "--port", "-p", "-", "--", "--w", "workers", "--help"]
        {
            assert_eq!(behind(&[word]), None, "{word}");
        }
    }
}
