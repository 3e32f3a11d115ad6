//! The control socket of a crew that is about to be led here: claimed, or refused, or done without.

use std::fmt::Write;

use portcrew::{Role, Settings};

use crate::args::{ControlArgs, CrewName};
use crate::control::{Claim, Claimed, Directory, v1};
use crate::crew::{About, Announce, Control};
use crate::exit::ExitStatus;
use crate::output::words::control as words;

/// Claims the crew's name. What is worth saying about it is added to `notes`.
///
/// A crew that the user named, and a detached one, must have its name: else nothing is started. Any other crew goes on
/// without a socket. So does a crew inside a crew: it is steered from above, and has many of the same name beside it.
///
/// # Errors
/// The words and the status for a crew that is not to be started.
pub(super) fn claim(
    name: &CrewName,
    is_given: bool,
    args: &ControlArgs,
    role: &Role,
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<Control, (String, ExitStatus)> {
    let about = about(name, args, settings);
    let announce = match args.detached {
        Some(_) => {
            Some(Announce::from_stdin().map_err(|it| (it.to_string(), ExitStatus::Internal))?)
        }
        None => None,
    };
    let without = Control { claim: None, announce: None, about };
    if args.no_control || matches!(role, Role::Worker(_)) {
        return Ok(without);
    }
    let (must, about) = (is_given || args.detached.is_some(), without.about);
    let claim = match Claim::take(&Directory::of_this_user(), name.as_str()) {
        Ok(Claimed::Ours(claim)) => Some(claim),
        Ok(Claimed::Taken(pid)) if must => {
            return Err((words::name_taken(name.as_str(), pid), ExitStatus::NameTaken));
        }
        Ok(Claimed::Taken(pid)) => {
            notes.push(words::name_taken_goes_on(name.as_str(), pid));
            None
        }
        Err(reason) if args.detached.is_some() => return Err((reason, ExitStatus::Internal)),
        Err(reason) => {
            notes.push(words::no_control(&reason));
            None
        }
    };
    Ok(Control { claim, announce, about })
}

fn about(name: &CrewName, args: &ControlArgs, settings: &Settings) -> About {
    let own = std::env::current_exe().ok();
    let program = settings.exec.as_deref().or(own.as_deref()).unwrap_or("portcrew".as_ref());
    let mut line = program.display().to_string();
    for arg in &settings.args {
        // It stands in a line of a terminal: what would leave that line is written out.
        let _ = write!(line, " {}", arg.to_string_lossy().escape_debug());
    }
    let directory = settings.cwd.clone().or_else(|| std::env::current_dir().ok());
    let logs = args.detached.as_ref().map(|directory| v1::Logs {
        out: directory.join("out.log").display().to_string(),
        err: directory.join("err.log").display().to_string(),
    });
    About {
        name: name.as_str().to_owned(),
        program: line,
        directory: directory.map(|it| it.display().to_string()).unwrap_or_default(),
        logs,
    }
}
