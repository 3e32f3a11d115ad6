//! The words for a `--policy` that cannot be. The argument parser puts the option and its value before them.

use std::fmt::Display;
use std::time::Duration;

use super::notices::span;

/// What can be chosen.
const ALL: &str = "round-robin, least-connections, sticky, shared and kernel";

pub(crate) fn empty_item() -> String {
    "there is an empty item: items are joined by one comma, as in 8080=sticky,9090=shared"
        .to_owned()
}

pub(crate) fn unknown(name: &str, near: Option<&str>) -> String {
    format!("there is no policy `{}`. {}There are {ALL}", name.escape_debug(), did_you_mean(near))
}

pub(crate) fn called(name: &str, ours: &str) -> String {
    format!("what others call `{name}` is `{ours}` here. There are {ALL}")
}

/// Of a crew that runs.
pub(crate) fn made_for_kernel(listener: Option<&str>) -> String {
    let of = listener.map_or_else(String::new, |it| format!(" of {it}"));
    format!(
        "the sockets{of} were made for another way: `kernel` has one for each worker, the other policies one for all. \
         Stop the crew, and start it with the new --policy"
    )
}

/// `kernel` for a path or a descriptor.
pub(crate) fn not_for_kernel(item: &str) -> String {
    format!(
        "`{item}`: the kernel spreads connections over the sockets of a TCP or UDP port; of a path or a descriptor \
         there is one. Use `shared`: the workers accept there, too"
    )
}

pub(crate) fn no_parameters(name: &str) -> String {
    format!("`{name}` has no parameters, only `sticky` has")
}

pub(crate) fn two_for_all(first: &dyn Display, second: &dyn Display) -> String {
    format!(
        "`{first}` and `{second}` are both for all listeners: name the listener of one, as in 8080={second}"
    )
}

pub(crate) fn listener_twice(listener: &dyn Display) -> String {
    format!("`{listener}` is named twice: a listener has one policy")
}

/// What is wrong with the policy of one listener.
pub(crate) fn of_listener(listener: &dyn Display, reason: &str) -> String {
    format!("for {listener}: {reason}")
}

/// Of a crew that runs; `there` is what could be named.
pub(crate) fn no_such_listener(listener: &str, there: &[String]) -> String {
    let there = match there {
        [] => "It has none that can be named: whoever listens on port 0 gets the policy for all"
            .to_owned(),
        there => format!("There are {}", there.join(", ")),
    };
    format!("the crew has no listener {listener}. {there}")
}

pub(crate) fn no_policy(item: &str) -> String {
    format!("`{}` says no policy: write LISTENER=POLICY, as in 8080=sticky", item.escape_debug())
}

pub(crate) fn not_a_listener(text: &str) -> String {
    format!(
        "`{}` is no listener: name it by its TCP port alone (8080), by its Unix path with a slash (./app.sock), or by \
         a descriptor (fd:3)",
        text.escape_debug()
    )
}

pub(crate) fn not_a_port(text: &str) -> String {
    format!("`{text}` is no port: ports are 1 to 65535")
}

pub(crate) fn any_port() -> String {
    "port 0 cannot be named: who listens on it gets any free port, and the policy for all listeners"
        .to_owned()
}

pub(crate) fn not_a_descriptor(text: &str) -> String {
    format!("`{}` is no descriptor: give its number, as in fd:3", text.escape_debug())
}

pub(crate) fn empty_parameter() -> String {
    "there is an empty parameter: those of sticky are joined by one `+`, as in sticky=cookie:sid+wait:2s"
        .to_owned()
}

pub(crate) fn unknown_parameter(word: &str, near: Option<&str>) -> String {
    format!(
        "sticky has no parameter `{}`. {}It has cookie:NAME, header:NAME, query:NAME, turn, proxy, v4:BITS, \
         v6:BITS and wait:TIME",
        word.escape_debug(),
        did_you_mean(near)
    )
}

pub(crate) fn needs_value(word: &str) -> String {
    match word {
        "v4" => "`v4` needs a number of bits, as in v4:24".to_owned(),
        "v6" => "`v6` needs a number of bits, as in v6:56".to_owned(),
        "wait" => "`wait` needs a time, as in wait:2s".to_owned(),
        named => format!("`{named}` needs a name, as in {named}:{}", example(named)),
    }
}

pub(crate) fn has_no_value(word: &str) -> String {
    match word {
        "proxy" => {
            "`proxy` has no value: both versions of the PROXY protocol are understood".to_owned()
        }
        word => format!("`{word}` has no value"),
    }
}

pub(crate) fn turn_needs_a_value() -> String {
    "`turn` is about clients without a value: say which, as in query:sid+turn".to_owned()
}

pub(crate) fn parameter_twice(word: &str) -> String {
    format!("`{word}` is given twice")
}

pub(crate) fn two_values() -> String {
    "a client is known by one of cookie, header and query: give one".to_owned()
}

pub(crate) fn name_too_long(word: &str, limit: usize) -> String {
    format!("the name of {} has at most {limit} bytes", thing(word))
}

pub(crate) fn bad_name(word: &str, name: &str) -> String {
    let allowed = match word {
        "query" => {
            "letters, digits and -._~%!$'()*;:@/?; write others as in the request, percent-encoded"
        }
        _ => "letters, digits and !#$%&'*-.^_`|~",
    };
    format!("`{}` cannot be the name of {}: it has {allowed}", name.escape_debug(), thing(word))
}

pub(crate) fn bad_bits(text: &str, most: u8) -> String {
    let family = if most == 32 { "IPv4" } else { "IPv6" };
    format!("`{}`: an {family} address has 1 to {most} bits", text.escape_debug())
}

pub(crate) fn bad_wait(text: &str, reason: &str) -> String {
    format!("`{}`: {reason}", text.escape_debug())
}

pub(crate) fn wait_too_long(text: &str, most: Duration) -> String {
    format!(
        "`{text}` is too long: a connection that no worker takes is closed after {}, so give less",
        span(most)
    )
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|word| format!("Did you mean `{word}`? ")).unwrap_or_default()
}

/// What `cookie`, `header` and `query` name.
fn thing(word: &str) -> &'static str {
    match word {
        "cookie" => "a cookie",
        "header" => "a header",
        _ => "a query's parameter",
    }
}

fn example(word: &str) -> &'static str {
    match word {
        "cookie" => "session",
        "header" => "X-Session",
        _ => "sid",
    }
}
