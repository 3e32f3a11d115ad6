//! `-w N|max|-N`: how many workers are wanted, as written.

use std::str::FromStr;

use crate::output::words::usage;

/// The most workers that one crew may have. Each costs the primary a few descriptors, so the bound keeps a slip of
/// the finger (`-w 80000` for a port) from exhausting the machine.
pub(crate) const MAX_WORKERS: u16 = 1024;

/// The wanted number of workers, before the CPUs of this machine are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workers {
    /// So many, 1 to [`MAX_WORKERS`].
    Exactly(u16),
    /// One for each CPU that this process may use.
    Max,
    /// One for each CPU, less so many; at least 1 remains.
    AllBut(u16),
}

impl Workers {
    /// The number of workers on a machine where this process may use `cpus` CPUs: 1 to [`MAX_WORKERS`].
    pub(crate) fn on(self, cpus: usize) -> usize {
        let wanted = match self {
            Self::Exactly(count) => usize::from(count),
            Self::Max => cpus,
            Self::AllBut(spared) => cpus.saturating_sub(usize::from(spared)),
        };
        wanted.clamp(1, usize::from(MAX_WORKERS))
    }
}

impl FromStr for Workers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let number: i64 = text.parse().map_err(|_| usage::workers_not_a_number())?;
        if number == 0 {
            return Err(usage::workers_zero());
        }
        let size = u16::try_from(number.unsigned_abs()).ok().filter(|n| *n <= MAX_WORKERS);
        match size {
            None => Err(usage::workers_too_many(MAX_WORKERS)),
            Some(count) if number > 0 => Ok(Self::Exactly(count)),
            Some(spared) => Ok(Self::AllBut(spared)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_max_and_negative_numbers_are_understood() {
        assert_eq!("4".parse(), Ok(Workers::Exactly(4)));
        assert_eq!("max".parse(), Ok(Workers::Max));
        assert_eq!("-1".parse(), Ok(Workers::AllBut(1)));
    }

    #[test]
    fn zero_too_many_and_words_are_refused_with_a_reason() {
        for (text, reason) in [
            ("0", "at least one"),
            ("1025", "1,024"),
            ("-9223372036854775808", "1,024"),
            ("many", "a number"),
            ("", "a number"),
        ] {
            let error = text.parse::<Workers>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn at_least_one_worker_remains_however_many_cpus_are_spared() {
        assert_eq!(Workers::AllBut(1).on(4), 3);
        assert_eq!(Workers::AllBut(1).on(1), 1);
        assert_eq!(Workers::AllBut(9).on(4), 1);
        assert_eq!(Workers::Max.on(4), 4);
        assert_eq!(Workers::Max.on(0), 1);
        assert_eq!(Workers::Exactly(9).on(4), 9);
    }
}
