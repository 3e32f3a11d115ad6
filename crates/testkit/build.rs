//! Counts the sources that go into the programs of this crate into one number, `PORTCREW_SOURCES`. What it is for
//! stands in `src/fixture/stamp.rs`.

// Printing is how a build script speaks to cargo.
#![allow(clippy::print_stdout)]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What is hashed: files, and folders with all that is in them.
const INPUTS: [&str; 5] =
    ["../core/src", "../ipc/src", "../portcrew/src", "src", "../../Cargo.lock"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for input in INPUTS {
        println!("cargo::rerun-if-changed={input}");
        collect(Path::new(input), &mut files)?;
    }
    // A folder lists its files in any order.
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(&file)?.hash(&mut hasher);
        file.hash(&mut hasher);
    }
    println!("cargo::rustc-env=PORTCREW_SOURCES={:016x}", hasher.finish());
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}
