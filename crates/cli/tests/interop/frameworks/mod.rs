//! Servers written with frameworks, unmodified, as crews of three: everyone serves, nothing is lost in a reload.
//!
//! Each program in `apps` is as short as its framework's own first page, and knows nothing of clusters; it answers with
//! its pid. The result of a whole run is written into `docs/frameworks.md`.

mod client;
mod page;
mod project;
mod requests;
mod sessions;
