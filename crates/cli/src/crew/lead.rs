//! The loop: events, signals, and for a crew inside a crew the word from above.

mod asked;

use std::error::Error;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portcrew::{Cluster, Event, Outcome, Role, Worker};
use tokio::time::{Instant, sleep_until, timeout};

use super::counts::Counts;
use super::desk::{Desk, Noted};
use super::ending;
use super::hear::Hearing;
use super::outputs::Outputs;
use super::{Kind, Wish};
use crate::args::MAX_WORKERS;
use crate::control::{Request, Requests, Server, serve};
use crate::exit::ExitStatus;
use crate::output::words::{chain, notices};
use crate::output::{Report, Style, events, say_plainly};
use crate::signals::{Command, Signals};
use crate::upward::{Above, Turn};

/// Events that are heard before signals get their turn.
const BATCH: usize = 256;

/// How long a crew inside a crew waits, at its end, for the crew above to hear its farewell.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// Leads the crew until it has ended.
pub(crate) fn run(wish: Wish, style: Style) -> ExitStatus {
    try_run(wish, style).unwrap_or_else(|error| {
        say_plainly(&chain(&*error));
        ExitStatus::Internal
    })
}

fn try_run(wish: Wish, style: Style) -> Result<ExitStatus, Box<dyn Error>> {
    let logs = wish.control.about.logs.as_ref();
    let report = Report::new(style, logs.map(|it| [(&it.out).into(), (&it.err).into()]))?;
    for note in &wish.notes {
        report.notice(note);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let status = runtime.block_on(lead(wish, &report));
    report.close();
    status
}

async fn lead(wish: Wish, report: &Report) -> Result<ExitStatus, Box<dyn Error>> {
    // Before the first worker: from here on no signal ends this process without its crew.
    let signals = Signals::listen()?;
    let above = match wish.role {
        Role::Worker(ref worker) => {
            worker.start()?;
            Some(worker.clone())
        }
        // Its parent's channel, if there is one, stays open until the end of this function.
        Role::Primary(_) => None,
    };
    let policies = wish.policies.to_string();
    let deadline = wish.settings.start_deadline;
    let ready = wish.settings.ready.clone();
    let grace = wish.settings.grace;
    let hearing = Hearing::new(&wish, report);
    let control = wish.control;
    let cluster = match Cluster::new(wish.settings) {
        Ok(cluster) => cluster,
        Err(error) => {
            let (status, text) = ending::not_begun(&error);
            report.notice(&text);
            return Ok(status);
        }
    };
    let serve = |claim| serve(claim, report.feed(), cluster.reserve());
    let (server, requests) = match control.claim.map(serve).transpose()? {
        Some((server, requests)) => (Some(server), Some(requests)),
        None => (None, None),
    };
    let mut leader = Leader {
        report,
        server,
        requests,
        desk: Desk::new(control.about, control.announce, wish.policies.clone(), &ready),
        grace,
        wanted: wish.workers,
        stopping: false,
        signals,
        above,
        counts: (wish.kind == Kind::Demo).then(Counts::new),
        hearing,
        patience: Some((Instant::now() + deadline, deadline)),
        outputs: Outputs::new(),
        upward: Above::new(report, wish.workers, &ready, wish.init),
        cluster,
    };
    let (name, workers) = (wish.name.as_str(), wish.workers);
    let pid = std::process::id();
    report.event(&events::Event::Setup { name, pid, workers, policy: &policies });
    report.notice(&notices::started(name, workers, &policies));
    leader.cluster.start(workers)?;
    let outcome = leader.until_the_end().await?;
    Ok(leader.end(outcome).await)
}

struct Leader<'a> {
    report: &'a Report,
    grace: Duration,
    /// Workers, as far as signals have changed their number.
    wanted: usize,
    stopping: bool,
    signals: Signals,
    above: Option<Worker>,
    counts: Option<Counts>,
    /// Until when workers may ask for the listeners that have policies of their own, and how long that is.
    patience: Option<(Instant, Duration)>,
    hearing: Hearing<'a>,
    outputs: Outputs,
    server: Option<Server>,
    requests: Option<Requests>,
    desk: Desk,
    /// Whoever has started this process.
    upward: Above<'a>,
    cluster: Cluster,
}

