//! The child's environment block: what the caller gave, without inherited descriptor numbers, and
//! the variables of this child's own.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::error::{SpawnError, SpawnErrorKind};
use super::spec::SpawnSpec;
use crate::contract;
use crate::exec_helper::Plan;

/// The complete block as `execve` takes it. The contract's variables come first: `getenv` scans
/// from the front, and they are the ones that every child looks at.
pub(super) fn block(spec: &SpawnSpec, plan: Option<&Plan>) -> Result<Vec<CString>, SpawnError> {
    let mut variables = own(spec);
    if let Some(plan) = plan {
        variables.push((contract::EXEC_PLAN.into(), plan.encode(&spec.program)?.into()));
    }
    variables.extend(contract::scrubbed(&spec.env));
    variables.iter().map(|(name, value)| entry(&spec.program, name, value)).collect()
}

fn own(spec: &SpawnSpec) -> Vec<(OsString, OsString)> {
    let mut own: Vec<(OsString, OsString)> = Vec::with_capacity(spec.env.len() + 6);
    if spec.channel {
        own.push((contract::CHANNEL_FD.into(), spec.channel_number().to_string().into()));
        own.push((contract::SERIALIZATION_MODE.into(), "json".into()));
    }
    if spec.lane {
        own.push((contract::LANE_FD.into(), spec.lane_number().to_string().into()));
    }
    if let Some(id) = spec.worker_id {
        own.push((contract::UNIQUE_ID.into(), id.to_string().into()));
    }
    if !spec.listeners.is_empty() {
        own.push((contract::LISTEN_FDS.into(), spec.listeners.len().to_string().into()));
    }
    if !spec.listener_names.is_empty() {
        own.push((contract::LISTEN_FDNAMES.into(), spec.listener_names.join(":").into()));
    }
    own
}

/// `NAME=value`. A name that is empty or has `=` in it would be read back as something else.
fn entry(program: &Path, name: &OsString, value: &OsString) -> Result<CString, SpawnError> {
    let bad = |reason: String| SpawnError::new(SpawnErrorKind::BadSpec, program, reason);
    if name.is_empty() || name.as_bytes().contains(&b'=') {
        return Err(bad(format!("{name:?} is no name of an environment variable")));
    }
    let bytes = [name.as_bytes(), b"=", value.as_bytes()].concat();
    CString::new(bytes).map_err(|_| bad(format!("the variable {name:?} has a NUL byte")))
}
