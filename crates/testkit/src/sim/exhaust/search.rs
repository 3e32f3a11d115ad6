//! All words up to a length, the short ones first, so that what is found is found in its shortest form.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZero;
use std::thread;

use super::letter::Letter;
use super::world::{Small, Texts};
use crate::sim::Mutation;
use crate::sim::report::Broken;

/// A word: the places of its letters in the alphabet.
type Word = Box<[u8]>;

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explored {
    /// How long the longest words were.
    pub depth: usize,
    /// Different states.
    pub states: u64,
    /// Letters that were said in them.
    pub transitions: u64,
}

/// A word that breaks a promise, with what it breaks.
#[derive(Debug, Clone)]
pub struct Found {
    /// What happens.
    pub word: Vec<Letter>,
    /// What is broken then.
    pub broken: Broken,
}

/// Says all words up to this length to a machine with this fault, or without one.
///
/// # Errors
/// A shortest word that breaks a promise.
///
/// # Panics
/// When the machine does.
pub fn explore(depth: usize, mutation: Option<Mutation>) -> Result<Explored, Box<Found>> {
    let alphabet = Letter::alphabet();
    let mut texts = Texts::default();
    let mut known = HashSet::from([Small::new(mutation).state(&mut texts)]);
    let mut frontier: Vec<Word> = vec![Box::default()];
    let mut explored = Explored { depth, states: 1, transitions: 0 };
    for _ in 0..depth {
        let mut next = Vec::new();
        for part in in_parallel(&frontier, |words| extend(words, &alphabet, &known, mutation)) {
            let part = part?;
            explored.transitions += part.transitions;
            next.extend(part.states.into_iter().filter(|it| known.insert(it.0)).map(|it| it.1));
        }
        frontier = next;
    }
    explored.states = known.len() as u64;
    Ok(explored)
}

/// What a share of the words led to.
struct Part {
    transitions: u64,
    states: Vec<(u64, Word)>,
}

/// Says each of these words with each letter more that can come.
fn extend(
    words: &[Word],
    alphabet: &[Letter],
    known: &HashSet<u64>,
    mutation: Option<Mutation>,
) -> Result<Part, Box<Found>> {
    let mut part = Part { transitions: 0, states: Vec::new() };
    let (mut texts, mut mine) = (Texts::default(), HashSet::new());
    for word in words {
        let letters: Vec<_> = word.iter().map(|at| alphabet[usize::from(*at)]).collect();
        let mut ready = Some(said(&letters, mutation));
        for (at, letter) in (0u8..).zip(alphabet) {
            // The machine cannot be copied: for each letter the word is said once more.
            let mut small = ready.take().unwrap_or_else(|| said(&letters, mutation));
            if !small.may(*letter) {
                ready = Some(small);
                continue;
            }
            part.transitions += 1;
            small.step(*letter).map_err(|broken| {
                let word = letters.iter().chain([letter]).copied().collect();
                Box::new(Found { word, broken })
            })?;
            let state = small.state(&mut texts);
            if !known.contains(&state) && mine.insert(state) {
                part.states.push((state, word.iter().copied().chain([at]).collect()));
            }
        }
    }
    Ok(part)
}

/// A world to which this word was said, which broke nothing before.
fn said(letters: &[Letter], mutation: Option<Mutation>) -> Small {
    let mut small = Small::new(mutation);
    for letter in letters {
        small.say(*letter).expect("a word does the same each time");
    }
    small
}

/// Shares the words among as many threads as there are processors.
fn in_parallel<T: Send>(words: &[Word], act: impl Fn(&[Word]) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = words.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let act = &act;
        let handles: Vec<_> =
            words.chunks(share).map(|words| scope.spawn(move || act(words))).collect();
        let join = |it: thread::ScopedJoinHandle<'_, T>| {
            it.join().expect("a thread that panics fails the test")
        };
        handles.into_iter().map(join).collect()
    })
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { depth, states, transitions } = self;
        write!(f, "all words of up to {depth} letters: {states} states, {transitions} transitions")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} is broken: {}", self.broken.check, self.broken.what)?;
        self.word.iter().try_for_each(|it| writeln!(f, "  {it}"))
    }
}
