//! How many CPUs this process may use: what `-w max` means.

use std::num::NonZero;

use super::cgroup::{self, Quota};

/// The CPUs that the scheduler's affinity and the cgroups' quotas leave to this process, at least 1.
///
/// The number of CPUs of the machine is no help in a container: one of two CPUs' worth of time on a machine of 48
/// would get 48 workers.
pub(crate) fn available_cpus() -> usize {
    usable(affinity(), &cgroup::quotas())
}

/// The smaller of affinity and the tightest quota. A quota of one and a half CPUs counts as two: two workers can use
/// it up, one cannot.
fn usable(affinity: usize, quotas: &[Quota]) -> usize {
    let tightest = quotas.iter().map(|quota| quota.cpus()).min();
    affinity.min(tightest.unwrap_or(usize::MAX)).max(1)
}

fn affinity() -> usize {
    match rustix::thread::sched_getaffinity(None) {
        Ok(set) => set.count() as usize,
        // More CPUs than the set has room for. The standard library asks with a larger one.
        Err(_) => std::thread::available_parallelism().map_or(1, NonZero::get),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(micros: u64, period: u64) -> Quota {
        Quota::new(micros, period).unwrap()
    }

    #[test]
    fn the_tightest_bound_counts_and_a_part_of_a_cpu_is_a_cpu() {
        assert_eq!(usable(8, &[]), 8);
        assert_eq!(usable(8, &[quota(200_000, 100_000)]), 2);
        assert_eq!(usable(8, &[quota(150_000, 100_000)]), 2);
        assert_eq!(usable(8, &[quota(10_000, 100_000)]), 1);
        assert_eq!(usable(8, &[quota(400_000, 100_000), quota(300_000, 100_000)]), 3);
        assert_eq!(usable(2, &[quota(400_000, 100_000)]), 2);
        assert_eq!(usable(0, &[]), 1);
    }

    #[test]
    fn this_machine_has_between_one_and_all_of_its_cpus() {
        let online = std::fs::read_to_string("/proc/cpuinfo").unwrap();
        let online = online.lines().filter(|line| line.starts_with("processor")).count();
        assert!((1..=online.max(1)).contains(&available_cpus()));
    }
}
