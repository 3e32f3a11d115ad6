//! What a generation is started with: a program, as far as it matters here.

use portcrew_core::{Address, Family, Query};

use crate::sim::plan::{Manner, Temper};
use crate::sim::rng::Rng;

/// A port that belongs to somebody else in every world.
pub const TAKEN: u16 = 1;

/// A program.
#[derive(Debug, Clone)]
pub struct Release {
    /// What is wrong with it.
    pub health: Health,
    /// Which of the world's addresses its workers listen on.
    pub addresses: Vec<usize>,
}

/// What is wrong with a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Nothing.
    Good,
    /// It is not there: it cannot be executed.
    NotThere,
    /// It ends before it listens.
    Exits,
    /// It is never ready.
    Mute,
    /// It is ready and ends soon after.
    Brief,
    /// It wants an address that it cannot have.
    NoAddress,
}

impl Release {
    /// The one that a crew begins with: usually it works.
    pub fn first(rng: &mut Rng, addresses: usize, faults: bool) -> Self {
        let broken = faults && rng.percent(12);
        let health = if broken { Health::draw(rng) } else { Health::Good };
        Self { health, addresses: (0..addresses).collect() }
    }

    /// One that comes later: often it is broken, and it need not want all that the one before it did.
    pub fn next(rng: &mut Rng, addresses: usize, faults: bool) -> Self {
        let broken = faults && rng.percent(50);
        let health = if broken { Health::draw(rng) } else { Health::Good };
        let mut all: Vec<_> = (0..addresses).collect();
        if addresses > 1 && rng.percent(30) {
            all.remove(rng.index(addresses));
        }
        Self { health, addresses: all }
    }

    /// How a worker of it behaves, which would otherwise behave like this.
    #[must_use]
    pub const fn temper(&self, temper: Temper) -> Temper {
        let manner = match self.health {
            Health::Good | Health::NotThere | Health::NoAddress => temper.manner,
            Health::Exits => Manner::Exiting,
            Health::Mute => Manner::Mute,
            Health::Brief => Manner::Brief,
        };
        Temper { manner, ..temper }
    }

    /// What its workers ask for, of the world's addresses.
    #[must_use]
    pub fn queries(&self, all: &[Query]) -> Vec<Query> {
        match self.health {
            Health::Exits | Health::Mute | Health::NotThere => Vec::new(),
            Health::NoAddress => vec![taken()],
            Health::Good | Health::Brief => {
                self.addresses.iter().filter_map(|at| all.get(*at).cloned()).collect()
            }
        }
    }
}

impl Health {
    fn draw(rng: &mut Rng) -> Self {
        rng.one_of(&[Self::NotThere, Self::Exits, Self::Mute, Self::Brief, Self::NoAddress])
    }
}

fn taken() -> Query {
    let address = Address::Tcp { host: None, port: TAKEN, family: Family::V4, ipv6_only: false };
    Query { address, index: 0, backlog: None, data: None }
}
