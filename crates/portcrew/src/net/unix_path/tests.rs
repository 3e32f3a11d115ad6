//! What others see of a path while it comes, is fought for, and goes.

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Barrier;

use tempfile::TempDir;

use super::*;

const NOBODY_ELSE: Everybody = Everybody { reads: false, writes: false };
const EVERYBODY: Everybody = Everybody { reads: true, writes: true };

/// A socket, and its file.
type Made = (Option<SocketFile>, Socket);

fn make(path: &Path) -> Result<Made, Refused> {
    bind(path.to_str().unwrap(), NOBODY_ELSE, 5).map(|(socket, file)| (file, socket))
}

fn assert_taken(path: &Path) {
    let refused = make(path).unwrap_err();
    assert_eq!(refused.source.kind(), io::ErrorKind::AddrInUse, "{refused:?}");
}

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    (directory, path)
}

/// A file whose owner has died.
fn abandon(path: &Path) {
    die(UnixListener::bind(path).unwrap(), path);
}

/// Lets an owner die. A child that another test is just starting has a copy of its socket until it runs its program.
fn die(owner: impl Into<std::os::fd::OwnedFd>, path: &Path) {
    drop(owner.into());
    let address = SockAddr::unix(path).unwrap();
    while !refuses(&address).unwrap() {
        std::thread::yield_now();
    }
}

fn names(directory: &TempDir) -> Vec<std::ffi::OsString> {
    directory.path().read_dir().unwrap().map(|it| it.unwrap().file_name()).collect()
}

#[test]
fn a_name_in_the_abstract_namespace_has_no_file() {
    let name = format!("\0portcrew-bind-{}", std::process::id());
    let (socket, file) = bind(&name, EVERYBODY, 5).unwrap();
    assert!(file.is_none());
    assert_taken(Path::new(&name));
    drop(socket);
    bind(&name, EVERYBODY, 5).unwrap();
}

#[test]
fn its_file_is_all_that_is_made_and_goes_with_it() {
    let (directory, path) = directory();
    let made = make(&path).unwrap();
    assert_eq!(names(&directory), ["app.sock"]);
    UnixStream::connect(&path).unwrap();
    drop(made);
    assert!(names(&directory).is_empty());
}

