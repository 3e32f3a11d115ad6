//! The text of a state without what decides nothing, so that states that are alike have one text.
//!
//! Times are counted from now, and what is past for longer than anything looks back is just past. Numbers of connections
//! and of offers are given anew in the order in which they appear, which keeps who is who; the order among connections is
//! that of the machine's own map of them. Of how much workers were given the difference is left, and of whose turn was
//! last the order: more the policy does not look at. What is only counted, what is worked out before each use, and what is
//! the same in every state is left out.

use std::fmt::Write;
use std::time::Duration;

use portcrew_core::{Limits, Time};

/// Reads the texts of one state.
pub(super) struct Reader<'a> {
    rest: &'a str,
    now: Time,
    /// How far back an offer is looked at, and a connection.
    back: (Duration, Duration),
    least_share: u64,
    turns: Vec<u64>,
    conns: Vec<&'a str>,
    /// With whose they are: each worker counts its own.
    offers: Vec<(&'a str, &'a str)>,
    /// Whose number the next is.
    worker: &'a str,
    holders: Vec<&'a str>,
    /// How many of the holders' paces were read.
    paces: usize,
}

fn numbers(text: &str, field: &str) -> Vec<u64> {
    let after = text.match_indices(field).map(|(at, _)| &text[at + field.len()..]);
    after.map(number).collect()
}

fn number(text: &str) -> u64 {
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().unwrap_or(0)
}

impl<'a> Reader<'a> {
    pub(super) fn new(now: Time, limits: &Limits) -> Self {
        let back = (limits.slow + Duration::from_nanos(1), limits.held_for);
        Self {
            rest: "",
            now,
            back,
            least_share: 0,
            turns: Vec::new(),
            conns: Vec::new(),
            offers: Vec::new(),
            worker: "",
            holders: Vec::new(),
            paces: 0,
        }
    }

    /// Appends what is left of the machine's text, which ends with what it has counted.
    pub(super) fn machine(&mut self, text: &'a str, out: &mut String) {
        let begin = text.find(", workers: ").unwrap_or(0);
        let end = text.rfind(", ledger: ").unwrap_or(text.len());
        let text = &text[begin..end];
        self.least_share = numbers(text, " share: ").into_iter().min().unwrap_or(0);
        self.turns = numbers(text, "last_given: ");
        self.turns.sort_unstable();
        self.read(text, out);
    }

    /// Appends what is left of another text, in which the same numbers mean the same.
    pub(super) fn read(&mut self, text: &'a str, out: &mut String) {
        self.rest = text;
        while !self.rest.is_empty() {
            self.word(out);
        }
    }

    /// Reads one word, and what belongs to it.
    fn word(&mut self, out: &mut String) {
        let bytes = self.rest.as_bytes();
        let is_word = |it: u8| it.is_ascii_alphabetic() || it == b'_';
        let mut begin = 0;
        while begin < bytes.len() && !is_word(bytes[begin]) {
            begin += 1;
        }
        let mut end = begin;
        while end < bytes.len() && is_word(bytes[end]) {
            end += 1;
        }
        let length = end - begin;
        out.push_str(self.take(begin));
        let word = self.take(length);
        match word {
            "ConnId" => {
                let conn = self.inner();
                let _ = write!(out, "c{}", place(&mut self.conns, conn));
            }
            "Seq" => {
                let offer = (self.worker, self.inner());
                let _ = write!(out, "s{}", place(&mut self.offers, offer));
            }
            "WorkerId" => {
                self.worker = self.inner();
                let _ = write!(out, "w{}", self.worker);
            }
            // The views of the holders come first, and then in the same order how they answer.
            "WorkerView" => {
                let worker = self.rest.find('(').map_or("", |at| &self.rest[at + 1..]);
                self.holders.push(&worker[..worker.find(')').unwrap_or(0)]);
            }
            "Holding" => {
                self.worker = self.holders.get(self.paces).copied().unwrap_or("");
                self.paces += 1;
            }
            _ if self.rest.starts_with(": ") => self.field(word, out),
            "Time" => self.time(self.back.1, out),
            _ => out.push_str(word),
        }
    }

    fn field(&mut self, name: &str, out: &mut String) {
        match name {
            "key" | "query" | "listener" | "origin" | "peer" | "local" | "source" | "route"
            | "sight" | "look" | "seat" | "generation" | "by_key" | "counts" | "told"
            | "deepest" | "given" | "turns" | "next_seq" | "state" | "data" | "counting"
            | "rule" | "live" | "is_silent" | "telling" | "latency" | "held_up" | "cpu"
            | "accepted" | "taken" | "was_shared" | "failed_last" | "shedding" | "ended_dying"
            | "uncounted" | "accepts_itself" => {
                self.value();
            }
            "share" => {
                let share = number(&self.value()[2..]);
                let _ = write!(out, "share {}", share - self.least_share);
            }
            "last_given" => {
                let turn = number(&self.value()[2..]);
                let _ = write!(out, "turn {:?}", self.turns.binary_search(&turn).ok());
            }
            // Since when an answer is owed.
            "at" | "since" if self.rest.starts_with(": Time") => {
                self.take(": Time".len());
                self.time(self.back.0, out);
            }
            _ => out.push_str(name),
        }
    }