impl Leader<'_> {
    async fn until_the_end(&mut self) -> portcrew::Result<Outcome> {
        loop {
            tokio::select! {
                event = self.cluster.next_event() => {
                    let event = event.ok_or(portcrew::Error::Disconnected)?;
                    if let Some(outcome) = self.hear_all(event).await {
                        return Ok(outcome);
                    }
                    self.explain().await?;
                }
                command = self.signals.next() => self.obey(command)?,
                () = told_to_leave(self.above.as_ref()), if !self.stopping => {
                    self.begin_to_stop();
                    self.report.notice(&notices::told_from_above(self.grace));
                    self.cluster.stop()?;
                }
                turn = self.upward.turn() => self.serve_above(turn).await?,
                () = next_count(self.counts.as_mut()) => self.count().await?,
                after = patience_ends(self.patience) => {
                    self.patience = None;
                    self.hearing.say_unmet(after);
                }
                request = next_request(self.requests.as_mut()) => self.asked(request).await?,
            }
        }
    }

    /// Hears an event and those that are there behind it.
    async fn hear_all(&mut self, first: Event) -> Option<Outcome> {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(event) = next else { break };
            let noted = Noted::of(&event);
            self.upward.hear(&event);
            if let Some(outcome) = self.hearing.hear(event, &mut self.outputs).await {
                return Some(outcome);
            }
            self.desk.note(noted, &self.outputs, self.wanted);
            self.tell_policies();
            // No waker: the loop asks again, with its own.
            let mut context = Context::from_waker(Waker::noop());
            next = match self.cluster.poll_event(&mut context) {
                Poll::Ready(event) => event,
                Poll::Pending => None,
            };
        }
        self.hearing.no_more_events();
        None
    }

    /// What is explained later is explained by the policies of that time.
    fn tell_policies(&mut self) {
        if let Some(policies) = self.desk.policies.take_news() {
            self.hearing.policies_are(policies);
        }
    }

    fn obey(&mut self, command: Command) -> portcrew::Result<()> {
        match command {
            Command::Stop => {
                self.begin_to_stop();
                self.report.notice(&notices::stopping(self.grace));
                self.cluster.stop()
            }
            Command::HangupStops => {
                self.begin_to_stop();
                self.report.notice(&notices::hung_up(self.grace));
                self.cluster.stop()
            }
            Command::StopNow => {
                self.begin_to_stop();
                self.cluster.stop_now()
            }
            Command::Reload => self.cluster.reload(),
            Command::More => self.resize(command, 1),
            Command::Fewer => self.resize(command, -1),
        }
    }

    fn begin_to_stop(&mut self) {
        self.stopping = true;
        self.upward.stopping();
    }

    async fn serve_above(&mut self, turn: Turn) -> portcrew::Result<()> {
        match turn {
            Turn::LifeSign => {
                // Only a driver that turns as well answers.
                self.cluster.snapshot().await?;
                self.upward.alive();
            }
            Turn::Stop => self.obey(Command::Stop)?,
            Turn::Forward(signal) => {
                self.cluster.workers().iter().for_each(|worker| worker.kill(signal));
            }
        }
        Ok(())
    }

    fn resize(&mut self, command: Command, by: isize) -> portcrew::Result<()> {
        let wanted = command.resize(self.wanted, usize::from(MAX_WORKERS));
        if wanted == self.wanted {
            self.report.notice(&notices::resize_refused(wanted));
            return Ok(());
        }
        self.wanted = wanted;
        self.cluster.scale(by)
    }

    async fn explain(&mut self) -> portcrew::Result<()> {
        if self.hearing.has_to_explain() {
            let snapshot = self.cluster.snapshot().await?;
            self.hearing.explain(&snapshot);
        }
        Ok(())
    }

    async fn count(&mut self) -> portcrew::Result<()> {
        let Some(counts) = &mut self.counts else { return Ok(()) };
        let snapshot = self.cluster.snapshot().await?;
        if let Some(line) = counts.line(&snapshot) {
            self.report.status(&line);
        }
        Ok(())
    }

    async fn end(mut self, outcome: Outcome) -> ExitStatus {
        self.hearing.no_more_events();
        self.outputs.finish().await;
        let (status, text) = ending::verdict(outcome, &self.hearing.account());
        self.report.notice(&text);
        if let Some(server) = self.server.take() {
            self.desk.verdicts.ended(ending::killed(outcome));
            self.requests = None;
            server.end().await;
        }
        if let Some(above) = &self.above {
            // Beyond the bound the end of this process says the same.
            let _ = timeout(FAREWELL_WITHIN, above.disconnect()).await;
        }
        status
    }
}

/// Resolves when the crew above wants this process to leave, or has gone. Never without one.
async fn told_to_leave(above: Option<&Worker>) {
    match above {
        Some(worker) => worker.draining().await,
        None => std::future::pending().await,
    }
}

/// Never without a control socket.
async fn next_request(requests: Option<&mut Requests>) -> Request {
    match requests {
        Some(requests) => requests.next().await,
        None => std::future::pending().await,
    }
}

async fn next_count(counts: Option<&mut Counts>) {
    match counts {
        Some(counts) => counts.tick().await,
        None => std::future::pending().await,
    }
}

/// Gives the time that is over by then.
async fn patience_ends(until: Option<(Instant, Duration)>) -> Duration {
    match until {
        Some((until, span)) => {
            sleep_until(until).await;
            span
        }
        None => std::future::pending().await,
    }
}
