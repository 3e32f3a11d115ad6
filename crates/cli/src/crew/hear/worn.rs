//! Workers that are replaced because they are worn, and slots that get no other.

use std::fmt::Display;

use portcrew::CrewNotice;

use super::Hearing;
use crate::crew::causes::{self, how_it_failed};
use crate::output::words::notices;

impl Hearing<'_> {
    pub(super) fn worn(&mut self, notice: CrewNotice) {
        match notice {
            CrewNotice::Recycling { worker, why, .. } => {
                self.report.notice(&notices::recycling(&worker, &causes::wear(why)));
            }
            CrewNotice::Recycled { worker, .. } => self.report.notice(&notices::recycled(&worker)),
            CrewNotice::NotRecycled { worker, newcomer, reason, .. } => {
                let newcomer = newcomer.as_ref().map(|it| it as &dyn Display);
                let how = notices::new_worker(newcomer, &how_it_failed(reason));
                self.trouble(Some(worker), &notices::not_recycled(&worker, &how));
            }
            CrewNotice::Retired { slot, worker, code } => {
                // How it ended is part of this.
                self.gone = None;
                self.report.notice(&notices::retired(&slot, &worker, code));
            }
            // Not of this kind.
            _ => {}
        }
    }
}
