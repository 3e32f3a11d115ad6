//! What the helper is to do, as it travels in one environment variable.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::limit::Limit;
use crate::spawn::{SpawnError, SpawnErrorKind};

/// The plan. Paths are system strings and not text: a directory need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) program: OsString,
    pub(crate) cwd: Option<OsString>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) groups: Vec<u32>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) parent_death_signal: Option<i32>,
    /// The process that started the helper. When it is no longer the parent, it died before the
    /// death signal was in force.
    pub(crate) parent: u32,
    pub(crate) no_new_privs: bool,
    pub(crate) listen_pid: bool,
    /// The first descriptor that the program must not have.
    pub(crate) first_closed: i32,
}

impl Plan {
    pub(crate) fn encode(&self, program: &Path) -> Result<String, SpawnError> {
        serde_json::to_string(self).map_err(|error| {
            let reason = format!("the plan for the exec helper cannot be written: {error}");
            SpawnError::new(SpawnErrorKind::BadSpec, program, reason)
        })
    }

    pub(super) fn decode(text: &OsStr) -> Result<Self, SpawnError> {
        serde_json::from_slice(text.as_bytes()).map_err(|error| {
            let reason = format!("{} holds no plan: {error}", crate::contract::EXEC_PLAN);
            SpawnError::new(SpawnErrorKind::BadSpec, Path::new("(unknown)"), reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec_helper::Resource;

    #[test]
    fn a_plan_survives_its_journey_with_a_path_that_is_not_utf8() {
        let plan = Plan {
            program: OsStr::from_bytes(b"/bin/\xff\"\n").to_owned(),
            cwd: Some("/srv".into()),
            uid: Some(1),
            gid: Some(2),
            groups: vec![3],
            limits: vec![Limit { resource: Resource::OpenFiles, soft: Some(64), hard: None }],
            parent_death_signal: Some(15),
            parent: 4,
            no_new_privs: true,
            listen_pid: false,
            first_closed: 5,
        };
        let text = plan.encode(Path::new("/bin/true")).unwrap();
        assert_eq!(Plan::decode(text.as_ref()).unwrap(), plan);
    }

    #[test]
    fn a_variable_that_holds_no_plan_is_refused_by_its_name() {
        let error = Plan::decode(OsStr::from_bytes(b"\xff")).unwrap_err();
        assert!(error.to_string().contains("PORTCREW_EXEC"), "{error}");
    }
}
