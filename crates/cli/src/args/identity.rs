//! Whom the workers run as, and what they may do, as written.

use clap::Args;
use portcrew::ListenerName;

use super::policy::listener;
use crate::output::words::identity as words;

/// Options of `portcrew run` about its workers' rights.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Identity {
    #[arg(long, value_name = "USER", help_heading = words::RIGHTS, help = words::UID)]
    pub(crate) uid: Option<String>,

    #[arg(long, value_name = "GROUP", help_heading = words::RIGHTS, hide_short_help = true)]
    #[arg(help = words::GID)]
    pub(crate) gid: Option<String>,

    #[arg(long, value_name = "LISTENER", help_heading = words::RIGHTS, hide_short_help = true)]
    #[arg(help = words::ALLOW, value_delimiter = ',', value_parser = listener::parse)]
    pub(crate) allow: Vec<ListenerName>,

    #[arg(long, value_name = "yes|no", help_heading = words::RIGHTS, hide_short_help = true)]
    #[arg(help = words::NO_NEW_PRIVS, value_parser = yes_or_no)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub(crate) no_new_privs: Option<bool>,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(words::yes_or_no()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn read(words: &str) -> Result<Identity, String> {
        let words = ["portcrew", "run"].into_iter().chain(words.split_whitespace()).chain(["x"]);
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Run(args) = cli.command else { panic!("`run` is the command here") };
        assert_eq!(args.command, ["x"]);
        Ok(args.identity)
    }

    #[test]
    fn listeners_are_named_as_in_policies_and_several_are_joined_or_repeated() {
        let read = read("--allow 80,./a.sock --allow fd:3").unwrap();
        let path = ListenerName::Path("./a.sock".into());
        assert_eq!(read.allow, [ListenerName::Port(80), path, ListenerName::Fd(3)]);
    }

    #[test]
    fn a_switch_alone_is_yes_and_takes_no_word_that_follows() {
        assert_eq!(read("--no-new-privs").unwrap().no_new_privs, Some(true));
        assert_eq!(read("--no-new-privs=no").unwrap().no_new_privs, Some(false));
        assert_eq!(read("").unwrap().no_new_privs, None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_reason() {
        for (words, reason) in [
            ("--allow http", "by its TCP port"),
            ("--allow 0", "port 0"),
            ("--allow 99999", "65535"),
            ("--allow=", "1 to 65535"),
            ("--no-new-privs=maybe", "yes or no"),
        ] {
            let error = read(words).unwrap_err();
            assert!(error.contains(reason), "{words}: {error}");
        }
    }
}
