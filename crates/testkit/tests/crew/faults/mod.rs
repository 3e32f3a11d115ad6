//! What workers do to their primary, and to each other: one fault per file, each made by a program that one can read.

mod at_once;
mod before_answer;
mod cannot_start;
mod channel_full;
mod crash_loop;
mod ends;
mod exit_codes;
mod grandchildren;
mod matrix;
mod memory;
mod refusing;
mod shared_socket;
mod slow_start;
