//! Which worker answered, and how often each did.

use std::collections::{BTreeMap, HashMap};

use super::response::{Response, find};

/// So many workers are told apart; further ones are counted together.
const MAX_WORKERS: usize = 1 << 16;
/// A worker's name is not longer than this, in bytes.
const MAX_NAME: usize = 64;
/// The name under which answers are counted that do not say who gave them.
const UNNAMED: &[u8] = b"unnamed";
/// The name for all workers beyond [`MAX_WORKERS`].
const BEYOND: &[u8] = b"others";

/// How to find the worker's name in an answer.
#[derive(Clone, Debug)]
pub(super) struct WorkerKeys(Vec<Vec<u8>>);

impl Default for WorkerKeys {
    fn default() -> Self {
        Self(vec![b"worker".to_vec(), b"pid".to_vec()])
    }
}

impl WorkerKeys {
    pub(super) fn only(key: &str) -> Self {
        Self(vec![key.as_bytes().to_vec()])
    }

    /// The header `x-worker` if there is one, else what follows the first key that the body holds.
    pub(super) fn name<'a>(&self, response: &'a Response) -> &'a [u8] {
        let body = response.body_window();
        let in_body = || self.0.iter().find_map(|key| follows(body, key));
        bounded(response.worker_header().or_else(in_body).unwrap_or(UNNAMED))
    }
}

/// The generation, where the answer has the header `x-generation`.
pub(super) fn generation(response: &Response) -> Option<&[u8]> {
    response.generation_header().map(bounded)
}

fn bounded(name: &[u8]) -> &[u8] {
    &name[..name.len().min(MAX_NAME)]
}

/// Counts by worker, or by generation.
#[derive(Clone, Debug, Default)]
pub(super) struct Share(HashMap<Vec<u8>, u64>);

impl Share {
    pub(super) fn count(&mut self, name: &[u8]) {
        // The look-up by reference comes first: no allocation for a worker that is known.
        if let Some(count) = self.0.get_mut(name) {
            *count += 1;
            return;
        }
        let name = if self.0.len() < MAX_WORKERS { name } else { BEYOND };
        *self.0.entry(name.to_vec()).or_default() += 1;
    }

    pub(super) fn into_map(self) -> BTreeMap<String, u64> {
        let named =
            |(name, count): (Vec<u8>, u64)| (String::from_utf8_lossy(&name).into_owned(), count);
        self.0.into_iter().map(named).collect()
    }
}

/// The word behind `key`, whatever stands between: `worker 3`, `"worker":3`, `pid=77`, `worker #2`.
fn follows<'a>(body: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let behind = &body[find(body, key)? + key.len()..];
    let start = behind.iter().position(|byte| !b" \t=:#\"'".contains(byte))?;
    let word = &behind[start..];
    let end = word.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_.".contains(byte)));
    Some(&word[..end.unwrap_or(word.len())]).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::follows;

    #[test]
    fn the_word_behind_the_key_is_found_in_text_and_in_json() {
        for (body, key, word) in [
            ("hello from worker 3\n", "worker", Some("3")),
            ("{\"worker\":12,\"pid\":9}", "worker", Some("12")),
            ("{\"worker\": \"a-1\"}", "worker", Some("a-1")),
            ("pid=4711 ok", "pid=", Some("4711")),
            ("worker #2", "worker", Some("2")),
            ("worker", "worker", None),
            ("worker (none)", "worker", None),
            ("hello", "worker", None),
        ] {
            assert_eq!(follows(body.as_bytes(), key.as_bytes()), word.map(str::as_bytes), "{body}");
        }
    }
}
