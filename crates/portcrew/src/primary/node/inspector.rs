//! Which port the inspector of a worker gets.

use std::collections::{BTreeMap, BTreeSet};

use portcrew_core::WorkerId;
use portcrew_core::supervise::SlotId;

use crate::InspectPort;

/// What follows the highest port, as in Node.
const LOWEST_PORT: u32 = 1024;

/// The port of one worker's inspector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::primary) struct Inspector {
    /// By how much it differs from the port that was asked for, where that is what tells workers apart.
    pub(in crate::primary) number: Option<u32>,
    /// 0: the kernel chooses.
    pub(in crate::primary) port: u16,
}

/// The numbers given so far.
#[derive(Debug, Default)]
pub(in crate::primary) struct Numbers {
    /// To workers outside a crew: they are counted, as in Node.
    counted: u32,
    /// To the last worker of each slot.
    slots: BTreeMap<SlotId, u32>,
}

impl Inspector {
    /// The inspector of a worker whose options ask for `base`. `taken` has the numbers of living workers.
    pub(in crate::primary) fn new(
        port: &InspectPort,
        base: u16,
        worker: WorkerId,
        slot: Option<SlotId>,
        numbers: &mut Numbers,
        taken: &BTreeSet<u32>,
    ) -> Self {
        match port {
            InspectPort::Fixed(port) => Self { number: None, port: *port },
            InspectPort::By(port) => Self { number: None, port: port(worker) },
            InspectPort::Auto if base == 0 => Self { number: None, port: 0 },
            InspectPort::Auto => {
                let number = numbers.next(slot, taken);
                Self { number: Some(number), port: port_at(base, number) }
            }
        }
    }
}

impl Numbers {
    fn next(&mut self, slot: Option<SlotId>, taken: &BTreeSet<u32>) -> u32 {
        let free_from = |first| (first..).find(|number| !taken.contains(number)).unwrap_or(first);
        match slot {
            None => {
                self.counted = free_from(self.counted.saturating_add(1));
                self.counted
            }
            // A debugger that was attached finds the successor where its worker was, and a crew whose workers die
            // often does not wander through the ports of others.
            Some(slot) => {
                let last = self.slots.get(&slot).copied().filter(|last| !taken.contains(last));
                let number = last.unwrap_or_else(|| free_from(1));
                self.slots.insert(slot, number);
                number
            }
        }
    }
}

fn port_at(base: u16, number: u32) -> u16 {
    let above = u32::from(base).saturating_add(number);
    let range = u32::from(u16::MAX) + 1 - LOWEST_PORT;
    let wrapped = match above.checked_sub(u32::from(u16::MAX) + 1) {
        None => above,
        Some(beyond) => LOWEST_PORT + beyond % range,
    };
    u16::try_from(wrapped).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fleet {
        numbers: Numbers,
        taken: BTreeSet<u32>,
    }

    impl Fleet {
        fn new() -> Self {
            Self { numbers: Numbers::default(), taken: BTreeSet::new() }
        }

        /// The port of the next worker, which lives on.
        fn start(&mut self, slot: Option<usize>) -> u16 {
            let auto = InspectPort::Auto;
            let slot = slot.map(SlotId);
            let numbers = &mut self.numbers;
            let it = Inspector::new(&auto, 9229, WorkerId(7), slot, numbers, &self.taken);
            self.taken.insert(it.number.unwrap());
            it.port
        }

        fn end(&mut self, port: u16) {
            assert!(self.taken.remove(&u32::from(port - 9229)));
        }
    }

    #[test]
    fn after_the_highest_port_comes_1024() {
        assert_eq!(port_at(9229, 1), 9230);
        assert_eq!([1, 2, 3].map(|n| port_at(65_534, n)), [65_535, 1024, 1025]);
        assert_eq!(port_at(65_535, 64_512 + 1), 1024, "and again, a whole round later");
        assert_eq!(port_at(1024, u32::MAX), port_at(1024, u32::MAX));
    }

    #[test]
    fn workers_outside_a_crew_are_counted() {
        let mut fleet = Fleet::new();
        assert_eq!(fleet.start(None), 9230);
        fleet.end(9230);
        assert_eq!(fleet.start(None), 9231, "a number that was given is not given again");
    }

    #[test]
    fn a_slot_keeps_its_number_when_its_worker_is_replaced() {
        let mut fleet = Fleet::new();
        assert_eq!([0, 1, 2].map(|slot| fleet.start(Some(slot))), [9230, 9231, 9232]);
        fleet.end(9230);
        fleet.end(9231);
        assert_eq!([1, 0].map(|slot| fleet.start(Some(slot))), [9231, 9230]);
    }

    #[test]
    fn while_the_old_worker_lives_the_new_one_of_its_slot_gets_the_lowest_that_is_free() {
        let mut fleet = Fleet::new();
        assert_eq!([0, 1].map(|slot| fleet.start(Some(slot))), [9230, 9231]);
        assert_eq!(fleet.start(Some(0)), 9232);
        fleet.end(9230);
        assert_eq!(fleet.start(Some(1)), 9230);
        fleet.end(9231);
        // From here on these are the slots' own.
        fleet.end(9232);
        assert_eq!(fleet.start(Some(0)), 9232);
    }

    #[test]
    fn single_workers_and_a_crew_stay_out_of_each_others_way() {
        let mut fleet = Fleet::new();
        assert_eq!([Some(0), None, Some(1)].map(|slot| fleet.start(slot)), [9230, 9231, 9232]);
    }

    #[test]
    fn zero_a_fixed_port_and_a_function_need_no_number() {
        let mut fleet = Fleet::new();
        let mut port = |port: InspectPort, base| {
            Inspector::new(&port, base, WorkerId(7), None, &mut fleet.numbers, &fleet.taken)
        };
        assert_eq!(port(InspectPort::Auto, 0), Inspector { number: None, port: 0 });
        assert_eq!(port(InspectPort::Fixed(9500), 9229).port, 9500);
        let by = InspectPort::by(|worker| 10_000 + u16::try_from(worker.0).unwrap());
        assert_eq!(port(by, 0), Inspector { number: None, port: 10_007 });
        assert_eq!(fleet.start(None), 9230);
    }
}
