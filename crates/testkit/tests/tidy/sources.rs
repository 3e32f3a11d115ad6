//! The files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub(crate) struct Source {
    /// From the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every Rust file of every crate.
pub(crate) fn sources() -> Vec<Source> {
    let root = root();
    let mut files = Vec::new();
    collect(&root.join("crates"), &mut files);
    assert!(files.len() > 50, "the search found too few files to be the workspace");
    files
        .into_iter()
        .map(|file| Source {
            path: relative(&root, &file),
            text: fs::read_to_string(&file).expect("a source file is UTF-8"),
        })
        .collect()
}

/// A page of the workspace, by its path from the root.
pub(crate) fn document(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a page of the workspace can be read")
}

/// Every crate's folder name and manifest.
pub(crate) fn crates() -> Vec<(String, String)> {
    let folders = fs::read_dir(root().join("crates")).expect("the workspace has crates");
    folders
        .map(|it| it.expect("a folder can be listed").path())
        .filter(|it| it.join("Cargo.toml").exists())
        .map(|it| {
            let name = it.file_name().expect("a folder has a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(it.join("Cargo.toml")).expect("a manifest is UTF-8"))
        })
        .collect()
}

/// The names in a manifest's `[dependencies]`; those for tests only may point anywhere.
pub(crate) fn dependencies(manifest: &str) -> Vec<String> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn relative(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).expect("found below the root");
    path.to_string_lossy().into_owned()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder of the workspace can be listed")
        .map(|it| it.expect("a folder can be listed").path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|it| it == "rs") {
            files.push(entry);
        }
    }
}
