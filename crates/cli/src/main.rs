//! The command `portcrew`: arguments (`args`) become a plan (`plan`), a command performs it (`commands`) by leading a
//! crew (`crew`), people read about it (`output`), and the shell gets a number (`exit`).
#![forbid(unsafe_code)]

mod args;
mod commands;
mod control;
mod crew;
mod exit;
mod hello;
mod output;
mod plan;
mod register;
mod signals;
mod upward;

fn main() -> std::process::ExitCode {
    // Before anything else: it may play the exec helper and never return, and it changes the environment, which is
    // sound only while no other thread runs.
    let status = match portcrew::role() {
        Ok(role) => match args::Cli::read() {
            Ok(cli) => commands::dispatch(cli, role),
            Err(instead) => output::answer_instead(&instead),
        },
        Err(error) => {
            output::say_plainly(&output::words::chain(&error));
            exit::ExitStatus::Internal
        }
    };
    output::unless_lost(status).into()
}
