//! What is asked on the control socket, done and answered.

use portcrew::{Signal, WorkerId};

use super::Leader;
use crate::args::{MAX_WORKERS, Policies};
use crate::control::{Answer, Request, Trouble, v1};
use crate::output::words::control as words;
use crate::plan::{Host, PolicyChange};

impl Leader<'_> {
    /// Does what is asked. Whoever asked may have gone meanwhile: then the answer goes nowhere, here and below.
    pub(super) async fn asked(&mut self, request: Request) -> portcrew::Result<()> {
        match request {
            Request::Status { answer } => {
                let snapshot = self.cluster.snapshot().await?;
                let mut status = self.desk.status(&snapshot);
                status.output_lost = self.report.lost();
                let _ = answer.send(Ok(Box::new((status, snapshot))));
            }
            Request::Why { answer } => {
                let _ = answer.send(Ok(self.desk.history.why(self.desk.name())));
            }
            Request::Reload { answer } => self.reload_asked(answer).await?,
            Request::Scale { wish, answer } => {
                let _ = answer.send(self.scale_asked(wish)?);
            }
            Request::Stop { wish, answer } => self.stop_asked(wish, answer)?,
            Request::Policy { wish, answer } => self.policy_asked(&wish, answer).await?,
            Request::Signal { wish, answer } => {
                let _ = answer.send(self.signal_asked(&wish));
            }
        }
        Ok(())
    }

    async fn reload_asked(&mut self, answer: Answer<v1::Reloaded>) -> portcrew::Result<()> {
        if self.stopping {
            let _ = answer.send(Err(stopping()));
            return Ok(());
        }
        self.ask(words::asked_reload());
        match self.cluster.request_reload().await? {
            // The verdict is an event, which is heard after this.
            Some(generation) => self.desk.verdicts.reload(generation, answer),
            None => drop(answer.send(Err(stopping()))),
        }
        Ok(())
    }

    fn scale_asked(&mut self, wish: v1::Scale) -> portcrew::Result<Result<v1::Scaled, Trouble>> {
        if self.stopping {
            return Ok(Err(stopping()));
        }
        let most = usize::from(MAX_WORKERS);
        let wanted = match (wish.workers, wish.by) {
            (Some(workers), None) => i64::try_from(workers).ok(),
            (None, Some(by)) => i64::try_from(self.wanted).ok().and_then(|it| it.checked_add(by)),
            _ => return Ok(Err(Trouble::Wrong(words::scale_unclear()))),
        };
        let wanted = wanted.and_then(|it| usize::try_from(it).ok());
        let Some(wanted) = wanted.filter(|it| (1..=most).contains(it)) else {
            return Ok(Err(Trouble::Wrong(words::scale_refused(self.wanted, most))));
        };
        let before = std::mem::replace(&mut self.wanted, wanted);
        if wanted != before {
            self.ask(words::asked_scale(before, wanted));
            self.cluster.start(wanted)?;
        }
        Ok(Ok(v1::Scaled { api: v1::API, before, wanted }))
    }

    /// Asked twice it is the same wish: only `now` hurries.
    fn stop_asked(&mut self, wish: v1::Stop, answer: Answer<v1::Stopped>) -> portcrew::Result<()> {
        self.desk.verdicts.stop(answer);
        if wish.now {
            self.ask(words::asked_stop_now());
            self.cluster.stop_now()?;
        } else if !self.stopping {
            self.ask(words::asked_stop(self.grace));
            self.cluster.stop()?;
        }
        self.stopping = true;
        Ok(())
    }

    async fn policy_asked(
        &mut self,
        wish: &v1::SetPolicy,
        answer: Answer<v1::PolicySet>,
    ) -> portcrew::Result<()> {
        let (asked, change) = match self.policy_change(wish).await? {
            Ok(both) => both,
            Err(trouble) => {
                let _ = answer.send(Err(trouble));
                return Ok(());
            }
        };
        self.ask(words::asked_policy(&asked));
        let generation = self.cluster.request_policies(change.meant()).await?;
        self.desk.policies.want(change, generation);
        self.tell_policies();
        match generation {
            // The verdict is an event, which is heard after this.
            Some(generation) => self.desk.verdicts.policy(generation, asked, answer),
            None => {
                let set = v1::PolicySet { api: v1::API, policy: asked, reloaded: false };
                let _ = answer.send(Ok(set));
            }
        }
        Ok(())
    }

    /// What is meant, and how it would be written. Nothing is changed before all of it is known to be possible.
    async fn policy_change(
        &self,
        wish: &v1::SetPolicy,
    ) -> portcrew::Result<Result<(String, PolicyChange), Trouble>> {
        let refused = |reason| Ok(Err(Trouble::Wrong(words::policy_refused(reason))));
        let asked: Policies = match wish.policy.parse() {
            Ok(asked) => asked,
            Err(reason) => return refused(reason),
        };
        if self.stopping {
            return Ok(Err(stopping()));
        }
        let snapshot = self.cluster.snapshot().await?;
        let listeners: Vec<_> = snapshot.listeners.into_iter().filter_map(|it| it.name).collect();
        let (text, present) = (asked.to_string(), self.desk.policies.in_force());
        // A service may outlive the directory in which it was started.
        let host = Host::current_where(asked.have_relative_path());
        let change = host.and_then(|host| PolicyChange::new(asked, present, &listeners, &host));
        match change {
            Ok(change) => Ok(Ok((text, change))),
            Err(refusal) => refused(refusal.to_string()),
        }
    }

    fn signal_asked(&mut self, wish: &v1::Signal) -> Result<v1::Signalled, Trouble> {
        let signal = signal(&wish.signal)
            .ok_or_else(|| Trouble::Wrong(words::signal_unknown(&wish.signal)))?;
        let workers = match wish.worker {
            None => self.cluster.workers(),
            Some(id) => {
                let found =
                    u32::try_from(id).ok().and_then(|it| self.cluster.worker(WorkerId(it)).ok());
                vec![found.ok_or_else(|| Trouble::Wrong(words::no_such_worker(id)))?]
            }
        };
        let name = signal.to_string();
        self.ask(words::asked_signal(&name, wish.worker));
        for worker in &workers {
            worker.kill(signal);
        }
        let workers = workers.iter().map(|it| it.id().0.into()).collect();
        Ok(v1::Signalled { api: v1::API, signal: name, workers })
    }

    /// Said and remembered: a crew that changes is to say why.
    fn ask(&mut self, what: String) {
        self.report.notice(&what);
        self.desk.history.asked(what);
    }
}

fn stopping() -> Trouble {
    Trouble::Stopping(words::is_stopping())
}

/// `SIGUSR2`, `USR2`, in any case of letters, or a number.
fn signal(text: &str) -> Option<Signal> {
    if let Ok(number) = text.parse() {
        let is_one = (1..=64).contains(&number);
        return is_one.then(|| Signal::from_number(number));
    }
    let upper = text.to_ascii_uppercase();
    Signal::from_name(&upper).or_else(|| Signal::from_name(&format!("SIG{upper}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_go_by_their_names_with_or_without_sig_and_by_their_numbers() {
        for text in ["SIGUSR2", "usr2", "12"] {
            assert_eq!(signal(text), Some(Signal::User2), "{text}");
        }
        for text in ["", "0", "65", "-9", "USR3", "sig usr2"] {
            assert_eq!(signal(text), None, "{text}");
        }
    }
}
