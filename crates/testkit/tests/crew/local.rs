//! A cluster in the test's own process: its events as they are, and the end of its workers whatever the test does.

use std::collections::VecDeque;
use std::future::Future;

use portcrew::{Cluster, Event, Settings, WorkerHandle, WorkerId};
use portcrew_testkit::node::{Node, fixture};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::support::{HANG, ROLE};

/// A cluster and what it told.
pub(crate) struct Local {
    pub(crate) cluster: Cluster,
    pub(crate) runtime: Runtime,
    /// Told, and not asked for yet.
    waiting: VecDeque<Event>,
}

/// Settings for workers of that script, in an environment that does not change what a test sees.
pub(crate) fn node(node: &Node, options: &[&str], script: &str) -> Settings {
    let script = fixture(script).into_os_string();
    let args = options.iter().map(Into::into).chain([script]);
    let mut settings = Settings::program(node.path(), args).env("NODE_OPTIONS", "");
    settings.helper = Some(ROLE.into());
    settings
}

impl Local {
    pub(crate) fn new(settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cluster = runtime.block_on(async { Cluster::new(settings) }).unwrap();
        Self { cluster, runtime, waiting: VecDeque::new() }
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(timeout_or_panic(future))
    }

    pub(crate) fn fork(&self) -> WorkerHandle {
        self.run(self.cluster.fork()).unwrap()
    }

    /// The first event, told already or to come, of which `pick` makes something. Others stay for later.
    pub(crate) fn until<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let found = self.waiting.iter().enumerate().find_map(|(at, it)| Some((at, pick(it)?)));
        if let Some((at, found)) = found {
            self.waiting.remove(at);
            return found;
        }
        loop {
            let event = self.fresh();
            match pick(&event) {
                Some(found) => return found,
                None => self.waiting.push_back(event),
            }
        }
    }

    /// The very next event.
    pub(crate) fn next(&mut self) -> Event {
        self.waiting.pop_front().unwrap_or_else(|| self.fresh())
    }

    fn fresh(&mut self) -> Event {
        let Self { cluster, runtime, .. } = self;
        runtime.block_on(timeout_or_panic(cluster.next_event())).expect("the driver runs")
    }

    /// The next message of that worker.
    pub(crate) fn message(&mut self, wanted: WorkerId) -> Value {
        self.until(|event| match event {
            Event::Message { worker, message, .. } if *worker == wanted => {
                Some(message.json().unwrap())
            }
            _ => None,
        })
    }

    /// Waits for the end of that worker.
    pub(crate) fn exit(&mut self, wanted: WorkerId) {
        self.until(|event| {
            matches!(event, Event::Exit { worker, .. } if *worker == wanted).then_some(())
        });
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // Also one that waits for a debugger and hears nothing else.
        let _ = self.cluster.stop_now();
        let _ = self.runtime.block_on(async { timeout(HANG, self.cluster.disconnect()).await });
    }
}

async fn timeout_or_panic<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it comes")
}
