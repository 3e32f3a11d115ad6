//! The helper's run: the plan's steps in their order, then the program, or one line that says why not.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::identity;
use super::plan::Plan;
use crate::contract;
use crate::spawn::{SpawnError, SpawnErrorKind, close_on_exec_from, explain_exec, restore_default};

/// Plays the exec helper when this process was started as one, and then never returns: it becomes
/// the planned program, or exits with 127 (the program does not exist) or 126 (any other reason)
/// after one line on standard error. Returns at once in every other process.
///
/// Call it as the first statement of `main`, before any thread.
pub fn run_if_asked() {
    let Some(text) = std::env::var_os(contract::EXEC_PLAN) else {
        return;
    };
    let Err(error) = Plan::decode(&text).and_then(|plan| execute(&plan));
    // Standard error is all there is to tell it to; where that is closed the status must do.
    drop(writeln!(io::stderr(), "portcrew: {error}"));
    std::process::exit(error.exit_status().into());
}

fn execute(plan: &Plan) -> Result<Infallible, SpawnError> {
    let program = Path::new(&plan.program);
    // Everything that allocates comes before the limits, which may forbid it.
    let path = c_string(program, &plan.program)?;
    let arguments = std::env::args_os()
        .map(|argument| c_string(program, &argument))
        .collect::<Result<Vec<_>, _>>()?;
    let environment = environment(plan)?;
    prepare(plan)?;
    let Err(errno) = nix::unistd::execve(&path, &arguments, &environment);
    Err(explain_exec(program, errno as i32))
}

fn prepare(plan: &Plan) -> Result<(), SpawnError> {
    let refused = |reason: String| {
        let program = Path::new(&plan.program);
        move |error: io::Error| {
            SpawnError::new(SpawnErrorKind::System, program, reason).because(error)
        }
    };
    for limit in &plan.limits {
        let reason = format!("the limit {:?} cannot be set", limit.resource);
        limit.apply().map_err(refused(reason))?;
    }
    identity::assume(plan).map_err(|(reason, error)| refused(reason.into())(error))?;
    if let Some(cwd) = &plan.cwd {
        let reason = format!("its directory {} cannot be entered", Path::new(cwd).display());
        std::env::set_current_dir(cwd).map_err(refused(reason))?;
    }
    if plan.no_new_privs {
        rustix::thread::set_no_new_privs(true)
            .map_err(|errno| refused("no_new_privs cannot be set".into())(errno.into()))?;
    }
    if let Some(signal) = plan.parent_death_signal {
        die_with_parent(signal, plan.parent)
            .map_err(refused("the parent death signal cannot be set".into()))?;
    }
    close_on_exec_from(plan.first_closed)
        .map_err(refused("its descriptors cannot be closed".into()))?;
    // Rust's runtime ignores SIGPIPE before `main`, and an ignored signal survives the exec.
    restore_default(libc::SIGPIPE).map_err(refused("SIGPIPE cannot be reset".into()))
}

/// Asks for the signal, then looks whether the parent died before the request was in force: nobody
/// would send it any more.
fn die_with_parent(signal: i32, parent: u32) -> io::Result<()> {
    let named = Signal::from_named_raw(signal)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no such signal"))?;
    set_parent_process_death_signal(Some(named))?;
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == Some(parent) {
        Ok(())
    } else {
        Err(io::Error::other("the primary ended before the program began"))
    }
}

/// The environment as it came, without the plan. This process's own is left alone.
fn environment(plan: &Plan) -> Result<Vec<CString>, SpawnError> {
    let mut variables: Vec<(OsString, OsString)> =
        std::env::vars_os().filter(|(name, _)| name != contract::EXEC_PLAN).collect();
    if plan.listen_pid {
        variables.push((contract::LISTEN_PID.into(), std::process::id().to_string().into()));
    }
    let program = Path::new(&plan.program);
    variables
        .into_iter()
        .map(|(name, value)| {
            let entry = [name.as_bytes(), b"=", value.as_bytes()].concat();
            c_string(program, &OsString::from_vec(entry))
        })
        .collect()
}

fn c_string(program: &Path, text: &OsStr) -> Result<CString, SpawnError> {
    CString::new(text.as_bytes()).map_err(|_| {
        let reason = "a NUL byte is in its path, arguments or environment";
        SpawnError::new(SpawnErrorKind::BadSpec, program, reason)
    })
}
