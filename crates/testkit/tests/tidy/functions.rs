//! Functions by indentation: the sources are formatted, so a function ends at the brace below its `fn`.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: usize,
}

/// Every function with a body, in order. Those inside macros and strings are counted alike.
pub(crate) fn lengths(text: &str) -> Vec<Function> {
    let lines: Vec<_> = text.lines().collect();
    let starts = lines.iter().enumerate().filter_map(|(at, line)| Some((at, name(line)?)));
    starts.filter_map(|(at, name)| Some(Function { name, lines: length(&lines[at..])? })).collect()
}

fn name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    loop {
        let (word, after) = rest.split_once(' ')?;
        match word {
            "fn" => return Some(after.split(['(', '<']).next()?.to_owned()),
            "pub" | "async" | "const" | "unsafe" | "pub(crate)" | "pub(super)" => rest = after,
            _ => return None,
        }
    }
}

/// `None` for a declaration without a body.
fn length(lines: &[&str]) -> Option<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[0]);
    let opened = lines.iter().position(|line| line.trim_end().ends_with(['{', ';', '}']))?;
    let head = lines[opened].trim_end();
    if head.ends_with(';') {
        return None;
    }
    if head.ends_with('}') {
        return Some(opened + 1);
    }
    let ends = |line: &&str| indent(line) == own && line.trim_start().starts_with('}');
    Some(opened + 2 + lines[opened + 1..].iter().position(ends)?)
}

#[test]
fn a_function_is_counted_from_its_name_to_its_brace() {
    let text = "impl A {\n    pub(crate) fn b(\n        c: u8,\n    ) -> u8 {\n        c\n    }\n}\nfn d() {}\nfn e();\n";
    let expected =
        [Function { name: "b".into(), lines: 5 }, Function { name: "d".into(), lines: 1 }];
    assert_eq!(lengths(text), expected);
}
