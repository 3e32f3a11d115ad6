//! The numbers by which the machines speak of things that the shell owns.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A worker of one primary: Node's `worker.id`, from 1, never given twice by the same primary.
    WorkerId(u32)
}
id! {
    /// A listener of the primary. Workers that ask for the same [`Key`](crate::Key) share one.
    ListenerId(u32)
}
id! {
    /// One of the sockets of a listener over which the kernel spreads connections. Counted by listener, from 0, and
    /// never given twice.
    MemberId(u32)
}
id! {
    /// An accepted connection. The shell chooses the number and must not reuse it while the connection lives.
    ConnId(u64)
}
id! {
    /// The number of one message on one channel; an answer carries it back. Node calls it `seq` and `ack`.
    Seq(u64)
}
id! {
    /// A listener as one worker counts its own.
    ServerId(u32)
}
