//! A worker is killed at each point of its conversation, with each kind of connection: what the client sees, and what
//! the primary counts.

use std::net::SocketAddr;

use portcrew_testkit::faults::{Client, Fate, Kind, Point, Writes};
use portcrew_testkit::ledger::PrimaryCounts;
use portcrew_testkit::process::{eventually, proc_fs};
use serde_json::Value;

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

/// Where a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With another worker, the first to which it was offered.
    Other,
    /// With another worker, to which it was offered again.
    Again,
    /// Closed: the kernel shows that the dead worker has used it.
    Touched,
    /// Closed: the client had reset it.
    PeerGone,
    /// Lost with the worker, which had said that it has it.
    Inside,
}

use End::{Again, Inside, Other, PeerGone, Touched};

#[rustfmt::skip]
const WORLD: [(Point, [End; 5]); 12] = [
    //                    plain    silent   half-cl. empty    reset
    (Point::Starting,   [ Other,   Other,   Other,   Other,   Other    ]),
    (Point::Offered,    [ Again,   Again,   Again,   Again,   PeerGone ]),
    (Point::Received,   [ Again,   Again,   Again,   Again,   PeerGone ]),
    (Point::Peeked,     [ Again,   Again,   Again,   Again,   PeerGone ]),
    // Where there is nothing to be read, or only the end, reading leaves no trace and takes nothing.
    (Point::Read,       [ Touched, Again,   Touched, Again,   PeerGone ]),
    (Point::Corked,     [ Touched, Touched, Touched, Touched, PeerGone ]),
    (Point::Part,       [ Touched, Touched, Touched, Touched, PeerGone ]),
    (Point::Whole,      [ Touched, Touched, Touched, Touched, PeerGone ]),
    (Point::Draining,   [ Again,   Again,   Again,   Again,   PeerGone ]),
    (Point::Taken,      [ Inside,  Inside,  Inside,  Inside,  Inside   ]),
    (Point::TakenPart,  [ Inside,  Inside,  Inside,  Inside,  Inside   ]),
    (Point::TakenWhole, [ Inside,  Inside,  Inside,  Inside,  Inside   ]),
];

#[test]
fn every_connection_of_a_killed_worker_ends_in_the_one_place_that_the_kernels_account_allows() {
    plays(true);
}

#[test]
fn and_so_it_does_on_nodes_channel() {
    plays(false);
}

fn plays(lane: bool) {
    let mut world = World::new(lane);
    let before = proc_fs::fd_count(world.crew.pid()).unwrap();
    for (point, ends) in WORLD {
        for (kind, end) in Kind::ALL.into_iter().zip(ends) {
            world.play(point, kind, end);
        }
    }
    world.crew.assert_fds(before);
    world.crew.assert_no_panic();
}

/// A primary that keeps its address, and has no worker between two cells.
struct World {
    crew: Crew,
    address: SocketAddr,
}

impl World {
    fn new(lane: bool) -> Self {
        let mut crew = Crew::start(primary(SERVER).env("LANE", if lane { "1" } else { "0" }));
        let address = crew.fork(1);
        crew.next("fork");
        crew.tell("kill 1 SIGKILL");
        crew.next("exit");
        Self { crew, address }
    }

    fn play(&mut self, point: Point, kind: Kind, end: End) {
        let first = self.crew.snapshot();
        let mut client = Client::connect(kind, self.address).unwrap();
        eventually("it waits", HANG, || (self.crew.snapshot()["held"] == 1).then_some(()));
        let rogue = self.start(&format!("{ROGUE} stands {point}"));
        assert_eq!(self.crew.next("at")["point"], point.name());
        client.reset_if_it_does(HANG);
        let other = if point == Point::Draining {
            // The last that leaves by order would take the address with it.
            let other = self.start_serving();
            self.crew.tell(&format!("disconnect {rogue}"));
            self.crew.next("told");
            self.kill(rogue);
            other
        } else {
            self.kill(rogue);
            self.start_serving()
        };
        self.judge(client, (point, kind, end), (rogue, other), &first);
    }

    /// Looks at both books, and leaves no worker.
    fn judge(
        &mut self,
        client: Client,
        (point, kind, end): (Point, Kind, End),
        (rogue, other): (u64, u64),
        first: &Value,
    ) {
        let fate = client.fate(HANG);
        let expected = fate_of(point, kind, end, (rogue, other));
        assert_eq!(fate, expected, "{kind} at {point}: what the client sees");
        self.crew.settled_counts();
        let last = self.crew.snapshot();
        let taken_by_other = &last["workers"][0]["taken"];
        let again =
            last["offered_again"].as_u64().unwrap() - first["offered_again"].as_u64().unwrap();
        let counts =
            |books: &Value| -> PrimaryCounts { serde_json::from_value(books.clone()).unwrap() };
        let counts = counts(&last).since(&counts(first));
        let closed = |reason: &str| counts.closed[reason];
        let found = (counts.taken, closed("touched"), closed("peer_gone"), again);
        let expected = match end {
            Other => (1, 0, 0, 0),
            Again => (1, 0, 0, 1),
            Touched => (0, 1, 0, 0),
            PeerGone => (0, 0, 1, 0),
            Inside => (1, 0, 0, 0),
        };
        assert_eq!(found, expected, "{kind} at {point}: taken, touched, peer_gone, offered again");
        assert_eq!(*taken_by_other, u64::from(matches!(end, Other | Again)), "{kind} at {point}");
        assert!(counts.accepted == 1 && counts.is_conserved(), "{kind} at {point}: {counts:?}");
        self.kill(other);
    }

    fn start_serving(&mut self) -> u64 {
        let worker = self.start(SERVER);
        self.crew.next_where("listening", |event| event["worker"] == worker);
        worker
    }

    fn start(&mut self, program: &str) -> u64 {
        self.crew.tell(&format!("program {program}"));
        self.crew.tell("fork");
        self.crew.next("fork")["worker"].as_u64().unwrap()
    }

    fn kill(&mut self, worker: u64) {
        self.crew.tell(&format!("kill {worker} SIGKILL"));
        self.crew.next_where("exit", |event| event["worker"] == worker);
    }
}

/// What the client sees of that end.
fn fate_of(point: Point, kind: Kind, end: End, (rogue, other): (u64, u64)) -> Fate {
    let answered = |worker: u64| Fate::Answered(u32::try_from(worker).unwrap());
    match (kind, end) {
        (Kind::Reset, _) => Fate::Gone,
        // It is taken, and there is nothing to answer.
        (Kind::Empty, Other | Again) => Fate::Nothing,
        (_, Other | Again) => answered(other),
        (_, Touched | PeerGone | Inside) => match (point.writes(), kind) {
            (Writes::Whole, _) => answered(rogue),
            (Writes::Part, _) => Fate::Part,
            // The kernel sends what it has held back with the end, unless something was left unread: then a reset.
            (Writes::Corked, Kind::Silent | Kind::Empty) => Fate::Part,
            (Writes::Corked | Writes::Nothing, _) => Fate::Nothing,
        },
    }
}
