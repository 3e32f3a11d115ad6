//! Where a load goes: an address of this machine, or a Unix socket.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::LoadError;

/// The server under load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A TCP address; anything but loopback is refused.
    Tcp(SocketAddr),
    /// A listening Unix-domain socket, by its path.
    Unix(PathBuf),
}

/// A text that names no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTarget(String);

impl Target {
    pub(super) fn check(&self) -> Result<(), LoadError> {
        match self {
            Self::Tcp(address) if !is_loopback(address.ip()) => {
                Err(LoadError::NotLoopback(*address))
            }
            Self::Tcp(address) if address.port() == 0 => Err(LoadError::Setting(
                "port 0 is nowhere: give the port that was bound".to_owned(),
            )),
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
        }
    }

    /// What the `Host` header says.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Tcp(address) => address.to_string(),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl From<PathBuf> for Target {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

impl From<&Path> for Target {
    fn from(path: &Path) -> Self {
        Self::Unix(path.to_path_buf())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Target {
    type Err = UnknownTarget;

    /// Reads `127.0.0.1:8000`, `[::1]:8000`, `localhost:8000` (as 127.0.0.1) or `unix:/path`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let numeric = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        numeric.parse().map(Self::Tcp).map_err(|_| UnknownTarget(text.to_owned()))
    }
}

impl fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no target: expected 127.0.0.1:PORT, [::1]:PORT or unix:PATH", self.0)
    }
}

impl std::error::Error for UnknownTarget {}

/// An IPv4 address in its IPv6 form is judged as the IPv4 address that it is.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::{LoadError, Target};

    #[test]
    fn loopback_in_every_spelling_is_accepted() {
        for text in
            ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "localhost:80"]
        {
            let target: Target = text.parse().unwrap();
            assert!(target.check().is_ok(), "{text}");
        }
    }

    #[test]
    fn any_other_address_is_refused_before_a_socket_exists() {
        for text in [
            "0.0.0.0:80",
            "10.0.0.1:80",
            "192.0.2.1:80",
            "[::]:80",
            "[2001:db8::1]:80",
            "[::ffff:10.0.0.1]:80",
        ] {
            let target: Target = text.parse().unwrap();
            assert!(matches!(target.check(), Err(LoadError::NotLoopback(_))), "{text}");
        }
    }

    #[test]
    fn a_name_is_no_target() {
        for text in ["example.org:80", "127.0.0.1", "unix:", "/tmp/socket", ""] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
