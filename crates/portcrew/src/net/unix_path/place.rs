//! Paths of sockets in text: made absolute as Node makes them, and short enough for the kernel.

use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

/// The longest name of a Unix-domain socket in bytes, without the closing zero (unix(7)).
const SUN_PATH: usize = 107;

/// The path from the root, without `.` and `..`. Done by the text alone, links not followed, because Node does
/// so: workers of both kinds must name one path alike.
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(Errno::INVAL.into());
    }
    let mut out = PathBuf::from("/");
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(out)
}

/// The path, or the way to it from the working directory where only that is short enough. (Node takes the shorter of
/// the two always; the whole path is of more use to those who read it.)
pub(super) fn short(path: &Path) -> io::Result<PathBuf> {
    if fits(path) {
        return Ok(path.to_owned());
    }
    let way = std::env::current_dir().ok().map(|here| relative(&here, path));
    way.filter(|way| fits(way)).ok_or_else(|| Errno::NAMETOOLONG.into())
}

fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= SUN_PATH
}

/// The way from one absolute path to another, by the text alone.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let (mut from, mut to) = (from.components().peekable(), to.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up = from.map(|_| Component::ParentDir);
    up.chain(to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_absolute_by_its_text() {
        for (given, expected) in [
            ("/run/app.sock", "/run/app.sock"),
            ("/run/./x/../app.sock", "/run/app.sock"),
            ("/../app.sock", "/app.sock"),
        ] {
            assert_eq!(absolute(Path::new(given)).unwrap(), Path::new(expected));
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(absolute(Path::new("app.sock")).unwrap(), here.join("app.sock"));
        let above = here.parent().unwrap().join("app.sock");
        assert_eq!(absolute(Path::new("../app.sock")).unwrap(), above);
        assert_eq!(absolute(Path::new("")).unwrap_err().raw_os_error(), Some(22));
    }

    #[test]
    fn the_way_to_a_path_goes_up_and_down() {
        for (from, to, expected) in [
            ("/a/b", "/a/b/c", "c"),
            ("/a/b", "/a/c", "../c"),
            ("/a/b", "/x/y", "../../x/y"),
            ("/", "/a", "a"),
            ("/a/b", "/a/bc", "../bc"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(expected));
        }
    }

    #[test]
    fn a_long_path_is_named_from_the_working_directory_where_that_is_short() {
        let here = std::env::current_dir().unwrap();
        let deep = here.join("x".repeat(SUN_PATH - 2));
        assert_eq!(short(&deep).unwrap(), Path::new(&"x".repeat(SUN_PATH - 2)));
        let beside = here.parent().unwrap().join("x".repeat(SUN_PATH - 3));
        assert_eq!(short(&beside).unwrap(), Path::new("..").join("x".repeat(SUN_PATH - 3)));
        let too_long = here.join("x".repeat(SUN_PATH + 1));
        assert_eq!(short(&too_long).unwrap_err().raw_os_error(), Some(36));
    }
}
