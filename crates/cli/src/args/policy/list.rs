//! The whole value: items separated by commas, each POLICY or LISTENER=POLICY.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use portcrew::ListenerName;

use super::{Policy, listener, name};
use crate::output::words::policies as words;

/// What `--policy` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policies {
    /// For all listeners that have none of their own.
    pub(crate) common: Option<Policy>,
    /// For single listeners, in the order in which they are written; no name is in it twice.
    pub(crate) own: Vec<(ListenerName, Policy)>,
}

impl Policies {
    /// Whether one is of a listener by a path that is seen from a directory.
    pub(crate) fn have_relative_path(&self) -> bool {
        let is_relative = |it: &ListenerName| matches!(it, ListenerName::Path(path) if Path::new(path).is_relative());
        self.own.iter().any(|(listener, _)| is_relative(listener))
    }

    fn add(&mut self, item: &str) -> Result<(), String> {
        let (listener, policy) = read(item)?;
        match (listener, &self.common) {
            (None, None) => self.common = Some(policy),
            (None, Some(first)) => return Err(words::two_for_all(first, &policy)),
            (Some(listener), _) => {
                if self.own.iter().any(|(other, _)| *other == listener) {
                    return Err(words::listener_twice(&listener));
                }
                self.own.push((listener, policy));
            }
        }
        Ok(())
    }
}

impl FromStr for Policies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut policies = Self::default();
        for item in text.split(',') {
            policies.add(item.trim())?;
        }
        Ok(policies)
    }
}

/// As it would be written.
impl fmt::Display for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let common = self.common.iter().map(ToString::to_string);
        let own = self.own.iter().map(|(listener, policy)| format!("{listener}={policy}"));
        f.write_str(&common.chain(own).collect::<Vec<_>>().join(","))
    }
}

/// One item. What stands before its first `=` is a listener unless it is a policy.
fn read(item: &str) -> Result<(Option<ListenerName>, Policy), String> {
    let (head, rest) = item.split_once('=').unwrap_or((item, ""));
    if item.is_empty() {
        return Err(words::empty_item());
    }
    if name::is_known(head) {
        return Ok((None, item.parse()?));
    }
    match listener::split(item) {
        Some((_, "")) => Err(words::no_policy(item)),
        Some((listener, policy)) if listener::looks_like_one(listener) => {
            let listener = listener::parse(listener)?;
            let policy = policy.parse::<Policy>();
            let policy = policy.map_err(|reason| words::of_listener(&listener, &reason))?;
            Ok((Some(listener), policy))
        }
        Some((listener, policy)) if name::is_known(name::head(policy)) => {
            Err(words::not_a_listener(listener))
        }
        None if listener::looks_like_one(item) => Err(words::no_policy(item)),
        // It is a mistyped policy, with or without parameters.
        Some(_) | None => Err(name::unknown(head, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Policies, String> {
        text.parse()
    }

    #[test]
    fn what_is_read_is_written_the_same_way() {
        for text in [
            "round-robin",
            "least-connections",
            "shared",
            "sticky",
            "sticky=cookie:sid",
            "sticky=header:X-Session+v4:24+v6:56",
            "sticky=query:sid+proxy+wait:500ms",
            "8080=sticky",
            "8080=sticky=cookie:sid+wait:2s,9090=least-connections",
            "shared,8080=round-robin,/run/a.sock=sticky=proxy,fd:3=least-connections",
            "./app.sock=shared,run/b.sock=round-robin",
            // A path may contain what elsewhere has a meaning.
            "/run/a=b.sock=shared",
            "/run/sticky=1/a.sock=sticky=query:a/b",
        ] {
            assert_eq!(parse(text).map(|it| it.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn spaces_around_items_and_nodes_own_names_are_understood() {
        let read = parse(" rr , 8080=none").unwrap();
        assert_eq!(read.to_string(), "round-robin,8080=shared");
    }

    #[test]
    fn listeners_are_told_from_policies() {
        let read = parse("8080=shared,fd:3=shared,a/b=shared,sticky=wait:0").unwrap();
        let names: Vec<_> = read.own.iter().map(|(name, _)| name.clone()).collect();
        let path = ListenerName::Path("a/b".to_owned());
        assert_eq!(names, [ListenerName::Port(8080), ListenerName::Fd(3), path]);
        assert!(matches!(read.common, Some(Policy::Sticky(_))));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_own_reason() {
        for (text, reason) in [
            ("", "an empty item"),
            ("sticky,", "an empty item"),
            ("rr,,shared", "an empty item"),
            ("8080=sticky,8080=shared", "`8080` is named twice"),
            ("/a=shared,/a=sticky", "`/a` is named twice"),
            ("rr,sticky", "`round-robin` and `sticky` are both for all listeners"),
            ("8080", "`8080` says no policy"),
            ("8080:sticky", "`8080:sticky` says no policy"),
            ("/run/a.sock", "`/run/a.sock` says no policy"),
            ("8080=", "`8080=` says no policy"),
            ("0=sticky", "port 0"),
            ("70000=sticky", "1 to 65535"),
            ("localhost:8080=sticky", "`localhost:8080` is no listener"),
            ("127.0.0.1:8080=sticky", "`127.0.0.1:8080` is no listener"),
            ("app.sock=sticky", "`app.sock` is no listener"),
            ("fd:x=sticky", "`fd:x`"),
            ("fd:-1=sticky", "`fd:-1`"),
            ("stikcy=cookie:sid", "there is no policy `stikcy`. Did you mean `sticky`?"),
            ("8080=shard", "for 8080: there is no policy `shard`. Did you mean `shared`?"),
            ("rr,./a.sock=sticky=cookies:a", "for ./a.sock: sticky has no parameter `cookies`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
