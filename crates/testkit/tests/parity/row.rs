//! What a row is: a test of Node's suite, what it asserts, and how that is proven here.

use portcrew::Role;

use crate::world::World;

/// One test of Node's suite.
pub(crate) struct Row {
    /// Its name there.
    pub(crate) name: &'static str,
    /// What it asserts, in our words.
    pub(crate) asserts: &'static str,
    /// How we stand to it.
    pub(crate) verdict: Verdict,
    /// The tests that show it, one for each pairing that makes sense.
    pub(crate) proofs: &'static [Proof],
    /// What the Rust processes of this row do.
    pub(crate) parts: &'static [Part],
}

/// How we stand to a row.
#[allow(dead_code, reason = "the best page needs some of them nowhere")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds here too.
    Passes,
    /// Something better holds; this is what, and why. The proofs show ours.
    Differs(&'static str),
    /// It says nothing about a cluster of processes; with the reason and what it is about.
    NotApplicable(Reason, &'static str),
    /// It does not hold yet; this is what is missing.
    Missing(&'static str),
}

/// Why a row cannot be asked of us. There is no other reason.
#[allow(dead_code, reason = "the list is closed, whoever needs which")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Constructors, prototypes, argument checks of a language without types, exceptions from listeners.
    JavaScriptObjects,
    /// Windows only.
    Windows,
    /// The inspector's user interface.
    Inspector,
}

/// Whether the machine has what a proof needs, or why not.
pub(crate) type Needs = fn(&World) -> Result<(), String>;

/// One test.
pub(crate) struct Proof {
    /// Who is who.
    pub(crate) pairing: Pairing,
    /// The first Node that can play its part, as major and minor.
    pub(crate) since: Option<(u32, u32)>,
    /// What the machine must have for it.
    pub(crate) needs: Option<Needs>,
    /// The test; it fails by a panic.
    pub(crate) run: fn(&World),
}

/// Primary with workers, or parent with children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// A primary of this library with unmodified Node workers.
    RustNode,
    /// Node's own primary with workers of this library.
    NodeRust,
    /// This library on both sides.
    RustRust,
}

/// What a Rust process does that a row starts.
pub(crate) struct Part {
    /// Its name within the row.
    pub(crate) name: &'static str,
    /// Its `main`, after the role is known. Returning is an exit with status 0.
    pub(crate) main: fn(Role),
}

impl Proof {
    const fn new(pairing: Pairing, run: fn(&World)) -> Self {
        Self { pairing, since: None, needs: None, run }
    }

    /// Shown with a Rust primary and Node workers.
    pub(crate) const fn rust_node(run: fn(&World)) -> Self {
        Self::new(Pairing::RustNode, run)
    }

    /// Shown with Node's primary and Rust workers.
    pub(crate) const fn node_rust(run: fn(&World)) -> Self {
        Self::new(Pairing::NodeRust, run)
    }

    /// Shown with Rust on both sides.
    pub(crate) const fn rust_rust(run: fn(&World)) -> Self {
        Self::new(Pairing::RustRust, run)
    }

    /// Needs at least this Node.
    pub(crate) const fn since(mut self, major: u32, minor: u32) -> Self {
        self.since = Some((major, minor));
        self
    }

    /// Needs something of the machine. Where it is missing the test says so and counts as ignored.
    pub(crate) const fn needs(mut self, needs: Needs) -> Self {
        self.needs = Some(needs);
        self
    }
}

impl Part {
    pub(crate) const fn new(name: &'static str, main: fn(Role)) -> Self {
        Self { name, main }
    }
}

impl Row {
    /// A row that nothing here can be asked about.
    pub(crate) const fn not_applicable(
        name: &'static str,
        asserts: &'static str,
        reason: Reason,
        what: &'static str,
    ) -> Self {
        let verdict = Verdict::NotApplicable(reason, what);
        Self { name, asserts, verdict, proofs: &[], parts: &[] }
    }

    /// A row that does not hold yet.
    #[allow(dead_code, reason = "the best page needs it nowhere")]
    pub(crate) const fn missing(
        name: &'static str,
        asserts: &'static str,
        what: &'static str,
    ) -> Self {
        Self { name, asserts, verdict: Verdict::Missing(what), proofs: &[], parts: &[] }
    }
}

impl Pairing {
    /// In the order of the page's columns.
    pub(crate) const ALL: [Self; 3] = [Self::RustNode, Self::NodeRust, Self::RustRust];

    /// As tests are named.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RustNode => "rust-node",
            Self::NodeRust => "node-rust",
            Self::RustRust => "rust-rust",
        }
    }

    /// Whether Node plays a part.
    pub(crate) const fn needs_node(self) -> bool {
        match self {
            Self::RustNode | Self::NodeRust => true,
            Self::RustRust => false,
        }
    }
}

impl Reason {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::JavaScriptObjects => "JavaScript object model",
            Self::Windows => "Windows",
            Self::Inspector => "inspector user interface",
        }
    }
}
