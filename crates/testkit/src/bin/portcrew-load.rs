//! `portcrew-load`: the classifying load client as a command.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use portcrew_testkit::http::{Load, LoadError, Outcome, Report, Target};

/// Loads a server on this machine and says what became of every attempt.
///
/// Exit status: 0 when every attempt was answered, 1 when a class that is not allowed occurred or attempts were left
/// out, 2 when the load itself was at fault.
#[derive(Debug, Parser)]
#[command(name = "portcrew-load", version)]
struct Args {
    /// 127.0.0.1:PORT, [::1]:PORT or unix:PATH.
    target: Target,
    /// Clients at once; with --rate the most requests under way.
    #[arg(short, long, default_value_t = 1)]
    clients: usize,
    /// Attempts in all.
    #[arg(short = 'n', long)]
    requests: Option<u64>,
    /// Seconds after which no attempt begins; 60 when only --requests is given.
    #[arg(short = 't', long, value_parser = seconds)]
    time: Option<Duration>,
    /// Seconds that one try may take.
    #[arg(long, default_value = "2", value_parser = seconds)]
    timeout: Duration,
    /// Keep each connection for this many requests instead of closing it after one.
    #[arg(short, long, value_name = "REQUESTS")]
    keep_alive: Option<u32>,
    /// Seconds that a client waits between its requests.
    #[arg(long, value_parser = seconds, conflicts_with = "rate")]
    think: Option<Duration>,
    /// Open loop: arrivals per second, Poisson.
    #[arg(short, long)]
    rate: Option<f64>,
    /// Seed of the open loop.
    #[arg(long, default_value_t = 1, requires = "rate")]
    seed: u64,
    /// What to ask for.
    #[arg(long, default_value = "/")]
    path: String,
    /// A further header of the request; repeatable.
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// The text in the body behind which the worker's name stands.
    #[arg(long)]
    worker_key: Option<String>,
    /// Close with a reset after the server has closed: leaves no port in TIME_WAIT.
    #[arg(long)]
    reset_on_close: bool,
    /// Close this direction behind the request and wait for the answer.
    #[arg(long, conflicts_with = "keep_alive")]
    half_close: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// A class that does not make the exit status 1; repeatable.
    #[arg(long, value_name = "CLASS")]
    allow: Vec<Outcome>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let report = match load(&args).try_run() {
        Ok(report) => report,
        Err(error) => return fault(&error),
    };
    if let Err(error) = print(&report, args.json) {
        return fault(&LoadError::Client(error));
    }
    let bad = |outcome: &Outcome| *outcome != Outcome::Ok && !args.allow.contains(outcome);
    let failed = Outcome::ALL.into_iter().filter(bad).any(|outcome| report.count(outcome) > 0);
    if failed || report.unstarted > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn load(args: &Args) -> Load {
    let mut load = Load::new(args.target.clone())
        .clients(args.clients)
        .per_try_timeout(args.timeout)
        .path(args.path.clone())
        .reset_on_close(args.reset_on_close)
        .half_close(args.half_close);
    for (name, value) in &args.header {
        load = load.header(name.clone(), value.clone());
    }
    load = args.requests.into_iter().fold(load, Load::requests);
    load = args.time.into_iter().fold(load, Load::time_limit);
    load = args.keep_alive.into_iter().fold(load, Load::keep_alive);
    load = args.think.into_iter().fold(load, Load::think);
    load = args.rate.into_iter().fold(load, |load, rate| load.open_loop(rate, args.seed));
    args.worker_key.iter().fold(load, |load, key| load.worker_key(key))
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)
    } else {
        write!(out, "{report}")
    }
}

fn fault(error: &LoadError) -> ExitCode {
    // Without a standard error there is nobody left to tell; the exit status still does.
    let _ = writeln!(io::stderr(), "portcrew-load: {error}");
    ExitCode::from(2)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