#[test]
fn a_path_is_taken_over_from_a_dead_owner_and_never_from_one_that_is_busy() {
    let (directory, path) = directory();
    let owner = unbound().unwrap();
    owner.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    owner.listen(0).unwrap();
    let mut clients = Vec::new();
    loop {
        let client = unbound().unwrap();
        client.set_nonblocking(true).unwrap();
        match client.connect(&SockAddr::unix(&path).unwrap()) {
            Ok(()) => clients.push(client),
            Err(error) => break assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
    assert_taken(&path);
    drop(clients);
    die(owner, &path);
    let _made = make(&path).unwrap();
    assert_eq!(names(&directory), ["app.sock"]);
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let (directory, path) = directory();
    std::fs::write(&path, "precious").unwrap();
    assert_taken(&path);
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    assert_taken(directory.path());
    assert_taken(Path::new("/"));
    let link = directory.path().join("link");
    symlink("nowhere", &link).unwrap();
    assert_taken(&link);
    assert!(link.is_symlink());
}

#[test]
fn a_file_that_is_another_s_by_now_is_not_removed() {
    let (_directory, path) = directory();
    let made = make(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(made);
    UnixStream::connect(&path).unwrap();
}

#[test]
fn of_two_who_start_at_once_on_an_abandoned_path_one_has_it_in_every_round() {
    let (directory, path) = directory();
    for round in 0..1_000 {
        abandon(&path);
        let start = Barrier::new(2);
        let starter = || {
            start.wait();
            make(&path)
        };
        let made: Vec<_> = std::thread::scope(|scope| {
            let both = [scope.spawn(starter), scope.spawn(starter)];
            both.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(made.iter().flatten().count(), 1, "round {round}: {made:?}");
        let refused = made.iter().find_map(|it| it.as_ref().err()).unwrap();
        assert_eq!(refused.source.kind(), io::ErrorKind::AddrInUse, "{refused:?}");
        UnixStream::connect(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        drop(made);
        assert!(names(&directory).is_empty(), "round {round}");
    }
}

#[test]
fn nobody_ever_meets_a_path_that_refuses_or_has_another_mode_than_its_last() {
    let (_directory, path) = directory();
    let met = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&path, 500));
        while !watcher.is_finished() {
            let (socket, file) = bind(path.to_str().unwrap(), EVERYBODY, 5).unwrap();
            drop(file);
            drop(socket);
        }
        watcher.join().unwrap()
    });
    assert_eq!(met.len(), 1, "these modes: {met:?}");
}

/// The modes that it had at so many looks.
fn watch(path: &Path, looks: u32) -> BTreeSet<u32> {
    let mut met = BTreeSet::new();
    let mut found = 0;
    while found < looks {
        // A descriptor of the file, so that look and connection are of the same one.
        let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::open(path, flags, rustix::fs::Mode::empty()) else { continue };
        found += 1;
        let before = rustix::fs::fstat(&file).unwrap();
        met.insert(before.st_mode & 0o777);
        let by_number = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        let connected = UnixStream::connect(by_number);
        // Refused after it was removed again is another matter.
        let is_there = rustix::fs::fstat(&file).unwrap().st_nlink > 0;
        assert!(connected.is_ok() || !is_there, "{connected:?}");
    }
    met
}

#[test]
fn everybody_is_let_in_as_asked_and_nobody_beyond_the_mask_otherwise() {
    let (_directory, path) = directory();
    let mode = |everybody| {
        let (_socket, _file) = bind(path.to_str().unwrap(), everybody, 5).unwrap();
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    };
    let narrow = mode(NOBODY_ELSE);
    assert_eq!(mode(Everybody { reads: true, writes: false }), narrow | 0o444);
    assert_eq!(mode(Everybody { reads: false, writes: true }), narrow | 0o222);
    assert_eq!(mode(EVERYBODY), narrow | 0o666);
}

#[test]
fn a_path_that_just_fits_is_made_although_its_private_place_does_not_fit() {
    let (directory, path) = directory();
    let room = 107 - path.parent().unwrap().as_os_str().len() - 1;
    let longest = directory.path().join("x".repeat(room));
    let _made = make(&longest).unwrap();
    UnixStream::connect(&longest).unwrap();
    let too_long = directory.path().join("x".repeat(room + 1));
    let refused = make(&too_long).unwrap_err();
    assert_eq!(refused.source.raw_os_error(), Some(36), "{refused:?}");
}

#[test]
fn whoever_is_just_taking_a_path_keeps_others_out() {
    let (directory, path) = directory();
    let staging = Staging::enter(&path).unwrap();
    assert_taken(&path);
    drop(staging);
    drop(make(&path).unwrap());
    assert!(names(&directory).is_empty());
}

#[test]
fn what_a_killed_process_left_in_the_middle_is_settled_by_the_next() {
    let (directory, path) = directory();
    for old_is_alive in [false, true] {
        let private = directory.path().join(".app.sock.portcrew");
        std::fs::DirBuilder::new().create(&private).unwrap();
        std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o700)).unwrap();
        abandon(&private.join("app.sock"));
        let old = UnixListener::bind(private.join("old")).unwrap();
        if old_is_alive {
            assert_taken(&path);
            UnixStream::connect(&path).unwrap();
        } else {
            die(old, &private.join("old"));
            drop(make(&path).unwrap());
        }
    }
    assert_eq!(names(&directory), ["app.sock"]);
}

#[test]
fn a_private_place_that_others_can_enter_is_none() {
    let (directory, path) = directory();
    let private = directory.path().join(".app.sock.portcrew");
    std::fs::create_dir(&private).unwrap();
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = make(&path).unwrap_err();
    assert_eq!(refused.source.kind(), io::ErrorKind::PermissionDenied);
}

#[test]
fn a_socket_that_came_alive_after_the_look_goes_back_where_it_was() {
    let (_directory, path) = directory();
    abandon(&path);
    let found = socket_at(&path).unwrap().unwrap();
    let staging = Staging::enter(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    assert!(staging.take_away(found).is_err());
    let alive = socket_at(&path).unwrap().unwrap();
    assert!(staging.take_away(alive).is_err());
    UnixStream::connect(&path).unwrap();
}
