//! The one way in which runtimes write cluster messages differently.

/// Bun puts this byte in front of its cluster messages, and takes for one only what begins with it. (Node takes such
/// a line for broken JSON and dies of it.)
pub(super) const BUN_INTERNAL: u8 = 0x02;

/// How a peer writes and reads cluster messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// As JSON and nothing else.
    #[default]
    Node,
    /// With Bun's mark before it.
    Bun,
}

impl Dialect {
    /// That of the sender of this cluster message.
    pub(crate) const fn of(line: &[u8]) -> Self {
        match line {
            [BUN_INTERNAL, ..] => Self::Bun,
            _ => Self::Node,
        }
    }
}
