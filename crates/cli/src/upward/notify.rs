//! The text of a notification, as sd_notify(3) has it: assignments, one a line. Pure.

/// The longest status, in characters. It is one line of `systemctl status`.
const STATUS: usize = 200;

/// What a service manager is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// The service has started, or is itself again after a reload, whatever became of that.
    Ready(String),
    /// A reload has begun. `Type=notify-reload` waits for this after its signal, and then for [`Ready`](Self::Ready).
    Reloading(String),
    /// The service is about to end.
    Stopping(String),
    /// Nothing has changed but how things are.
    Status(String),
    /// The loop turns.
    Alive,
}

/// Who says it, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub(super) pid: u32,
    /// CLOCK_MONOTONIC in microseconds, by which the manager tells an answer to its signal from one to an older.
    pub(super) monotonic: u64,
}

impl Message {
    pub(super) fn text(&self, sender: Sender) -> String {
        match self {
            Self::Ready(status) => {
                format!("READY=1{}\nSTATUS={}", main_pid(sender.pid), line(status))
            }
            Self::Reloading(status) => {
                let at = sender.monotonic;
                format!("RELOADING=1\nMONOTONIC_USEC={at}\nSTATUS={}", line(status))
            }
            Self::Stopping(status) => format!("STOPPING=1\nSTATUS={}", line(status)),
            Self::Status(status) => format!("STATUS={}", line(status)),
            Self::Alive => "WATCHDOG=1".to_owned(),
        }
    }
}

/// Where a wrapper has started us, the manager knows the wrapper's. Process 1 is so in a container, and its number
/// means another process to a manager outside.
fn main_pid(pid: u32) -> String {
    if pid == 1 { String::new() } else { format!("\nMAINPID={pid}") }
}

/// One line: another one would be another assignment.
fn line(status: &str) -> String {
    status.chars().map(|c| if c.is_control() { ' ' } else { c }).take(STATUS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &Message) -> String {
        message.text(Sender { pid: 42, monotonic: 1_234_567 })
    }

    #[test]
    fn each_message_is_written_as_the_manual_has_it() {
        let status = || "2 of 2 workers ready".to_owned();
        for (message, expected) in [
            (Message::Ready(status()), "READY=1\nMAINPID=42\nSTATUS=2 of 2 workers ready"),
            (
                Message::Reloading(status()),
                "RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=2 of 2 workers ready",
            ),
            (Message::Stopping(status()), "STOPPING=1\nSTATUS=2 of 2 workers ready"),
            (Message::Status(status()), "STATUS=2 of 2 workers ready"),
            (Message::Alive, "WATCHDOG=1"),
        ] {
            assert_eq!(text(&message), expected);
        }
    }

    #[test]
    fn a_status_stays_one_line_of_bounded_length() {
        let status = format!("a\nREADY=1\u{1b}{}", "x".repeat(300));
        let told = text(&Message::Status(status));
        assert!(told.starts_with("STATUS=a READY=1 xxx"), "{told}");
        assert_eq!(told.chars().count(), "STATUS=".len() + STATUS);
    }

    #[test]
    fn the_number_of_process_1_is_not_told() {
        let ready = Message::Ready(String::new()).text(Sender { pid: 1, monotonic: 0 });
        assert_eq!(ready, "READY=1\nSTATUS=");
    }
}
