//! Request and reply on top of plain messages.
//!
//! A request is the user message `{"portcrew":"request","id":1,"body":…}` and its reply
//! `{"portcrew":"reply","id":1,"body":…}`, so a worker in any language can ask and answer.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcrew_ipc::message::RawJson;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::{Error, Message, Result};

/// A question from the other end, to be answered with [`reply`](Self::reply).
///
/// Dropping it answers nothing: the asker's deadline ends its wait.
pub struct Request {
    id: u64,
    body: RawJson,
    answer: Arc<dyn Fn(Message) -> Result<()> + Send + Sync>,
}

impl Request {
    /// The question as the type that it should be.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] when it is of another type.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        Ok(self.body.json()?)
    }

    /// The question as JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.body.as_str()
    }

    /// Answers. Returns when the answer is queued.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the asker has gone, [`Error::Message`] when `answer` has no JSON form.
    pub fn reply<T: Serialize + ?Sized>(self, answer: &T) -> Result<()> {
        (self.answer)(envelope("reply", self.id, answer)?)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("id", &self.id).field("body", &self.body).finish()
    }
}

/// The questions of one channel that wait for their answers.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<RawJson>>,
    closed: bool,
}

/// Bytes of the shortest question or answer that there can be.
const SHORTEST: usize = r#"{"portcrew":"reply","id":1,"body":1}"#.len();

/// Whether a message is certainly neither a question nor an answer. Most are short, or do not contain the word. Those are
/// objects: serde would take an array of the same fields too.
pub(crate) fn is_plain(message: &Message) -> bool {
    let text = message.as_str();
    text.len() < SHORTEST || !text.contains("\"portcrew\"") || !text.trim_start().starts_with('{')
}

/// A message as the receiving end sorts it.
#[derive(Debug)]
pub(crate) enum Sorted {
    Plain(Message),
    Request {
        id: u64,
        body: RawJson,
    },
    /// It has been given to whoever waits for it; or nobody does any more.
    Reply,
}

impl Pending {
    /// Sends a question by `send` and waits for the answer.
    pub(crate) async fn ask<T: Serialize + ?Sized>(
        &self,
        question: &T,
        deadline: Duration,
        send: impl FnOnce(Message) -> Result<()>,
    ) -> Result<RawJson> {
        let (answered, answer) = oneshot::channel();
        let waiting = self.register(answered)?;
        send(envelope("request", waiting.id, question)?)?;
        match tokio::time::timeout(deadline, answer).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(_closed)) => Err(Error::Disconnected),
            Err(_elapsed) => Err(Error::Deadline),
        }
    }

    fn register(&self, answered: oneshot::Sender<RawJson>) -> Result<Waiting<'_>> {
        let mut table = self.lock();
        if table.closed {
            return Err(Error::Disconnected);
        }
        table.next += 1;
        let id = table.next;
        table.waiting.insert(id, answered);
        Ok(Waiting { pending: self, id })
    }

    /// Tells a reply from a question from a plain message, and delivers the reply.
    pub(crate) fn sort(&self, message: Message) -> Sorted {
        if is_plain(&message) {
            return Sorted::Plain(message);
        }
        let Ok(Envelope { portcrew, id, body }) = message.json::<Envelope<'_>>() else {
            return Sorted::Plain(message);
        };
        let Ok(body) = RawJson::from_text(body.get()) else {
            return Sorted::Plain(message);
        };
        match portcrew {
            "request" => Sorted::Request { id, body },
            "reply" => {
                if let Some(waiting) = self.lock().waiting.remove(&id) {
                    // The asker may have given up a moment ago.
                    let _ = waiting.send(body);
                }
                Sorted::Reply
            }
            _ => Sorted::Plain(message),
        }
    }

    /// The channel is closed: nobody will answer any more.
    pub(crate) fn close(&self) {
        let mut table = self.lock();
        table.closed = true;
        table.waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing in this file panics while it holds the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes what the user gets of a question.
pub(crate) fn request(
    id: u64,
    body: RawJson,
    answer: Arc<dyn Fn(Message) -> Result<()> + Send + Sync>,
) -> Request {
    Request { id, body, answer }
}

/// A place in the table that is given up when the asker stops waiting.
struct Waiting<'a> {
    pending: &'a Pending,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pending.lock().waiting.remove(&self.id);
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    portcrew: &'a str,
    id: u64,
    #[serde(borrow)]
    body: &'a RawValue,
}

fn envelope<T: Serialize + ?Sized>(kind: &str, id: u64, body: &T) -> Result<Message> {
    #[derive(Serialize)]
    struct Out<'a, T: ?Sized> {
        portcrew: &'a str,
        id: u64,
        body: &'a T,
    }
    Ok(Message::new(&Out { portcrew: kind, id, body })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_only_mentions_the_word_is_plain() {
        let pending = Pending::default();
        for text in [
            r#"{"portcrew":"request"}"#,
            r#"["portcrew"]"#,
            r#"{"portcrew":1,"id":1}"#,
            r#"["reply",7,{"portcrew":"in the body of no reply"}]"#,
        ] {
            let message = Message::from_text(text).unwrap();
            assert!(matches!(pending.sort(message), Sorted::Plain(_)), "{text}");
        }
    }

    #[tokio::test]
    async fn a_reply_reaches_the_one_who_asked_and_nobody_else() {
        let pending = Pending::default();
        let sent = Mutex::new(Vec::new());
        let ask = pending.ask("how many?", Duration::from_secs(30), |message| {
            sent.lock().unwrap().push(message);
            Ok(())
        });
        let answer = async {
            tokio::task::yield_now().await;
            let question = sent.lock().unwrap().pop().unwrap();
            let Sorted::Request { id, body } = Pending::default().sort(question) else {
                panic!("not a request")
            };
            assert_eq!(body.json::<String>().unwrap(), "how many?");
            pending.sort(envelope("reply", id + 1, &1).unwrap());
            pending.sort(envelope("reply", id, &2).unwrap());
        };
        let (answered, ()) = tokio::join!(ask, answer);
        assert_eq!(answered.unwrap().json::<u32>().unwrap(), 2);
        assert!(pending.lock().waiting.is_empty());
    }

    #[tokio::test]
    async fn a_closed_channel_ends_every_wait() {
        let pending = Pending::default();
        let ask = pending.ask("?", Duration::from_secs(30), |_| {
            pending.close();
            Ok(())
        });
        assert!(matches!(ask.await, Err(Error::Disconnected)));
        let again = pending.ask("?", Duration::from_secs(30), |_| Ok(())).await;
        assert!(matches!(again, Err(Error::Disconnected)));
    }
}
