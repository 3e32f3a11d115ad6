//! A command line that needs no shell: words, quotes and leading assignments. Everything else is named and left to
//! the shell. Pure.

use super::note::Why;

/// A plain command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// Leading `K=V`.
    pub(super) env: Vec<(String, String)>,
    /// The command and its arguments; never empty.
    pub(super) words: Vec<String>,
}

/// First words that only a shell understands, or that change the shell itself.
const BUILTINS: [&str; 30] = [
    ".", "!", "alias", "bg", "break", "case", "cd", "command", "eval", "exit", "export", "fg",
    "for", "hash", "if", "jobs", "read", "return", "set", "shift", "source", "time", "times",
    "trap", "ulimit", "umask", "unset", "until", "wait", "while",
];

/// Reads a command line as a shell would, as far as that is plain.
///
/// A leading `exec` is dropped, since without a shell there is nothing to replace; a leading `cross-env` too, since
/// all it does is to set the assignments behind it.
///
/// # Errors
/// What only a shell can read.
pub(super) fn parse(line: &str) -> Result<Plain, Why> {
    let mut words = split(line)?.into_iter().peekable();
    let mut env = Vec::new();
    while let Some(word) = words.peek() {
        if let Some((key, value)) = assignment(word) {
            env.push((key.to_owned(), value.to_owned()));
        } else if word.text != "exec" && word.text != "cross-env" {
            break;
        }
        words.next();
    }
    let words: Vec<String> = words.map(|word| word.text).collect();
    match words.first() {
        None => Err(Why::NoCommand),
        Some(first) if BUILTINS.contains(&first.as_str()) => Err(Why::Builtin(first.clone())),
        Some(_) => Ok(Plain { env, words }),
    }
}

struct Word {
    text: String,
    /// Bytes of `text` before its first quoted part: an assignment's name must not be quoted.
    unquoted: usize,
}

fn assignment(word: &Word) -> Option<(&str, &str)> {
    let (key, value) = word.text.split_once('=')?;
    let name = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let starts = key.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    (name && starts && key.len() < word.unquoted).then_some((key, value))
}

fn split(line: &str) -> Result<Vec<Word>, Why> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut rest = line.trim().chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert(Word { text: String::new(), unquoted: 0 });
                quoted(c, &mut rest, &mut word.text)?;
            }
            _ if is_syntax(c, word.is_none()) => return Err(syntax(c)),
            _ => {
                let word = word.get_or_insert(Word { text: String::new(), unquoted: 0 });
                let only_unquoted = word.unquoted == word.text.len();
                word.text.push(c);
                if only_unquoted {
                    word.unquoted = word.text.len();
                }
            }
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads up to the closing quote.
fn quoted(quote: char, rest: &mut std::str::Chars<'_>, text: &mut String) -> Result<(), Why> {
    for c in rest {
        match c {
            _ if c == quote => return Ok(()),
            '$' | '`' | '\\' if quote == '"' => return Err(syntax(c)),
            _ => text.push(c),
        }
    }
    Err(syntax(quote))
}

fn is_syntax(c: char, starts_word: bool) -> bool {
    match c {
        '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '\\' | '*' | '?' | '[' | ']'
        | '{' | '}' | '\n' | '\r' => true,
        '~' | '#' => starts_word,
        _ => false,
    }
}

fn syntax(c: char) -> Why {
    match c {
        '\n' | '\r' => Why::Syntax("more than one line".to_owned()),
        _ => Why::Syntax(format!("`{c}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        parse(line).unwrap().words
    }

    #[test]
    fn words_and_quotes_are_read_as_a_shell_reads_them() {
        assert_eq!(words("node server.js"), ["node", "server.js"]);
        assert_eq!(words("  node\t--x  'a b' \"c d\" "), ["node", "--x", "a b", "c d"]);
        assert_eq!(words("node --a='b c'd ''"), ["node", "--a=b cd", ""]);
        assert_eq!(words("node '$HOME' 'a\\b' x#y a~b"), ["node", "$HOME", "a\\b", "x#y", "a~b"]);
    }

    #[test]
    fn exec_and_assignments_before_the_command_are_understood() {
        let plain = parse("exec A=1 B='x y' C= node s.js D=4").unwrap();
        let pairs = [("A", "1"), ("B", "x y"), ("C", "")];
        assert_eq!(plain.env, pairs.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(plain.words, ["node", "s.js", "D=4"]);
        assert_eq!(words("cross-env NODE_ENV=production node s.js"), ["node", "s.js"]);
    }

    #[test]
    fn a_quoted_name_is_no_assignment() {
        assert_eq!(words("'A'=1 node"), ["A=1", "node"]);
        assert_eq!(words("1A=1 node"), ["1A=1", "node"]);
    }

    #[test]
    fn what_only_a_shell_can_read_is_named() {
        for (line, what) in [
            ("node a.js && node b.js", "`&`"),
            ("node a.js | tee log", "`|`"),
            ("node $FILE", "`$`"),
            ("node \"$FILE\"", "`$`"),
            ("node `x`", "```"),
            ("node a.js; true", "`;`"),
            ("node > log", "`>`"),
            ("node *.js", "`*`"),
            ("node ~/a.js", "`~`"),
            ("node a\\ b", "`\\`"),
            ("node 'a", "`'`"),
            ("node a\nnode b", "more than one line"),
        ] {
            assert_eq!(parse(line), Err(Why::Syntax(what.to_owned())), "{line}");
        }
        assert_eq!(parse("cd x"), Err(Why::Builtin("cd".to_owned())));
        assert_eq!(parse("A=1"), Err(Why::NoCommand));
        assert_eq!(parse(""), Err(Why::NoCommand));
    }
}
