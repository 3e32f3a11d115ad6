//! Which process this program is.

use clap::ValueEnum;

use super::{bare, crew, lane, sendmsg};
use crate::Failure;

/// Primaries and, where those cannot tell by themselves, their workers.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Player {
    Sendmsg,
    SendmsgWorker,
    Lane,
    LaneWorker,
    Bare,
    BareWorker,
    Crew,
}

impl Player {
    /// The word that it is started with.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Sendmsg => "sendmsg",
            Self::SendmsgWorker => "sendmsg-worker",
            Self::Lane => "lane",
            Self::LaneWorker => "lane-worker",
            Self::Bare => "bare",
            Self::BareWorker => "bare-worker",
            Self::Crew => "crew",
        }
    }
}

pub(crate) fn play(player: Player) -> Result<(), Failure> {
    match player {
        Player::Sendmsg => sendmsg::send(),
        Player::SendmsgWorker => sendmsg::receive(),
        Player::Lane => lane::send(),
        Player::LaneWorker => lane::receive(),
        Player::Bare => bare::receive(),
        Player::BareWorker => bare::send(),
        Player::Crew => crew::run(),
    }
}
