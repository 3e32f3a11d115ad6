//! The meant arguments: typed arguments, the environment and the file system together become one [`RunPlan`], or a
//! [`Refusal`] that names the thing, the reason and the next step. Nothing is started here.

mod behind;
mod cgroup;
mod cpus;
mod entry;
mod executable;
mod host;
mod identity;
mod language;
mod listen;
mod note;
mod package;
mod plain;
mod policies;
mod policy_change;
mod program;
mod reach;
mod refusal;
mod run_plan;
mod supervision;
mod typescript;
mod wrapper;

pub(crate) use cpus::available_cpus;
pub(crate) use host::Host;
pub(crate) use note::Note;
pub(crate) use policies::{Own, Policies, meant, meant_sticky};
pub(crate) use policy_change::PolicyChange;
pub(crate) use run_plan::RunPlan;
pub(crate) use supervision::apply as supervise;
