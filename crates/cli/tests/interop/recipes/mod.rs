//! Recipes: programs that know nothing of portcrew join a crew by the socket that they inherit, as `docs/any-language.md`
//! tells. What the page says is what is run.
//!
//! A plain `cargo test` runs those that need nothing but Python and Node. `just recipes` (`PORTCREW_RECIPES=1`) runs all,
//! each under load with more kills, and writes the page's table.

mod all;
mod gap;
mod page;
mod table;
mod traffic;
mod trial;
mod world;
