//! How a crew is supervised: when a worker is ready, hangs or is worn, how many a reload replaces at once, and how one
//! is told to leave. As written; what goes together is decided in `plan`.

mod deadline;
mod drain;
mod numbers;
mod pm2;
mod ready;

use std::time::Duration;

use clap::Args;
use portcrew::{Drain, Ready, Signal};

pub(crate) use deadline::Deadline;

use super::span;
use crate::output::words::supervision as help;

/// Options of `portcrew run` about its workers' lives. What is left out is as the library has it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Supervision {
    #[arg(long, value_name = "SIGN", help_heading = help::HEALTH, value_parser = ready::parse)]
    #[arg(help = help::READY, long_help = help::READY_LONG)]
    pub(crate) ready: Option<Ready>,

    /// PM2's name for one of them.
    #[arg(long, hide = true, conflicts_with = "ready")]
    pub(crate) wait_ready: bool,

    #[arg(long, value_name = "TIME", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::PROBE_EVERY, value_parser = span::at_least::<10>)]
    pub(crate) probe_every: Option<Duration>,

    #[arg(long, value_name = "TIME", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::PROBE_WITHIN, value_parser = span::at_least::<10>)]
    pub(crate) probe_within: Option<Duration>,

    #[arg(long, value_name = "TIME", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::ALIVE_EVERY, value_parser = span::at_least::<100>)]
    pub(crate) alive_every: Option<Duration>,

    #[arg(long, value_name = "N", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::ALIVE_FAILURES, value_parser = numbers::failures)]
    pub(crate) alive_failures: Option<u32>,

    #[arg(long, value_name = "TIME", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::ANSWER_WITHIN, long_help = help::ANSWER_WITHIN_LONG, value_parser = deadline::parse)]
    pub(crate) answer_within: Option<Deadline>,

    #[arg(long, value_name = "TIME", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::HEARTBEAT, long_help = help::HEARTBEAT_LONG, value_parser = span::at_least::<1_000>)]
    pub(crate) heartbeat: Option<Duration>,

    #[arg(long, value_name = "NAME", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::HANG_SIGNAL, value_parser = drain::hang_signal)]
    pub(crate) hang_signal: Option<Signal>,

    #[arg(long, value_name = "TIME", help_heading = help::HEALTH, hide_short_help = true)]
    #[arg(help = help::WATCHDOG, value_parser = span::at_least::<100>)]
    pub(crate) watchdog: Option<Duration>,

    #[arg(long, value_name = "TIME", help_heading = help::RELOADS, hide_short_help = true)]
    #[arg(help = help::STABLE, value_parser = span::at_least::<10>)]
    pub(crate) stable: Option<Duration>,

    #[arg(long, value_name = "N", help_heading = help::RELOADS, hide_short_help = true)]
    #[arg(help = help::SURGE, value_parser = numbers::workers)]
    pub(crate) surge: Option<usize>,

    #[arg(long, value_name = "N", help_heading = help::RELOADS, hide_short_help = true)]
    #[arg(help = help::MAX_UNAVAILABLE, value_parser = numbers::workers)]
    pub(crate) max_unavailable: Option<usize>,

    #[arg(long, help_heading = help::RELOADS, hide_short_help = true, help = help::OVERLAP)]
    pub(crate) overlap: bool,

    #[arg(long, value_name = "SIZE", help_heading = help::WEAR, alias = "max-memory-restart")]
    #[arg(help = help::MAX_MEMORY, value_parser = numbers::memory)]
    pub(crate) max_memory: Option<u64>,

    #[arg(long, value_name = "TIME", help_heading = help::WEAR, hide_short_help = true)]
    #[arg(help = help::MAX_AGE, value_parser = span::age)]
    pub(crate) max_age: Option<Duration>,

    #[arg(long, value_name = "N", help_heading = help::WEAR, hide_short_help = true)]
    #[arg(help = help::MAX_CONNECTIONS, value_parser = numbers::connections)]
    pub(crate) max_connections: Option<u64>,

    #[arg(long, help_heading = help::WEAR, hide_short_help = true, help = help::SHED)]
    pub(crate) shed: bool,

    #[arg(long, value_name = "CODES", help_heading = help::WEAR, hide_short_help = true)]
    #[arg(help = help::STOP_EXIT_CODES, value_delimiter = ',', value_parser = numbers::exit_code)]
    pub(crate) stop_exit_codes: Vec<i32>,

    #[arg(long, value_name = "HOW", help_heading = help::LEAVING, hide_short_help = true)]
    #[arg(help = help::DRAIN, long_help = help::DRAIN_LONG, value_parser = drain::parse)]
    pub(crate) drain: Option<Drain>,

    /// PM2's name for one of them.
    #[arg(long, hide = true, conflicts_with = "drain")]
    pub(crate) shutdown_with_message: bool,

    #[arg(long, value_name = "NAME", help_heading = help::LEAVING, hide_short_help = true)]
    #[arg(help = help::STOP_SIGNAL, value_parser = drain::stop_signal)]
    pub(crate) stop_signal: Option<Signal>,

    #[arg(long, value_name = "TIME", help_heading = help::LEAVING, hide_short_help = true)]
    #[arg(help = help::KILL_AFTER, value_parser = span::parse)]
    pub(crate) kill_after: Option<Duration>,

    /// PM2's: its numbers are milliseconds, so it is answered and not taken.
    #[arg(long, hide = true, value_name = "TIME", value_parser = pm2::kill_timeout)]
    kill_timeout: Option<Duration>,

    /// As that.
    #[arg(long, hide = true, value_name = "TIME", value_parser = pm2::listen_timeout)]
    listen_timeout: Option<Duration>,
}

impl Supervision {
    /// What shows that a worker is ready.
    pub(crate) fn ready(&self) -> Ready {
        if self.wait_ready { Ready::Message } else { self.ready.clone().unwrap_or_default() }
    }

    /// How a worker is told to leave.
    pub(crate) fn drain(&self) -> Drain {
        if self.shutdown_with_message {
            Drain::Message("shutdown".to_owned())
        } else {
            self.drain.clone().unwrap_or_default()
        }
    }
}
