//! Errors of the library as one line.

use std::error::Error;

/// The error and its causes, the outermost first. A cause that the text before it has told already is left out.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use super::*;

    #[derive(Debug)]
    struct Outer {
        text: &'static str,
        cause: io::Error,
    }

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.text)
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.cause)
        }
    }

    #[test]
    fn each_cause_is_told_once() {
        for text in ["cannot start x", "cannot start x: no room"] {
            let error = Outer { text, cause: io::Error::other("no room") };
            assert_eq!(chain(&error), "cannot start x: no room");
        }
    }
}
