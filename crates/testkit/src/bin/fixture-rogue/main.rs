//! A worker that breaks rules or dies in the middle, told which by its first argument. It speaks the wire itself.
//!
//! `ADDRESS` (127.0.0.1:0): where it listens, where its part wants connections. Parts:
//!
//! * `deaf`: listens, and reads nothing from then on. `mute`: receives connections and never answers for them.
//!   `nibbler`: likewise, and reads a byte of each. Each tells what it did: READY, RECEIVED, TOUCHED.
//! * `garbage`, `huge`, `brackets`, `unknown`, `acts`, `forged`, `listeners`, `questions`, `sockets`, `lane-garbage`, `lane-sockets`:
//!   hostile input. Says DONE when all is written, CLOSED when the primary has closed the channel; then it ends.
//! * `half-channel`, `cut-frame`, `half-lane`, `no-lane`, `no-channel`: listens, closes that much of what it was given,
//!   and says CLOSED when the primary has closed the rest; then it ends, or with `stay` behind it lives on.
//! * `flood`: never stops to send what is allowed and means nothing. Says READY first, and
//!   counts its lines by the thousand.
//! * `lane-flood`: the same by the lane: ends of connections that never were. Says READY first.
//! * `foreign`: writes and reads its channel as Bun does, and binds a port by itself. Says HEARD when it was told to
//!   leave in the same way, and ends.
//! * `ask`: asks for each of ADDRESS, which has several with commas (`fd:N` and `udp:PORT` too), as a program that has
//!   taken a worker over would. Says GIVEN or REFUSED with the number of the error, for each in a line, and stays.
//! * `twice`: takes each connection, answers twice for it, and closes it.
//! * `refuser`: refuses every connection.
//! * `hungry`: listens, and takes memory until its limit ends it.
//! * `parent [setsid]`: has a child that holds its channel, lane and listener for ever, in its own group or in another.
//!   Tells `child`, receives connections and never answers.
//! * `shuts`: shuts down the listening socket that all share, whenever it gets a message; `flips` changes the mode of
//!   that socket for ever. Both tell `flipped` each time, the latter by the thousand.
//! * `dies POINT`: comes to that point of the conversation with the first connections that it is offered, and kills
//!   itself there. `stands POINT`: likewise, tells `at`, and does nothing more but tell `told` when it was told to leave
//!   (`draining`). The points are `portcrew_testkit::faults::Point`.
//! * `refuse N`: says of the first N sockets that come with messages that they did not arrive. Later ones it takes:
//!   writes `rogue` to each and sends `{"took":M,"refused":[TYPE…]}`.

#![forbid(unsafe_code)]
// Its output is how a test follows it.
#![allow(clippy::print_stdout)]

mod foreign;
mod holder;
mod hostile;
mod hungry;
mod join;
mod mortal;
mod parting;
mod quiet;
mod refuse;

use std::io;

use join::Rogue;
use mortal::{Then, come_to};
use parting::Parting;
use portcrew_testkit::faults::Point;
use portcrew_testkit::fixture::runtime;

fn main() -> io::Result<()> {
    let part = std::env::args().nth(1).unwrap_or_default();
    let inherited = portcrew_ipc::inherit::claim().map_err(io::Error::other)?;
    let inherited = inherited.ok_or_else(|| io::Error::other("this fixture is a worker"))?;
    if part == "foreign" {
        return foreign::play(inherited);
    }
    runtime()?.block_on(async {
        let mut rogue = Rogue::new(inherited).await?;
        if let Some(parting) = Parting::named(&part) {
            let stays = std::env::args().nth(2).is_some_and(|it| it == "stay");
            return parting::part(rogue, parting, stays).await;
        }
        match part.as_str() {
            "deaf" => {
                rogue.listen().await?;
                println!("READY");
                std::future::pending().await
            }
            "mute" => quiet::receive(&mut rogue, quiet::Part::Mute).await,
            "nibbler" => quiet::receive(&mut rogue, quiet::Part::Nibbler).await,
            "ask" => rogue.ask_for_all().await,
            "twice" => quiet::receive(&mut rogue, quiet::Part::Twice).await,
            "refuser" => quiet::receive(&mut rogue, quiet::Part::Refuser).await,
            "hungry" => {
                rogue.listen().await?;
                hungry::eat()
            }
            "parent" => holder::parent(&mut rogue, std::env::args().nth(2)).await,
            "shuts" => holder::shuts(&mut rogue).await,
            "flips" => holder::flips(&mut rogue).await,
            "dies" => come_to(&mut rogue, point()?, Then::Die).await,
            "stands" => come_to(&mut rogue, point()?, Then::Stand).await,
            "refuse" => {
                let count = std::env::args().nth(2).and_then(|it| it.parse().ok());
                refuse::refuse(&mut rogue, count.unwrap_or(0)).await
            }
            hostile => {
                hostile::attack(&mut rogue, hostile)?;
                rogue.wait_closed().await
            }
        }
    })
}

fn point() -> io::Result<Point> {
    std::env::args().nth(2).unwrap_or_default().parse().map_err(io::Error::other)
}
