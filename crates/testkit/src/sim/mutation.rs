//! Planted faults: a wrong decision in the stream of events or actions, as a broken machine would make it.
//!
//! A checker that never objects is worth nothing. Each [`Mutation`] must be found within a few seeds.

mod crew;
mod planted;
mod saboteur;
mod schedulers;

pub use saboteur::{Circumstances, Saboteur};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// The copy of a taken connection is never closed.
    KeepsTaken,
    /// The copy of a connection whose client has gone is never closed.
    KeepsPeerGone,
    /// A copy is closed twice.
    ReleasesTwice,
    /// An offer is decided and not made.
    ForgetsOffer,
    /// An offer is made twice.
    OffersTwice,
    /// Accepting is not begun again.
    NeverAcceptsAgain,
    /// Accepting is not stopped.
    NeverStopsAccepting,
    /// A worker's answer is not heard.
    IgnoresAnswer,
    /// A refusal counts as an acceptance.
    TakesRefusal,
    /// A refusal counts as a descriptor that did not come.
    LosesRefusal,
    /// A touched connection is offered again.
    BelievesTouched,
    /// A connection that proves nothing is offered again.
    BelievesUnprovable,
    /// A connection whose client has gone is offered again.
    BelievesPeerGone,
    /// An exit counts as the end of the channel, though answers are still in it.
    DrainsOnExit,
    /// The end of the channel counts as the exit.
    ExitsOnDrain,
    /// A listener is not closed by the last one's will.
    KeepsListener,
    /// A worker's question gets no reply.
    ForgetsReply,
    /// A reply does not say what the workers of its listener have in common.
    ForgetsData,
    /// A window is one too wide.
    WindowOffByOne,
    /// The queue is one too long.
    QueueOffByOne,
    /// The scheduler waits although somebody is free.
    LazyScheduler,
    /// A rest after a failed accept is not taken.
    IgnoresEmfile,
    /// A connection may be refused once more than allowed.
    RefusalsOffByOne,
    /// Nobody is told that a worker has a listener of its own.
    HidesSelfBound,
    /// Accepting is not stopped when the last worker has gone that was handed connections.
    AcceptsForNobody,
    /// Nothing is given to a worker that accepts for itself while another is handed connections: that one gets it.
    SparesSharers,
    /// It is not heard that a worker does not survive a hand-over of what it accepts for itself.
    ForgetsAlone,
    /// A rule is set and the one before goes on.
    RuleIgnored,
    /// A change of a rule is undone by another rule than that before.
    UndoesWrong,
    /// What waits when a rule is set is offered to nobody.
    RuleLosesQueue,
    /// A slow answer changes nothing.
    WindowNeverNarrows,
    /// A quick answer changes nothing.
    WindowNeverWidens,
    /// Who is held up is not seen.
    HeldUpUnseen,
    /// It is not heard that a worker has served what it owes an answer for.
    IgnoresServed,
    /// A worker that refused is asked again at once.
    RestsNever,
    /// A worker that was away is owed all that it missed.
    ForgivesNothing,
    /// A successor does not get the seat of the one before.
    ForgetsSeat,
    /// The kernel tells an end that is not heard.
    ForgetsEnd,
    /// One end counts as two.
    EndsTwice,
    /// A worker tells an end that is not heard.
    ForgetsEndTold,
    /// A worker says that it will tell an end, which is not heard.
    BelievesNobodyTells,
    /// Nobody is asked to count.
    ForgetsToCount,
    /// It is not heard who counts.
    CountsUnasked,
    /// A policy is shown one connection too many of a worker.
    MiscountsLive,
    /// First bytes are not looked at.
    ForgetsLook,
    /// What was seen is not heard.
    IgnoresLook,
    /// What was seen is taken for something else.
    MisreadsLook,
    /// First bytes are waited for without end.
    LooksForEver,
    /// A policy that lets a connection wait for a time is not asked again.
    NeverAsksAgain,
    /// A policy that wants to be asked again is asked at once, and again, and again.
    AsksAtOnce,
    /// A connection does not wait for the worker that it sticks to.
    Impatient,
    /// The first free worker gets all.
    Favourite,
    /// A policy that panics has said nothing, and is asked again.
    HidesPanic,
    /// A newcomer that has said its first word counts as one that serves, and need not stay so.
    DrainsTooSoon,
    /// The crew does not hear that a worker has ended.
    ForgetsExit,
    /// Of several that have ended all are waited for, and told only then.
    ReapsAllFirst,
    /// Nobody is killed.
    NeverKills,
    /// SIGKILL is sent in place of SIGTERM.
    KillsAtOnce,
    /// Nothing is waited for before a restart.
    RestartsAtOnce,
    /// When a reload fails its newcomers are not told to leave.
    ForgetsNewcomer,
    /// A reload that was undone is said to be committed.
    CommitsTheBroken,
    /// Nobody is told that a reload is committed.
    ForgetsVerdict,
    /// A reload starts the old program over again.
    ForksOldProgram,
    /// A process is started twice.
    ForksTwice,
    /// A process is asked for and not started.
    ForgetsFork,
    /// The crew does not hear that a worker serves.
    LosesReady,
    /// The crew is called for a pause of the primary as if there had been none.
    CountsPause,
    /// Answers are held against workers though they may be owed for ever.
    HangsWhenOff,
    /// Beats are asked for though nobody wants them.
    BeatsWhenOff,
    /// The crew does not hear what its workers owe.
    IgnoresHang,
    /// An answer is said to be owed for longer than it is.
    BlamesEarly,
    /// The crew ends and its sockets stay open.
    KeepsListeners,
    /// A worker is told to leave and stays on its listeners.
    LeavesListed,
    /// A worker is made to end and stays on its listeners.
    KeepsGivenUp,
    /// A committed reload leaves open what its generation does not want.
    KeepsOldListener,
    /// The end of a client's bytes counts as one of them.
    HalfClosedIsTouched,
    /// What the kernel keeps back counts as not written.
    CorkedIsUntouched,
    /// Bytes that were thrown away count as unread.
    DiscardIsUntouched,
    /// Connections that were shed for want of descriptors are not heard of.
    IgnoresShed,
    /// More is shed in a span of time than may be.
    ShedsWithoutEnd,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 80] = [
        Self::KeepsTaken,
        Self::KeepsPeerGone,
        Self::ReleasesTwice,
        Self::ForgetsOffer,
        Self::OffersTwice,
        Self::NeverAcceptsAgain,
        Self::NeverStopsAccepting,
        Self::IgnoresAnswer,
        Self::TakesRefusal,
        Self::LosesRefusal,
        Self::BelievesTouched,
        Self::BelievesUnprovable,
        Self::BelievesPeerGone,
        Self::DrainsOnExit,
        Self::ExitsOnDrain,
        Self::KeepsListener,
        Self::ForgetsReply,
        Self::ForgetsData,
        Self::WindowOffByOne,
        Self::QueueOffByOne,
        Self::LazyScheduler,
        Self::IgnoresEmfile,
        Self::RefusalsOffByOne,
        Self::HidesSelfBound,
        Self::AcceptsForNobody,
        Self::SparesSharers,
        Self::ForgetsAlone,
        Self::RuleIgnored,
        Self::UndoesWrong,
        Self::RuleLosesQueue,
        Self::WindowNeverNarrows,
        Self::WindowNeverWidens,
        Self::HeldUpUnseen,
        Self::IgnoresServed,
        Self::RestsNever,
        Self::ForgivesNothing,
        Self::ForgetsSeat,
        Self::ForgetsEnd,
        Self::EndsTwice,
        Self::ForgetsEndTold,
        Self::BelievesNobodyTells,
        Self::ForgetsToCount,
        Self::CountsUnasked,
        Self::MiscountsLive,
        Self::ForgetsLook,
        Self::IgnoresLook,
        Self::MisreadsLook,
        Self::LooksForEver,
        Self::NeverAsksAgain,
        Self::AsksAtOnce,
        Self::Impatient,
        Self::Favourite,
        Self::HidesPanic,
        Self::DrainsTooSoon,
        Self::ForgetsExit,
        Self::ReapsAllFirst,
        Self::NeverKills,
        Self::KillsAtOnce,
        Self::RestartsAtOnce,
        Self::ForgetsNewcomer,
        Self::CommitsTheBroken,
        Self::ForgetsVerdict,
        Self::ForksOldProgram,
        Self::ForksTwice,
        Self::ForgetsFork,
        Self::LosesReady,
        Self::CountsPause,
        Self::HangsWhenOff,
        Self::BeatsWhenOff,
        Self::IgnoresHang,
        Self::BlamesEarly,
        Self::KeepsListeners,
        Self::LeavesListed,
        Self::KeepsGivenUp,
        Self::KeepsOldListener,
        Self::HalfClosedIsTouched,
        Self::CorkedIsUntouched,
        Self::DiscardIsUntouched,
        Self::IgnoresShed,
        Self::ShedsWithoutEnd,
    ];
}
