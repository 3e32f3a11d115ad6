//! The deciding half of a worker: core's machine, or a model of Node's `cluster` child.

use portcrew_core::worker::{Action, Carrier, Event, Worker};
use portcrew_core::{ConnId, Key, ListenerId, Query, Seq, ServerId, ToWorker};

use super::node::Node;
use super::process::{Process, Server, Serving, Todo};
use crate::sim::plan::Speaks;

/// Who decides in a worker.
#[derive(Debug)]
pub(super) enum Brain {
    /// What ships.
    Core(Worker),
    /// What others ship.
    Node(Node),
}

/// How an offer came.
#[derive(Debug)]
pub(super) enum Came {
    Lane(ListenerId),
    Channel(Key),
}

impl Brain {
    pub(super) fn of(speaks: Speaks) -> Self {
        match speaks {
            Speaks::Lane | Speaks::Channel => Self::Core(Worker::new()),
            Speaks::Node => Self::Node(Node::default()),
        }
    }

    pub(super) fn start(&mut self, lane: bool) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, Event::Started { lane }),
            Self::Node(node) => node.start(),
        }
    }

    pub(super) fn listen(&mut self, server: ServerId, query: Query) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, Event::Listen { server, query }),
            Self::Node(node) => node.listen(server, query),
        }
    }

    pub(super) fn message(&mut self, message: ToWorker) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, Event::Message { message }),
            Self::Node(node) => node.message(message),
        }
    }

    /// `conn` is none when its descriptor was lost.
    pub(super) fn offered(&mut self, seq: Seq, came: Came, conn: Option<ConnId>) -> Vec<Todo> {
        match (self, came) {
            (Self::Core(core), Came::Lane(listener)) => {
                let carrier = Carrier::Lane(listener);
                ask(core, Event::Offered { seq, carrier, conn })
            }
            (Self::Core(core), Came::Channel(key)) => {
                // Towards Node a lost descriptor is received and refused: after a NACK the client is forgotten.
                let mut todo = vec![Todo::Utter(crate::sim::link::Up::HandleAck)];
                let carrier = Carrier::Channel(key);
                todo.extend(ask(core, Event::Offered { seq, carrier, conn }));
                todo
            }
            (Self::Node(node), Came::Channel(key)) => node.offered(seq, &key, conn),
            // A Node worker has no lane.
            (Self::Node(_), Came::Lane(_)) => Vec::new(),
        }
    }

    pub(super) fn shared_ready(&mut self, server: ServerId, port: u16) -> Vec<Todo> {
        let outcome = Ok(port);
        match self {
            Self::Core(core) => ask(core, Event::SharedReady { server, outcome }),
            Self::Node(_) => Vec::new(),
        }
    }

    /// The user waits, and this one is held for it.
    pub(super) fn wanted(&mut self, conn: ConnId) -> Vec<Todo> {
        self.of_conn(Event::Wanted { conn, told: false })
    }

    /// The user has it in hand.
    pub(super) fn taken(&mut self, conn: ConnId) -> Vec<Todo> {
        self.of_conn(Event::Taken { conn, told: false })
    }

    /// The user will never have it.
    pub(super) fn returned(&mut self, conn: ConnId) -> Vec<Todo> {
        self.of_conn(Event::Returned { conn })
    }

    fn of_conn(&mut self, event: Event) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, event),
            // It has answered already.
            Self::Node(_) => Vec::new(),
        }
    }

    /// It closes its listeners, or has.
    pub(super) const fn is_leaving(&self) -> bool {
        match self {
            Self::Core(core) => core.is_leaving(),
            Self::Node(node) => node.is_leaving(),
        }
    }

    /// Its user sees a connection in the step that delivers it.
    pub(super) const fn is_node(&self) -> bool {
        matches!(self, Self::Node(_))
    }

    pub(super) fn close_server(&mut self, server: ServerId) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, Event::CloseServer { server }),
            Self::Node(node) => node.close_server(server),
        }
    }

    pub(super) fn disconnect(&mut self) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, Event::Disconnect),
            Self::Node(node) => node.disconnect(),
        }
    }

    pub(super) fn finished(&mut self) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, Event::Finished),
            Self::Node(node) => node.finished(),
        }
    }

    pub(super) fn end(&mut self) -> Vec<Todo> {
        match self {
            Self::Core(core) => ask(core, Event::Eof),
            // Node's workers exit at once, planned or not.
            Self::Node(_) => vec![Todo::Exit],
        }
    }
}

