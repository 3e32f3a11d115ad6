//! The package.json that a package manager would read: its scripts and its name.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The largest package.json that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// A package on disk.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) file: PathBuf,
    pub(super) directory: PathBuf,
    content: Map<String, Value>,
}

impl Package {
    /// The nearest package at or above a directory, as package managers look for it.
    ///
    /// # Errors
    /// [`Refusal::PackageUnreadable`] when there is a package.json that cannot be read or is no JSON object.
    pub(super) fn nearest(directory: &Path) -> Result<Option<Self>, Refusal> {
        for directory in directory.ancestors() {
            let file = directory.join("package.json");
            match read(&file) {
                Ok(content) => {
                    return Ok(Some(Self { file, directory: directory.to_owned(), content }));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Refusal::PackageUnreadable { package: file, error });
                }
            }
        }
        Ok(None)
    }

    /// The command line of a script.
    pub(super) fn script(&self, name: &str) -> Option<&str> {
        self.content.get("scripts")?.get(name)?.as_str()
    }

    /// The names of all scripts.
    pub(super) fn scripts(&self) -> Vec<String> {
        let scripts = self.content.get("scripts").and_then(Value::as_object);
        scripts.map(|scripts| scripts.keys().cloned().collect()).unwrap_or_default()
    }

    /// A field of text such as `name` or `version`.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.content.get(field)?.as_str()
    }

    /// Where the package's installed programs are.
    pub(super) fn programs(&self) -> PathBuf {
        self.directory.join("node_modules/.bin")
    }
}

fn read(file: &Path) -> io::Result<Map<String, Value>> {
    let mut text = Vec::new();
    File::open(file)?.take(MAX_FILE).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
