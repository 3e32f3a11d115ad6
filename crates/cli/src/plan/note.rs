//! What a plan found that the user should know, said once before the crew starts.

use std::fmt;
use std::path::PathBuf;

use crate::output::words::{listen, notes};

/// One thing worth saying. `Display` is the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// The script's text has a branch for a cluster primary.
    OwnPrimaryBranch { entry: PathBuf },
    /// The wrapper's command is run without the wrapper.
    SeenThrough { wrapper: String, command: String },
    /// A wrapper that is a Node.js program stays between the primary and the server.
    NodeWrapper { wrapper: String, why: Why },
    /// A shell stays between the primary and the server.
    ShellWrapper { shell: String, why: Why },
    /// Options of ours stand behind the program, which gets them; and the command that was typed.
    OptionsBehind { command: &'static str, options: Vec<String>, program: String },
    /// The script's first line names nothing that can run it; its extension does.
    HashBangMissing { script: PathBuf, interpreter: String, instead: PathBuf },
    /// An option was added so that Node.js runs TypeScript.
    StripTypesFlag { version: String },
    /// The program is where the workers' user cannot look.
    OutOfReach { path: PathBuf, at: PathBuf, user: u32 },
    /// The runtime does not serve from a shared socket, so the primary accepts.
    CannotShare,
    /// The program is one that could have a channel, and is started with sockets.
    NoChannel,
    /// A probe connects to a socket that the primary has.
    ConnectsAnyway,
    /// A probe asks on a socket that all workers have.
    OthersAnswer,
    /// Workers that have no lane are asked for a sign of life that they cannot give.
    NoHeartbeat,
}

/// Why a wrapper cannot be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// Shell syntax, by its name.
    Syntax(String),
    /// The first word is something that only a shell has.
    Builtin(String),
    /// An option of the wrapper.
    Option(String),
    /// The package has a script that runs before or after this one.
    Hook(String),
    NoLocalProgram(String),
    /// It is a shell script that does not end with `exec`.
    Script,
    TooDeep,
    NoCommand,
    NotText,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::OwnPrimaryBranch { entry } => notes::own_primary_branch(entry),
            Self::SeenThrough { wrapper, command } => notes::seen_through(wrapper, command),
            Self::NodeWrapper { wrapper, why } => notes::node_wrapper(wrapper, &why.to_string()),
            Self::ShellWrapper { shell, why } => notes::shell_wrapper(shell, &why.to_string()),
            Self::OptionsBehind { command, options, program } => {
                notes::options_behind(command, options, program)
            }
            Self::HashBangMissing { script, interpreter, instead } => {
                notes::hash_bang_missing(script, interpreter, instead)
            }
            Self::StripTypesFlag { version } => notes::strip_types_flag(version),
            Self::OutOfReach { path, at, user } => notes::out_of_reach(path, at, *user),
            Self::CannotShare => notes::cannot_share(),
            Self::NoHeartbeat => notes::no_heartbeat(),
            Self::NoChannel => listen::no_channel(),
            Self::ConnectsAnyway => listen::connects_anyway(),
            Self::OthersAnswer => listen::others_answer(),
        })
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Syntax(what) => notes::why_syntax(what),
            Self::Builtin(word) => notes::why_builtin(word),
            Self::Option(option) => notes::why_option(option),
            Self::Hook(hook) => notes::why_hook(hook),
            Self::NoLocalProgram(name) => notes::why_no_local_program(name),
            Self::Script => notes::why_script(),
            Self::TooDeep => notes::why_too_deep(),
            Self::NoCommand => notes::why_no_command(),
            Self::NotText => notes::why_not_text(),
        })
    }
}
