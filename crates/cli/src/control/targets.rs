//! From what the user writes to names of crews: names, `all`, patterns. A primary's pid was made a name before.

use crate::args::{ALL, nearest};
use crate::output::words::commands as words;

/// What a target means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meant {
    /// The crew of this name.
    Crew(String),
    /// No crew, and why: with the nearest name, if one is near.
    Nobody { target: String, words: String },
}

/// What is meant of these names, in order and each crew once.
pub(crate) fn choose(targets: &[String], names: &[String]) -> Vec<Meant> {
    let mut chosen = Vec::new();
    for target in targets {
        let mut meant = names.iter().filter(|name| means(target, name)).peekable();
        if meant.peek().is_none() {
            let words = nobody(target, names);
            chosen.push(Meant::Nobody { target: target.clone(), words });
        }
        for name in meant {
            let crew = Meant::Crew(name.clone());
            if !chosen.contains(&crew) {
                chosen.push(crew);
            }
        }
    }
    chosen
}

fn nobody(target: &str, names: &[String]) -> String {
    if names.is_empty() {
        return words::no_crews();
    }
    let near = nearest(target, names.iter().map(String::as_str));
    words::no_such_crew(target, near, is_pattern(target))
}

fn is_pattern(target: &str) -> bool {
    target.contains(['*', '?'])
}

/// No crew is called `all`.
fn means(target: &str, name: &str) -> bool {
    target == ALL || target == name || (is_pattern(target) && matches(target, name))
}

/// `*` is any text, `?` is any one character. Names are ASCII. After a mismatch the last star takes one more: no
/// pattern takes longer than the product of both lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(it) if *it == b'?' || *it == name[n] => (p, n) = (p + 1, n + 1),
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|it| *it == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Crews by their names, and what is said of other targets.
    fn choose(targets: &[&str], names: &[&str]) -> Vec<String> {
        let owned = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let meant = super::choose(&owned(targets), &owned(names)).into_iter();
        meant
            .map(|it| match it {
                Meant::Crew(text) | Meant::Nobody { words: text, .. } => text,
            })
            .collect()
    }

    #[test]
    fn names_patterns_and_all_mean_crews_and_none_twice() {
        let names = ["api", "api-v2", "shop"];
        assert_eq!(choose(&["shop", "api"], &names), ["shop", "api"]);
        assert_eq!(choose(&["api*", "api", "all"], &names), ["api", "api-v2", "shop"]);
        assert_eq!(choose(&["?hop"], &names), ["shop"]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let names = ["api", "shop"];
        assert!(choose(&["apo"], &names)[0].contains("Did you mean api?"));
        assert!(choose(&["shpo"], &names)[0].contains("Did you mean shop?"));
        assert!(!choose(&["database"], &names)[0].contains("Did you mean"));
        assert!(choose(&["x*"], &names)[0].contains("matches"));
        assert_eq!(choose(&["all"], &[]), [words::no_crews()]);
    }

    #[test]
    fn an_unknown_name_does_not_hide_those_beside_it() {
        let chosen = choose(&["api", "apo", "shop"], &["api", "shop"]);
        assert_eq!((chosen[0].as_str(), chosen[2].as_str()), ("api", "shop"));
        assert!(chosen[1].contains("there is no crew apo"));
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("*a*b*", "xxaxxbxx", true),
            ("?", "", false),
            ("a?", "ab", true),
            ("a", "ab", false),
            ("*****a", "aaaaaaaaab", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
