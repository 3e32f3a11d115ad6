//! One policy with its parameters.

use std::fmt;
use std::str::FromStr;

use super::Sticky;
use super::name::Name;
use crate::output::words::policies as words;

/// Who accepts connections and how a worker is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Policy {
    RoundRobin,
    LeastConnections,
    Sticky(Sticky),
    Shared,
    Kernel,
}

impl Policy {
    /// What it is called, without its parameters.
    pub(crate) const fn name(&self) -> &'static str {
        let name = match self {
            Self::RoundRobin => Name::RoundRobin,
            Self::LeastConnections => Name::LeastConnections,
            Self::Sticky(_) => Name::Sticky,
            Self::Shared => Name::Shared,
            Self::Kernel => Name::Kernel,
        };
        name.as_str()
    }

    /// Whether workers accept by themselves under it.
    pub(crate) const fn is_without_primary(&self) -> bool {
        match self {
            Self::Shared | Self::Kernel => true,
            Self::RoundRobin | Self::LeastConnections | Self::Sticky(_) => false,
        }
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, parameters) = match text.split_once('=') {
            Some((name, parameters)) => (name, Some(parameters)),
            None => (text, None),
        };
        let name = Name::parse(name)?;
        match (name, parameters) {
            (Name::Sticky, None) => Ok(Self::Sticky(Sticky::default())),
            (Name::Sticky, Some(parameters)) => Ok(Self::Sticky(parameters.parse()?)),
            (Name::RoundRobin, None) => Ok(Self::RoundRobin),
            (Name::LeastConnections, None) => Ok(Self::LeastConnections),
            (Name::Shared, None) => Ok(Self::Shared),
            (Name::Kernel, None) => Ok(Self::Kernel),
            (Name::RoundRobin | Name::LeastConnections | Name::Shared | Name::Kernel, Some(_)) => {
                Err(words::no_parameters(name.as_str()))
            }
        }
    }
}

/// As it is written.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Sticky(sticky) if *sticky != Sticky::default() => write!(f, "={sticky}"),
            Self::RoundRobin
            | Self::LeastConnections
            | Self::Sticky(_)
            | Self::Shared
            | Self::Kernel => Ok(()),
        }
    }
}
