//! `--name`: what the crew is called in messages, and what its files will be called.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::output::words::usage;

/// The longest name, in bytes: room for it in a socket path, which the kernel limits to 108 bytes.
pub(crate) const MAX_NAME: usize = 64;

/// What means every crew and is no name.
pub(crate) const ALL: &str = "all";

/// A name that is safe as a file name and in a terminal: letters, digits, `.`, `_`, `-`, and it starts with a letter
/// or digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CrewName(String);

impl CrewName {
    /// The name that a crew has when nobody named it: the program's file name without its extension, with every
    /// character that a name cannot have replaced; `crew` where that leaves none.
    pub(crate) fn from_program(program: &Path) -> Self {
        let stem = program.file_stem().unwrap_or_default().to_string_lossy();
        let name: String = stem
            .chars()
            .map(|c| if is_allowed(c) { c } else { '-' })
            .skip_while(|c| !c.is_ascii_alphanumeric())
            .take(MAX_NAME)
            .collect();
        if name.is_empty() || name == ALL { Self("crew".to_owned()) } else { Self(name) }
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CrewName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == ALL {
            return Err(usage::name_all());
        }
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts_well && text.len() <= MAX_NAME && text.chars().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(usage::name_refused(MAX_NAME))
        }
    }
}

impl fmt::Display for CrewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_leave_its_directory_or_look_like_an_option_is_refused() {
        let long = "x".repeat(MAX_NAME + 1);
        for text in ["", ".", "..", "../x", "a/b", "-w", "a b", "a\x1b[31m", "ä", "all", &long] {
            assert!(text.parse::<CrewName>().is_err(), "{text}");
        }
        for text in ["api", "all-in-one", "api.v2", "shop_front-1", "7"] {
            assert_eq!(text.parse::<CrewName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn no_other_character_is_let_in_wherever_it_stands() {
        for character in '\0'..=char::MAX {
            for text in [format!("{character}"), format!("a{character}"), format!("a{character}b")]
            {
                if text.parse::<CrewName>().is_ok() {
                    assert!(
                        character.is_ascii_alphanumeric() || "._-".contains(character),
                        "{text:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_name_comes_from_the_program_when_none_is_given() {
        for (program, name) in [
            ("/srv/server.js", "server"),
            ("./my server", "my-server"),
            ("/opt/.hidden", "hidden"),
            ("/opt/äö", "crew"),
            ("all.js", "crew"),
        ] {
            assert_eq!(CrewName::from_program(Path::new(program)).as_str(), name);
        }
    }

    #[test]
    fn a_name_from_a_program_is_always_a_valid_name() {
        let long = "ab c".repeat(100);
        for program in [long.as_str(), "/", "..", "--x", "\u{1b}[31mred"] {
            let name = CrewName::from_program(Path::new(program));
            assert_eq!(name.as_str().parse(), Ok(name.clone()), "{program:?}");
        }
    }
}
