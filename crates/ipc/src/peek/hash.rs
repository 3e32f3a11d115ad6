//! A session's name as a number that never changes.

/// A stable 64-bit hash of a key's value: FNV-1a, and then the finalizer of MurmurHash3.
///
/// The same bytes give the same number in every process, after every restart, on every machine and in every
/// version of this crate, so a client keeps its worker over all of them. FNV takes the bytes one by one and
/// leaves the high bits of short values alike; the finalizer spreads them, since a scheduler may use any bits.
///
/// It is no secret and withstands nobody who looks for collisions. There is nothing to withstand: who wants a
/// certain worker only has to send the same value again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(u64);

/// FNV's 64-bit constants (draft-eastlake-fnv, "FNV Basis" and "FNV Primes").
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

impl KeyHash {
    /// The hash of these bytes, as they are on the wire.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        Self(finish(fnv(value)))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// A bijection: it never makes two different hashes alike.
const fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_half_is_fnv_1a_by_its_published_values() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_value_keeps_its_number_for_ever() {
        // Whoever changes these moves every client of every crew to another worker.
        assert_eq!(KeyHash::of(b"abc").get(), 0x33eb_af99_27cb_c5bd);
        assert_eq!(KeyHash::of(b"s%3A7xY").get(), 0x1482_0227_b7df_5b00);
    }

    #[test]
    fn values_that_differ_in_one_digit_differ_in_every_part_of_the_number() {
        let spread = (0..64_u32).map(|n| KeyHash::of(format!("user{n}").as_bytes()).get());
        let (low, high): (Vec<_>, Vec<_>) = spread.map(|hash| (hash & 7, hash >> 61)).unzip();
        for eighth in 0..8 {
            assert!(low.contains(&eighth) && high.contains(&eighth), "{low:?} {high:?}");
        }
    }
}
