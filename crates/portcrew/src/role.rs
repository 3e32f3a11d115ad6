//! Primary or worker: decided once, at the top of `main`.

use portcrew_ipc::{exec_helper, inherit, spawn};

use crate::parent::Parent;
use crate::{Cluster, Error, Result, Settings, Worker};

/// The first descriptor above the standard ones.
const FIRST_INHERITED: i32 = 3;

/// What this process is.
#[derive(Debug)]
pub enum Role {
    /// It may start workers.
    Primary(Primary),
    /// It was started by a primary: by portcrew's or by Node's.
    Worker(Worker),
}

/// A process that may start workers.
#[derive(Debug)]
#[must_use = "a primary does nothing by itself; make a cluster"]
pub struct Primary {
    parent: Option<Parent>,
}

/// Finds out what this process is, from its environment, and takes what it was given.
///
/// Call it first thing in `main`: before any runtime, thread or child, because it changes the environment
/// (so that no grandchild takes this process's channel) and marks inherited descriptors close-on-exec. Signals that
/// were blocked when the process was started are let through, and SIGCHLD is not ignored any more: a program that blocks
/// signals for itself does so after this call.
/// Where the environment asks for the exec helper, this call plays that part and does not return.
///
/// # Errors
///
/// [`Error::Claim`] when the environment names a channel that cannot be taken, when other threads run
/// already, or when it was called before.
pub fn role() -> Result<Role> {
    exec_helper::run_if_asked();
    let inherited = inherit::claim().map_err(Error::Claim)?;
    spawn::close_on_exec_from(FIRST_INHERITED).map_err(Error::io("keep inherited descriptors"))?;
    let signals =
        spawn::reset_inherited_signals().and_then(|()| spawn::unblock_inherited_signals());
    signals.map_err(Error::io("reset inherited signals"))?;
    Ok(match inherited {
        None => Role::Primary(Primary { parent: None }),
        // Node's rule: a channel without an id is a plain fork's.
        Some(inherited) if inherited.worker_id.is_none() => {
            Role::Primary(Primary { parent: Some(Parent::claimed(inherited)) })
        }
        Some(inherited) => Role::Worker(Worker::claimed(inherited)),
    })
}

impl Primary {
    /// The process that started this one by Node's `child_process.fork`, if one did. Given once.
    pub fn take_parent(&mut self) -> Option<Parent> {
        self.parent.take()
    }

    /// A cluster of this primary. Same as [`Cluster::new`]; to be called inside a runtime.
    ///
    /// # Errors
    ///
    /// As [`Cluster::new`].
    pub fn cluster(&self, settings: Settings) -> Result<Cluster> {
        Cluster::new(settings)
    }
}
