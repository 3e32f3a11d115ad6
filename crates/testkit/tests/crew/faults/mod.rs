//! What workers do to their primary, and to each other: one fault per file, each made by a program that one can read.

mod before_answer;
mod matrix;
