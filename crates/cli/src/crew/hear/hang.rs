//! A worker that hangs.

use portcrew::{Diagnosis, Found, RollbackReason, WorkerId};

use super::{Hearing, number};
use crate::crew::causes::how_it_failed;
use crate::crew::outputs::Outputs;
use crate::output::events;
use crate::output::words::{hung, notices};

/// The last lines of its output that are said with it: they stand above already, among those of others.
const LAST_LINES: usize = 5;

impl Hearing<'_> {
    pub(super) async fn hangs(
        &self,
        worker: WorkerId,
        reason: RollbackReason,
        found: Found,
        diagnosis: &Diagnosis,
        outputs: &mut Outputs,
    ) {
        let how = how_it_failed(reason);
        let output = outputs.last_words(worker, false).await;
        let output = &output[output.len().saturating_sub(LAST_LINES)..];
        self.report.event(&events::Event::Hangs {
            worker: number(worker),
            reason: &how,
            found: found.into(),
            doing: &events::Doing::of(diagnosis),
            output,
        });
        let hangs = hung::hangs(&how, diagnosis);
        let signal = self.hang_signal.number();
        let text = hung::notice(&worker, &hangs, found, signal, !output.is_empty());
        self.report.notice(&text);
        for line in output {
            self.report.notice(&notices::last_words(line));
        }
    }
}
