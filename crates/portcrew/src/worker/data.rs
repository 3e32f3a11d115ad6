//! What the workers of one listener share through the primary: TLS ticket keys, as a rule.

use std::fmt;

use portcrew_ipc::message::RawJson;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;

/// A JSON value that nobody prints: it is there for secrets.
#[derive(Clone)]
pub(crate) struct Data(RawJson);

impl Data {
    pub(super) fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Ok(Self(RawJson::new(value)?))
    }

    /// What came with a reply. The wire has checked that it is JSON.
    pub(super) fn received(text: String) -> Option<Self> {
        RawJson::from_text(text).ok().map(Self)
    }

    /// As core carries it. Node writes `null` for nothing.
    pub(super) fn text(&self) -> Option<String> {
        Some(self.0.as_str()).filter(|text| *text != "null").map(str::to_owned)
    }

    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(self.0.json()?)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} bytes)", self.0.as_str().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let data = Data::new("secret").unwrap();
        assert_eq!(format!("{data:?}"), "Data(8 bytes)");
    }

    #[test]
    fn nothing_is_no_data() {
        assert_eq!(Data::new(&None::<u8>).unwrap().text(), None);
    }
}
