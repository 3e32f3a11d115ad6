//! The words for it.

use portcrew_core::supervise::Found;

/// What a worker was doing when it was found to hang. All of it is what `/proc` shows of its main thread, if not said
/// otherwise; what this process may not see is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Whether it runs or waits.
    pub state: ProcessState,
    /// The process that debugs it.
    pub tracer: Option<u32>,
    /// Its threads.
    pub threads: Option<u32>,
    /// How much of one processor all its threads together used while they were looked at, in per cent.
    pub cpu: Option<u32>,
    /// The function of the kernel in which it waits.
    pub waits_in: Option<String>,
    /// The number of the system call in which it waits.
    pub system_call: Option<u32>,
    /// The functions of the kernel in which it is, the innermost first: the first [`STACK_LIMIT`](Self::STACK_LIMIT).
    /// Only a privileged process may see them.
    pub kernel_stack: Vec<String>,
}

/// Whether a process runs or waits: the third field of proc_pid_stat(5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessState {
    /// It runs, or could if there were a processor: it does something without end.
    Running,
    /// It waits for something that a signal interrupts.
    Sleeping,
    /// It waits in the kernel, mostly for a disk, and hears no signal until that ends.
    Uninterruptible,
    /// It was stopped by a signal.
    Stopped,
    /// A debugger holds it.
    Traced,
    /// It has ended.
    Dead,
    /// Nothing is known.
    #[default]
    Unknown,
}

impl Diagnosis {
    /// The most functions of the kernel that are told.
    pub const STACK_LIMIT: usize = 8;

    /// What that means for the way to end it. Whoever debugs a process may let it run meanwhile, and looks at it still.
    pub(in crate::primary) fn found(&self) -> Found {
        match (self.tracer, self.state) {
            (Some(_), _) | (None, ProcessState::Traced) => Found::Traced,
            (None, ProcessState::Stopped) => Found::Stopped,
            (
                None,
                ProcessState::Running
                | ProcessState::Sleeping
                | ProcessState::Uninterruptible
                | ProcessState::Dead
                | ProcessState::Unknown,
            ) => Found::Able,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_debugged_is_left_alone_whether_it_runs_or_not() {
        let found = |state, tracer| Diagnosis { state, tracer, ..Diagnosis::default() }.found();
        assert_eq!(found(ProcessState::Running, Some(7)), Found::Traced);
        assert_eq!(found(ProcessState::Stopped, Some(7)), Found::Traced);
        assert_eq!(found(ProcessState::Traced, None), Found::Traced);
        assert_eq!(found(ProcessState::Stopped, None), Found::Stopped);
        assert_eq!(found(ProcessState::Uninterruptible, None), Found::Able);
        assert_eq!(found(ProcessState::Unknown, None), Found::Able);
    }
}
