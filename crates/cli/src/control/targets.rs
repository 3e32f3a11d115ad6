//! From what the user writes to names of crews: names, `all`, patterns.

use super::crews::Crews;
use crate::args::nearest;
use crate::output::words::commands as words;

/// The names that are meant, in order and each once.
///
/// # Errors
/// In words, for the first target that means no crew: with the nearest name, if one is near.
pub(crate) fn choose(targets: &[String], crews: &Crews) -> Result<Vec<String>, String> {
    let mut chosen = Vec::new();
    for target in targets {
        let before = chosen.len();
        let meant = crews.names.iter().filter(|name| means(target, name));
        let new: Vec<_> = meant.filter(|name| !chosen.contains(*name)).cloned().collect();
        let known = crews.names.iter().any(|name| means(target, name));
        chosen.extend(new);
        if chosen.len() == before && !known {
            return Err(nobody(target, crews));
        }
    }
    Ok(chosen)
}

fn nobody(target: &str, crews: &Crews) -> String {
    if crews.names.is_empty() {
        return words::no_crews();
    }
    let near = nearest(target, crews.names.iter().map(String::as_str));
    words::no_such_crew(target, near, is_pattern(target))
}

fn is_pattern(target: &str) -> bool {
    target.contains(['*', '?'])
}

/// A crew that is called `all` is meant by it too.
fn means(target: &str, name: &str) -> bool {
    target == "all" || target == name || (is_pattern(target) && matches(target, name))
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

    fn crews(names: &[&str]) -> Crews {
        Crews::named(names)
    }

    fn choose(targets: &[&str], names: &[&str]) -> Result<Vec<String>, String> {
        let targets: Vec<_> = targets.iter().map(|it| (*it).to_owned()).collect();
        super::choose(&targets, &crews(names))
    }

    #[test]
    fn names_patterns_and_all_mean_crews_and_none_twice() {
        let names = ["api", "api-v2", "shop"];
        assert_eq!(choose(&["shop", "api"], &names).unwrap(), ["shop", "api"]);
        assert_eq!(choose(&["api*", "api", "all"], &names).unwrap(), ["api", "api-v2", "shop"]);
        assert_eq!(choose(&["?hop"], &names).unwrap(), ["shop"]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let names = ["api", "shop"];
        assert!(choose(&["apo"], &names).unwrap_err().contains("Did you mean api?"));
        assert!(choose(&["shpo"], &names).unwrap_err().contains("Did you mean shop?"));
        assert!(!choose(&["database"], &names).unwrap_err().contains("Did you mean"));
        assert!(choose(&["x*"], &names).unwrap_err().contains("matches"));
        assert_eq!(choose(&["all"], &[]).unwrap_err(), words::no_crews());
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
