//! Sockets that systemd, or who speaks as it does, has passed to this process (sd_listen_fds(3)).

use portcrew_ipc::contract::{LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID};

/// The first descriptor that is passed so.
const FIRST: i32 = 3;

/// Descriptors that are believed to be passed: the number comes from outside.
const MOST: i32 = 1_024;

/// What a socket is called that nobody has named.
pub(crate) const UNKNOWN: &str = "unknown";

/// The descriptors that were passed to this process under a name, in their order.
///
/// # Errors
///
/// Why there is none, in words.
pub(crate) fn passed(name: &str) -> Result<Vec<i32>, String> {
    Variables::read().passed(name, std::process::id())
}

/// What was said of them.
#[derive(Debug, Default)]
struct Variables {
    count: Option<String>,
    pid: Option<String>,
    names: Option<String>,
}

impl Variables {
    fn read() -> Self {
        let read = |name| std::env::var(name).ok();
        Self { count: read(LISTEN_FDS), pid: read(LISTEN_PID), names: read(LISTEN_FDNAMES) }
    }

    fn passed(&self, name: &str, own: u32) -> Result<Vec<i32>, String> {
        let Some(count) = &self.count else {
            return Err("LISTEN_FDS is not set, so no socket was passed to this process; is there a socket unit, and is \
                        it what started the service?"
                .to_owned());
        };
        // A process between systemd and this one would have left its own variables behind.
        let is_ours = self.pid.as_ref().is_some_and(|pid| pid.parse() == Ok(own));
        if !is_ours {
            let pid = self.pid.as_deref().unwrap_or("not set");
            return Err(format!(
                "the sockets were passed to another process: LISTEN_PID is {pid}, and this process is {own}; start it \
                 without a shell or another program between, or by `exec`"
            ));
        }
        let count = count.parse().ok().filter(|count| (1..=MOST).contains(count));
        let count = count.ok_or_else(|| format!("LISTEN_FDS is no number from 1 to {MOST}"))?;
        let names: Vec<&str> = self.names.iter().flat_map(|names| names.split(':')).collect();
        let named = |place: usize| names.get(place).copied().unwrap_or(UNKNOWN);
        let all = (FIRST..FIRST + count).enumerate();
        let found: Vec<i32> =
            all.filter(|(place, _)| named(*place) == name).map(|(_, fd)| fd).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let mut there: Vec<&str> = (0..count).zip(0..).map(|(_, place)| named(place)).collect();
        there.dedup();
        Err(format!(
            "no socket of this name was passed; there is: {}. FileDescriptorName= in the socket unit names it",
            there.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 7;

    fn passed(count: &str, pid: &str, names: &str, name: &str) -> Result<Vec<i32>, String> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Variables { count: text(count), pid: text(pid), names: text(names) }.passed(name, OWN)
    }

    #[test]
    fn a_name_is_that_of_all_sockets_of_its_unit() {
        assert_eq!(passed("3", "7", "web:admin:web", "web"), Ok(vec![3, 5]));
        assert_eq!(passed("3", "7", "web:admin:web", "admin"), Ok(vec![4]));
        assert_eq!(passed("2", "7", "", "unknown"), Ok(vec![3, 4]), "nobody has named them");
    }

    #[test]
    fn what_was_passed_to_nobody_or_to_somebody_else_is_refused_with_the_reason() {
        for (count, pid, names, part) in [
            ("", "", "", "LISTEN_FDS is not set"),
            ("1", "8", "web", "LISTEN_PID is 8, and this process is 7"),
            ("1", "", "web", "LISTEN_PID is not set"),
            ("1", "seven", "web", "LISTEN_PID is seven"),
            ("0", "7", "web", "no number from 1 to 1024"),
            ("-1", "7", "web", "no number from 1 to 1024"),
            ("9999999", "7", "web", "no number from 1 to 1024"),
            ("2", "7", "web:web", "there is: web. FileDescriptorName="),
            ("2", "7", "", "there is: unknown"),
        ] {
            let reason = passed(count, pid, names, "api").unwrap_err();
            assert!(reason.contains(part), "{count} {pid} {names}: {reason}");
        }
    }
}
