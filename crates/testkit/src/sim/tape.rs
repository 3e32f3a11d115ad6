//! The choices of one run, in parts: they can be made again, changed, written down and read.
//!
//! Each step has choices of its own. Whoever takes a step away, or makes one choose less, leaves the others what they
//! were. Too few choices are filled up with zeros, without faults by chance, and one that is too large for what is asked
//! now counts from zero again: every tape is a run of every world, whatever becomes of the world's plan.

use std::fmt;
use std::str::FromStr;

/// One choice: a number, and below what it had to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What was chosen.
    pub value: u64,
    /// How many could have been.
    pub of: u64,
}

/// All choices of a run: first those of its beginning, then those of each step, last those without faults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tape {
    /// The parts. A run has two at least.
    pub parts: Vec<Vec<Choice>>,
    /// The last part is that without faults.
    pub ended: bool,
}

impl Tape {
    /// How many steps it is long.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.parts.len().saturating_sub(1 + usize::from(self.ended))
    }

    /// How many choices were made.
    #[must_use]
    pub fn choices(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }

    /// What is simpler is less: fewer steps, then fewer choices, then lower ones.
    #[must_use]
    pub fn weight(&self) -> (usize, usize, u128) {
        let all = self.parts.iter().flatten();
        (self.steps(), self.choices(), all.map(|it| u128::from(it.value)).sum())
    }

    /// How many choices were made among as many as the other's were.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let bounds = |it: &Self| {
            let all = it.parts.iter();
            all.map(|part| part.iter().map(|it| it.of).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        bounds(self) == bounds(other)
    }
}

/// Choices as they are made: those of a tape while there is one, and all of them written down.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// What is to be chosen; none for the chance of a seed.
    given: Option<Tape>,
    part: usize,
    at: usize,
    made: Tape,
}

impl Recorder {
    /// Of a run by chance, or by this tape.
    #[must_use]
    pub fn new(given: Option<Tape>) -> Self {
        let made = Tape { parts: vec![Vec::new()], ended: false };
        Self { given, part: 0, at: 0, made }
    }

    /// The next choice among so many; chance has drawn this one. Among one there is none.
    pub fn choose(&mut self, of: u64, drawn: u64) -> u64 {
        if of == 1 {
            return 0;
        }
        let value = match &self.given {
            None => drawn % of,
            Some(tape) => {
                let part = tape.parts.get(self.part);
                // Nothing comes to rest where the same one acts always: without faults it is chance that goes on.
                let beyond = if self.made.ended { drawn % of } else { 0 };
                part.and_then(|it| it.get(self.at)).map_or(beyond, |it| it.value % of)
            }
        };
        self.at += 1;
        if let Some(part) = self.made.parts.last_mut() {
            part.push(Choice { value, of });
        }
        value
    }

    /// Another step begins, if there is to be one.
    pub fn step(&mut self) -> bool {
        if self.given.as_ref().is_some_and(|it| self.part >= it.steps()) {
            return false;
        }
        self.begin(self.part + 1);
        true
    }

    /// The part without faults begins.
    pub fn end(&mut self) {
        let last = self.given.as_ref().map_or(self.part + 1, |it| it.steps() + 1);
        self.begin(last);
        self.made.ended = true;
    }

    fn begin(&mut self, part: usize) {
        (self.part, self.at) = (part, 0);
        self.made.parts.push(Vec::new());
    }

    /// What was chosen.
    #[must_use]
    pub fn into_tape(self) -> Tape {
        self.made
    }
}

/// The word before the choices of a step, and before those without faults. The beginning's is `begin`.
const WORDS: [&str; 3] = ["begin", "step", "settle"];

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.parts.len().saturating_sub(1);
        for (at, part) in self.parts.iter().enumerate() {
            let word = match at {
                0 => WORDS[0],
                _ if at == last && self.ended => WORDS[2],
                _ => WORDS[1],
            };
            write!(f, "{word}")?;
            for Choice { value, of } in part {
                write!(f, " {value}/{of}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl FromStr for Tape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut tape = Self::default();
        for line in text.lines().filter(|it| !it.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let word = words.next().unwrap_or_default();
            let expected = if tape.parts.is_empty() { &WORDS[..1] } else { &WORDS[1..] };
            if tape.ended || !expected.contains(&word) {
                return Err(format!("no {word:?} is expected here: {line}"));
            }
            tape.ended = word == WORDS[2];
            tape.parts.push(words.map(choice).collect::<Result<_, _>>()?);
        }
        if tape.parts.is_empty() { Err("there is no beginning".into()) } else { Ok(tape) }
    }
}

fn choice(word: &str) -> Result<Choice, String> {
    let wrong = || format!("{word:?} is no choice: 3/7 is one");
    let (value, of) = word.split_once('/').ok_or_else(wrong)?;
    let number = |it: &str| it.parse().map_err(|_| wrong());
    Ok(Choice { value: number(value)?, of: number(of)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let text = "begin 1/2 0/7\nstep 5/100\nstep\nsettle 0/3\n";
        let tape: Tape = text.parse().unwrap();
        assert_eq!((tape.steps(), tape.choices()), (2, 4));
        assert_eq!(tape.to_string(), text);
    }

    #[test]
    fn what_cannot_be_a_tape_says_so() {
        for text in ["", "step 1/2", "begin 1", "begin\nsettle\nstep", "begin\nbegin"] {
            assert!(text.parse::<Tape>().is_err(), "{text}");
        }
    }

    #[test]
    fn choices_are_made_again_and_filled_up_with_zeros() {
        let tape: Tape = "begin 9/10\nstep 4/5\nsettle 2/3".parse().unwrap();
        let mut recorder = Recorder::new(Some(tape));
        assert_eq!([recorder.choose(10, 7), recorder.choose(10, 7)], [9, 0]);
        assert!(recorder.step());
        assert_eq!(recorder.choose(3, 7), 1);
        assert!(!recorder.step());
        recorder.end();
        assert_eq!(recorder.choose(3, 7), 2);
        let made = "begin 9/10 0/10\nstep 1/3\nsettle 2/3\n";
        assert_eq!(recorder.into_tape().to_string(), made);
    }
}
