//! The binary itself: what it prints and how it exits, without a crew.

mod bad_input;
mod command;
mod help;
