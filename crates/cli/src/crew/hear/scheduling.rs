//! What happens to the choice of workers.

use portcrew::{ListenAddress, ListenerId, Scheduling};

use super::{Hearing, number};
use crate::output::events::{self, Choice, Given};

impl Hearing<'_> {
    /// News of who gets a listener's connections.
    pub(super) fn scheduling(
        &mut self,
        listener: ListenerId,
        address: &ListenAddress,
        news: Scheduling,
    ) {
        if let Some(text) = self.dealing.hear(listener, address, &news) {
            self.report.notice(&text);
        }
        let tell = |news| {
            let listener = address.to_string();
            self.report.event(&events::Event::Scheduling { listener: &listener, news });
        };
        match news {
            Scheduling::Policy { name } => tell(Choice::Policy { policy: name }),
            Scheduling::Counted { by } => tell(Choice::Counted { by: by.into() }),
            Scheduling::Uncounted { worker } => tell(Choice::Uncounted { worker: number(worker) }),
            Scheduling::Failed { failure } => {
                tell(Choice::Failed { reason: &failure.to_string() });
            }
            Scheduling::Summary { policy, counts, given } => {
                let workers: Vec<_> = given
                    .into_iter()
                    .map(|(worker, connections)| Given { worker: number(worker), connections })
                    .collect();
                tell(Choice::Summary {
                    policy,
                    asked: counts.asked,
                    given: counts.given,
                    waited: counts.waited,
                    refused: counts.refused,
                    workers: &workers,
                });
            }
            // News of a newer library.
            _ => {}
        }
    }
}
