//! Highest random weight: every pair of a client and a place has a weight, and the client's place is the one that
//! weighs most. Who loses a place goes to the next in weight; nobody else moves (Thaler and Ravishankar, 1998).

use crate::scheduler::Seat;

/// The weight of a seat for a client. The same for ever: a restarted primary sends everybody where they were.
pub(super) const fn weight(key: u64, seat: Seat) -> u64 {
    let (kind, number) = match seat {
        Seat::Slot(slot) => (0, slot.0 as u64),
        Seat::Alone(worker) => (1, worker.0 as u64),
    };
    mix(key ^ mix(number << 1 | kind))
}

/// A hash of bytes that is the same on every machine (FNV-1a with a finaliser).
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// Every bit of the outcome depends on every bit of the input (the finaliser of SplitMix64).
const fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::SlotId;

    #[test]
    fn clients_spread_evenly_over_the_seats() {
        let mut clients = [0u32; 8];
        for client in 0u32..8_000 {
            let key = hash(&client.to_le_bytes());
            let best = (0..8).max_by_key(|slot| weight(key, Seat::Slot(SlotId(*slot))));
            clients[best.unwrap_or(0)] += 1;
        }
        // Of 1000 expected the deviation is about 30.
        assert!(clients.iter().all(|it| (850..1150).contains(it)), "{clients:?}");
    }

    #[test]
    fn weights_are_the_same_for_ever() {
        assert_eq!(hash(b"127.0.0.1"), 0x25f5_e054_ec31_a55c);
        assert_eq!(weight(7, Seat::Slot(SlotId(3))), 0x2b40_f785_f684_cbe3);
    }
}
