//! `portcrew policy`: who gets a crew's connections from now on.

use super::each::{Done, Undone, each, undone};
use crate::args::PolicyArgs;
use crate::control::Client;
use crate::control::v1::{PolicySet, SetPolicy, Status};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;

/// Asks each crew that is meant, and waits for the verdict where its workers are replaced.
pub(crate) fn run(args: &PolicyArgs) -> ExitStatus {
    let wish = SetPolicy { policy: args.policies.to_string() };
    each(&args.targets, args.json, |name, client| set(name, client, &wish))
}

fn set(name: &str, client: &Client, wish: &SetPolicy) -> Result<Done, Undone> {
    // A verdict has no time. A crew that answers nothing at all is found out by a question that has one.
    let _: Status = client.get("/v1/status").map_err(|it| undone(name, it))?;
    let set: PolicySet = client.post("/v1/policy", wish).map_err(|it| undone(name, it))?;
    Ok(Done::well(words::policy_set(name, &set.policy, set.reloaded), &set))
}