/// One event, and what the machine wants done about it.
fn ask(core: &mut Worker, event: Event) -> Vec<Todo> {
    let mut actions = Vec::new();
    core.handle(event, &mut actions);
    let mut todo = Vec::with_capacity(actions.len());
    let mut answered = false;
    for action in actions {
        match action {
            Action::Hold { server, conn } => todo.push(Todo::Hold(server, conn)),
            Action::Send { message, .. } => todo.push(Todo::Say(message)),
            Action::AnswerLane { seq, verdict } => {
                answered = true;
                todo.push(Todo::Answer(seq, verdict));
            }
            // Its users promise nothing.
            Action::TellEnd { .. } => {}
            Action::Deliver { server, conn } => {
                // Nothing proves that it is untouched: the answer leaves first.
                if answered {
                    todo.push(Todo::Flush);
                }
                todo.push(Todo::Deliver(server, conn));
            }
            Action::Drop { conn } => todo.push(Todo::Drop(conn)),
            Action::Listening { server, .. } => todo.push(Todo::Opened(server)),
            // The listener's number is filled in by the process, which saw the reply.
            Action::SetUpShared { server, .. } => {
                todo.push(Todo::SetUp(server, ListenerId(u32::MAX)));
            }
            Action::ListenFailed { server, errno } => todo.push(Todo::Refused(server, errno)),
            Action::Closed { server } => todo.push(Todo::Closed(server)),
            Action::Drain => todo.push(Todo::Drain),
            Action::CloseChannel => todo.push(Todo::CloseChannel),
            Action::Disconnected { .. } => todo.push(Todo::Exit),
        }
    }
    todo
}

impl Process {
    /// Puts these steps behind all that are to be done.
    pub(super) fn plan_all(&mut self, steps: Vec<Todo>) {
        for step in steps {
            self.todo.push_back(match (step, self.reply_listener) {
                (Todo::SetUp(server, _), Some(listener)) => Todo::SetUp(server, listener),
                (other, _) => other,
            });
        }
    }

    /// The user listens. Every second worker brings data, each its own.
    pub fn listen(&mut self, query: Query) {
        let data = (self.id.0 % 2 == 0).then(|| self.id.to_string());
        let query = Query { data, ..query };
        let id = ServerId(u32::try_from(self.servers.len()).unwrap_or(u32::MAX));
        let open = |it: &Server| it.wanted && it.state != Serving::Closed;
        let twice = |it: &Server| open(it) && it.query.key() == query.key();
        let is_second = self.servers.iter().any(twice);
        let steps = self.brain.listen(id, query.clone());
        self.servers.push(Server { id, query, state: Serving::Asked, wanted: true, is_second });
        self.plan_all(steps);
    }

    /// The user closes a listener that is open or asked for, and may open it again at once.
    pub fn close_server(&mut self, which: usize, again: bool) -> bool {
        let closable = |it: &&Server| it.state != Serving::Closed;
        let Some((id, query)) =
            self.servers.iter().filter(closable).nth(which).map(|it| (it.id, it.query.clone()))
        else {
            return false;
        };
        if let Some(it) = self.servers.iter_mut().find(|it| it.id == id) {
            it.wanted = false;
        }
        let steps = self.brain.close_server(id);
        self.plan_all(steps);
        self.todo.push_back(Todo::Flush);
        if again {
            self.listen(query);
        }
        true
    }

    /// The user wants to leave.
    pub fn disconnect(&mut self) {
        let steps = self.brain.disconnect();
        self.plan_all(steps);
        self.todo.push_back(Todo::Flush);
    }
}
