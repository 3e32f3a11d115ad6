//! Each test is a sentence about a crew on its own clock.

mod reload;
mod restart;
mod stop;
mod walk;
mod world;
