//! `portcrew scale`: more workers, or fewer.

use super::each::{Done, each, undone};
use crate::args::{ScaleArgs, Size};
use crate::control::v1::{Scale, Scaled};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;

/// Asks each crew that is meant.
pub(crate) fn run(args: &ScaleArgs) -> ExitStatus {
    let wish = match args.size {
        Size::Exactly(workers) => Scale { workers: Some(workers), by: None },
        Size::By(by) => Scale { workers: None, by: Some(by) },
    };
    each(&args.targets, args.json, |name, client| {
        let scaled: Scaled =
            client.post_within("/v1/scale", &wish).map_err(|it| undone(name, it))?;
        Ok(Done::well(words::scaled(name, scaled.before, scaled.wanted), &scaled))
    })
}
