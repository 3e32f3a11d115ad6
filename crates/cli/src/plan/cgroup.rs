//! CPU quotas of the cgroups that this process is in, version 2 and 1.
//!
//! A quota counts on every level: the process's own group and each group above it, as far as this mount shows them.

use std::fs;
use std::path::{Path, PathBuf};

/// So much CPU time in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    micros: u64,
    period: u64,
}

impl Quota {
    /// A quota; `None` when a number is 0, which the kernel never writes.
    pub(super) fn new(micros: u64, period: u64) -> Option<Self> {
        (micros > 0 && period > 0).then_some(Self { micros, period })
    }

    /// The whole CPUs that can be used up by it, rounded up.
    pub(super) fn cpus(self) -> usize {
        usize::try_from(self.micros.div_ceil(self.period)).unwrap_or(usize::MAX)
    }

    /// Reads version 2's `cpu.max`: `200000 100000`, or `max 100000` for no quota.
    fn from_cpu_max(text: &str) -> Option<Self> {
        let (micros, period) = text.trim().split_once(' ')?;
        Self::new(micros.parse().ok()?, period.parse().ok()?)
    }

    /// Reads version 1's `cpu.cfs_quota_us` (-1 for no quota) and `cpu.cfs_period_us`.
    fn from_cfs(micros: &str, period: &str) -> Option<Self> {
        Self::new(micros.trim().parse().ok()?, period.trim().parse().ok()?)
    }
}

/// All quotas that hold for this process. What cannot be read is no quota.
pub(super) fn quotas() -> Vec<Quota> {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let groups = groups(&membership, &mounts);
    groups.iter().filter_map(|group| group.quota(|path| fs::read_to_string(path).ok())).collect()
}

/// A directory that may hold a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    version: Version,
    directory: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Group {
    fn quota(&self, read: impl Fn(&Path) -> Option<String>) -> Option<Quota> {
        let file = |name| read(&self.directory.join(name));
        match self.version {
            Version::Two => Quota::from_cpu_max(&file("cpu.max")?),
            Version::One => {
                Quota::from_cfs(&file("cpu.cfs_quota_us")?, &file("cpu.cfs_period_us")?)
            }
        }
    }
}

/// The directories from the process's group up to the root of its mount, from the texts of `/proc/self/cgroup` and
/// `/proc/self/mountinfo`.
fn groups(membership: &str, mounts: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    for (version, path) in membership.lines().filter_map(member) {
        let Some((root, mount_point)) = mounts.lines().find_map(|line| mount(line, version)) else {
            continue;
        };
        // In a container the mount shows a part of the tree: `root` is where that part begins. A path outside of it
        // (`/../x` in a cgroup namespace) cannot be seen; the top of the mount is then the nearest group.
        let inside = Path::new(path).strip_prefix(root).unwrap_or(Path::new(""));
        let inside = if path.contains("..") { Path::new("") } else { inside };
        groups.extend(
            inside
                .ancestors()
                .map(|part| Group { version, directory: Path::new(mount_point).join(part) }),
        );
    }
    groups
}

/// One line of `/proc/self/cgroup`: `0::/path` for version 2, `4:cpu,cpuacct:/path` for version 1.
fn member(line: &str) -> Option<(Version, &str)> {
    let mut fields = line.splitn(3, ':');
    let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    if number == "0" && controllers.is_empty() {
        Some((Version::Two, path))
    } else if controllers.split(',').any(|name| name == "cpu") {
        Some((Version::One, path))
    } else {
        None
    }
}

/// Root and mount point of one line of `/proc/self/mountinfo`, when it is the mount wanted: fields are
/// `id parent device root mount-point options [optional…] - type source super-options`.
fn mount(line: &str, version: Version) -> Option<(&str, &str)> {
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, mount_point) = (place.next()?, place.next()?);
    let mut kind = kind.split(' ');
    let (kind, options) = (kind.next()?, kind.nth(1)?);
    let wanted = match version {
        Version::Two => kind == "cgroup2",
        Version::One => kind == "cgroup" && options.split(',').any(|name| name == "cpu"),
    };
    wanted.then_some((root, mount_point))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str =
        "31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1: [&str; 2] = [
        "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
        "33 25 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct",
    ];

    fn directories(membership: &str, mounts: &str) -> Vec<String> {
        groups(membership, mounts).iter().map(|g| g.directory.display().to_string()).collect()
    }

    #[test]
    fn the_quota_files_of_both_versions_are_read() {
        assert_eq!(Quota::from_cpu_max("150000 100000\n").unwrap().cpus(), 2);
        assert_eq!(Quota::from_cpu_max("max 100000\n"), None);
        assert_eq!(Quota::from_cfs("50000\n", "100000\n").unwrap().cpus(), 1);
        assert_eq!(Quota::from_cfs("-1\n", "100000\n"), None);
    }

    #[test]
    fn broken_quota_files_are_no_quota() {
        for text in ["", "max", "1", "0 0", "100000 0", "x y", "1 2 3", "-5 100000"] {
            assert_eq!(Quota::from_cpu_max(text), None, "{text:?}");
        }
        assert_eq!(Quota::from_cfs("100000", "0"), None);
    }

    #[test]
    fn in_version_two_each_level_up_to_the_mount_counts() {
        assert_eq!(
            directories("0::/app.slice/api.service\n", V2),
            ["/sys/fs/cgroup/app.slice/api.service", "/sys/fs/cgroup/app.slice", "/sys/fs/cgroup/"]
        );
        assert_eq!(directories("0::/\n", V2), ["/sys/fs/cgroup/"]);
    }

    #[test]
    fn a_group_outside_of_the_visible_part_counts_from_the_top_of_the_mount() {
        assert_eq!(directories("0::/../../other\n", V2), ["/sys/fs/cgroup/"]);
    }

    #[test]
    fn in_version_one_only_the_cpu_controller_counts_and_the_mounts_root_is_taken_off() {
        let membership =
            "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc/inner\n1:name=systemd:/\n";
        assert_eq!(
            directories(membership, &V1.join("\n")),
            ["/sys/fs/cgroup/cpu,cpuacct/inner", "/sys/fs/cgroup/cpu,cpuacct/"]
        );
    }

    #[test]
    fn without_a_mount_there_is_no_quota() {
        assert_eq!(directories("0::/a\n4:cpu:/a\n", ""), Vec::<String>::new());
        assert_eq!(directories("", V2), Vec::<String>::new());
        assert_eq!(directories("garbage\n::\n", "garbage - \n - - -\n"), Vec::<String>::new());
    }

    #[test]
    fn a_groups_quota_is_read_from_its_own_files() {
        let one = Group { version: Version::One, directory: "/g".into() };
        let quota = one.quota(|path| match path.to_str() {
            Some("/g/cpu.cfs_quota_us") => Some("250000".to_owned()),
            Some("/g/cpu.cfs_period_us") => Some("100000".to_owned()),
            _ => None,
        });
        assert_eq!(quota.unwrap().cpus(), 3);

        let two = Group { version: Version::Two, directory: "/g".into() };
        let quota = two.quota(|path| {
            assert_eq!(path, Path::new("/g/cpu.max"));
            Some("max 100000".to_owned())
        });
        assert_eq!(quota, None);
    }
}
