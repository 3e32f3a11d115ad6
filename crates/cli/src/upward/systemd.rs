//! This process as a service of systemd (`Type=notify` and `notify-reload`), and its watchdog.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use portcrew::{Event, Ready};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::notify::{Message, Sender};
use super::service::Service;
use super::socket::Socket;

const SOCKET: &str = "NOTIFY_SOCKET";
const WATCHDOG: &str = "WATCHDOG_USEC";
const WATCHED: &str = "WATCHDOG_PID";

/// The service manager's end.
#[derive(Debug)]
pub(super) struct Systemd {
    socket: Socket,
    service: Service,
    /// When the manager is to hear that the loop turns.
    watchdog: Option<Interval>,
}

impl Systemd {
    /// None without a service manager.
    ///
    /// # Errors
    /// It is named, and cannot be reached.
    pub(super) fn of(
        variables: &Variables,
        wanted: usize,
        ready: &Ready,
    ) -> io::Result<Option<Self>> {
        let Some(address) = &variables.socket else { return Ok(None) };
        let socket = Socket::connect(address)?;
        let watchdog = variables.watchdog().map(|limit| {
            let mut each = interval(limit / 2);
            each.set_missed_tick_behavior(MissedTickBehavior::Delay);
            each
        });
        Ok(Some(Self { socket, service: Service::new(wanted, ready), watchdog }))
    }

    pub(super) fn hear(&mut self, event: &Event) -> io::Result<()> {
        let message = self.service.hear(event);
        self.tell(message)
    }

    pub(super) fn stopping(&mut self) -> io::Result<()> {
        let message = self.service.stopping();
        self.tell(message)
    }

    pub(super) fn alive(&mut self) -> io::Result<()> {
        self.tell(Some(Message::Alive))
    }

    /// Waits until a sign of life is due. Cancel safe.
    ///
    /// # Errors
    /// The manager has gone.
    pub(super) async fn turn(&mut self) -> io::Result<()> {
        let Self { socket, watchdog, .. } = self;
        let due = async {
            match watchdog {
                Some(each) => each.tick().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = due => Ok(()),
            failed = socket.drain() => failed,
        }
    }

    fn tell(&mut self, message: Option<Message>) -> io::Result<()> {
        let Some(message) = message else { return Ok(()) };
        self.socket.send(message.text(Sender { pid: std::process::id(), monotonic: monotonic() }))
    }
}

/// CLOCK_MONOTONIC in microseconds.
fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    seconds * 1_000_000 + nanos / 1_000
}

/// What systemd has left in the environment.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    socket: Option<OsString>,
    limit: Option<String>,
    watched: Option<String>,
}

impl Variables {
    pub(super) fn read() -> Self {
        let socket = std::env::var_os(SOCKET).filter(|it| !it.is_empty());
        Self { socket, limit: std::env::var(WATCHDOG).ok(), watched: std::env::var(WATCHED).ok() }
    }

    /// How long the manager waits for a sign of life, where it waits for one of this process's
    /// (sd_watchdog_enabled(3)).
    fn watchdog(&self) -> Option<Duration> {
        let is_for_us = |pid: &String| pid.parse() == Ok(std::process::id());
        if !self.watched.as_ref().is_none_or(is_for_us) {
            return None;
        }
        let limit = self.limit.as_ref()?.parse().ok().map(Duration::from_micros)?;
        // Half of it has to be a time that an interval can wait.
        (limit >= Duration::from_micros(2)).then_some(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_kept_where_it_waits_for_this_process() {
        let watchdog = |limit: &str, watched: Option<String>| {
            Variables { socket: None, limit: Some(limit.to_owned()), watched }.watchdog()
        };
        let own = Some(std::process::id().to_string());
        assert_eq!(watchdog("20000000", own), Some(Duration::from_secs(20)));
        assert_eq!(watchdog("20000000", None), Some(Duration::from_secs(20)));
        assert_eq!(watchdog("20000000", Some("1".to_owned())), None);
        assert_eq!(watchdog("0", None), None);
        assert_eq!(watchdog("soon", None), None);
        assert_eq!(Variables::default().watchdog(), None);
    }
}