    fn time(&mut self, back: Duration, out: &mut String) {
        let (since, now) = (duration(self.inner()), self.now.since_origin());
        let _ = match since.checked_sub(now) {
            Some(to_come) => write!(out, "+{}", to_come.as_nanos()),
            None => write!(out, "-{}", now.saturating_sub(since).min(back).as_nanos()),
        };
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// What stands in the parentheses that begin here.
    fn inner(&mut self) -> &'a str {
        let taken = self.take(self.rest.find(')').map_or(self.rest.len(), |it| it + 1));
        taken.trim_start_matches('(').trim_end_matches(')')
    }

    /// The value of a field, up to the comma or bracket that ends it.
    fn value(&mut self) -> &'a str {
        let (mut depth, mut end, bytes) = (0, 0, self.rest.as_bytes());
        while end < bytes.len() {
            match bytes[end] {
                b'{' | b'[' | b'(' => depth += 1,
                b'}' | b']' | b')' if depth == 0 => break,
                b'}' | b']' | b')' => depth -= 1,
                b',' if depth == 0 => break,
                _ => {}
            }
            end += 1;
        }
        self.take(end)
    }
}

fn place<T: PartialEq>(known: &mut Vec<T>, it: T) -> usize {
    known.iter().position(|other| *other == it).unwrap_or_else(|| {
        known.push(it);
        known.len() - 1
    })
}

/// A time as it is printed.
fn duration(text: &str) -> Duration {
    let unit = text.trim_start_matches(|it: char| it.is_ascii_digit() || it == '.');
    let (whole, part) = text[..text.len() - unit.len()]
        .split_once('.')
        .unwrap_or_else(|| (&text[..text.len() - unit.len()], ""));
    let nanos: u64 = match unit {
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "µs" => 1_000,
        _ => 1,
    };
    let digits = u32::try_from(part.len()).unwrap_or(0);
    let part = number(part) * (nanos / 10u64.saturating_pow(digits).max(1));
    Duration::from_nanos(number(whole) * nanos + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(text: &str, now: u64) -> String {
        let mut limits = Limits::default();
        limits.held_for = Duration::from_millis(8);
        let now = Time::from_origin(Duration::from_millis(now));
        let mut out = String::new();
        Reader::new(now, &limits).machine(text, &mut out);
        out
    }

    #[test]
    fn times_are_counted_from_now_and_not_further_back_than_anybody_looks() {
        assert_eq!(canon("until: Time(3.25ms), b: Time(1s)", 3), "until: +250000, b: +997000000");
        assert_eq!(canon("Time(1.5µs) Time(20ns)", 1), "-998500 -999980");
        assert_eq!(canon("Time(1ms)", 90), canon("Time(2ms)", 90));
        assert_ne!(canon("Time(82ms)", 90), canon("Time(83ms)", 90));
        assert_eq!(canon("at: Time(60ms)", 90), canon("at: Time(61ms)", 90));
    }

    #[test]
    fn numbers_are_given_anew_and_stay_who_they_are() {
        let text = "{WorkerId(1): {Seq(7): ConnId(5)}, WorkerId(2): {Seq(7): ConnId(3)}} ConnId(5)";
        assert_eq!(canon(text, 0), "{w1: {s0: c0}, w2: {s1: c1}} c0");
    }

    #[test]
    fn the_pace_of_a_holder_counts_its_own_offers() {
        let text = "WorkerId(1) Seq(4) WorkerId(2) Seq(4) [WorkerView { worker: WorkerId(1) }, \
                    WorkerView { worker: WorkerId(2) }] [Holding Seq(4), Holding Seq(4)]";
        assert!(canon(text, 0).ends_with("[ s0,  s1]"), "{}", canon(text, 0));
    }

    #[test]
    fn what_decides_nothing_is_left_out() {
        let text = "{ counts: Counts { asked: 1, given: 2 }, share: 5, last_given: 9, given: 5 }, \
                    { share: 7, last_given: 4, latency: Some(1ms) }, ledger: 1";
        let other = "{ counts: Counts { asked: 4, given: 4 }, share: 1, last_given: 3, given: 1 }, \
                     { share: 3, last_given: 2, latency: Some(2ms) }, ledger: 2";
        assert_eq!(canon(text, 0), canon(other, 0));
        assert!(!canon(text, 0).contains("asked"));
        assert_ne!(canon(text, 0), canon(&other.replace("last_given: 3", "last_given: 1"), 0));
    }
}
