//! Session ids (`docs/format.md` §7).

use alloc::string::{String, ToString};
use core::fmt;

use crate::limits::{ID_BYTES_MAX, KEY_BYTES_MAX};
use crate::{Error, ErrorKind, Result};

/// A session's id: 1 to 128 bytes of UTF-8 without control characters.
///
/// ```
/// use turnkeep_core::SessionId;
/// assert_eq!(SessionId::new("Run 7/b")?.encoded(), "%52un%207%2fb");
/// assert!(SessionId::new("a\nb").is_err());
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// Checks an id. Anything that is not one is `invalid_id`.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = Self(id.into());
        let wrong = |why: &str| Err(Error::new(ErrorKind::InvalidId, why));
        if id.0.is_empty() {
            return wrong("a session id cannot be empty");
        }
        if id.0.len() > ID_BYTES_MAX {
            return wrong("a session id has at most 128 bytes");
        }
        if id.0.chars().any(char::is_control) {
            return wrong("a session id holds no control characters");
        }
        if id.encoded().len() > KEY_BYTES_MAX {
            return wrong("a session id has at most 200 bytes when encoded as a file name");
        }
        Ok(id)
    }

    /// A new id, a UUID version 7: sorts by time of creation. `now_ms` is the time in milliseconds
    /// since 1970, `random` must be random.
    #[must_use]
    pub fn generate(now_ms: u64, random: [u8; 10]) -> Self {
        let uuid = uuid::Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid();
        Self(uuid.hyphenated().to_string())
    }

    /// The id as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form used in keys: `[a-z0-9_-]` stay, every other byte becomes `%xx`.
    #[must_use]
    pub fn encoded(&self) -> String {
        let mut encoded = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => encoded.push(char::from(byte)),
                _ => push_escape(&mut encoded, byte),
            }
        }
        if is_reserved(&encoded) {
            let mut escaped = String::new();
            let mut rest = encoded.chars();
            rest.next().into_iter().for_each(|first| push_escape(&mut escaped, first as u8));
            return escaped + rest.as_str();
        }
        encoded
    }

    /// Reads what [`Self::encoded`] gives, and nothing else.
    pub fn decode(encoded: &str) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::InvalidId, "not the encoded form of a session id");
        let mut bytes = alloc::vec::Vec::with_capacity(encoded.len());
        let mut rest = encoded.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'%' => {
                    let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                    let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                    (high << 4 | low) as u8
                }
                _ => byte,
            });
        }
        let id = Self::new(String::from_utf8(bytes).map_err(|_| wrong())?)?;
        if id.encoded() == encoded { Ok(id) } else { Err(wrong()) }
    }
}

fn push_escape(encoded: &mut String, byte: u8) {
    let digit = |nibble: u32| char::from_digit(nibble, 16).unwrap_or('0');
    encoded.push('%');
    encoded.push(digit(u32::from(byte) >> 4));
    encoded.push(digit(u32::from(byte) & 15));
}

/// Names that Windows gives to devices, with any extension.
fn is_reserved(name: &str) -> bool {
    match name {
        "con" | "prn" | "aux" | "nul" => true,
        _ => match (name.get(..3), name.get(3..)) {
            (Some("com" | "lpt"), Some(number)) => {
                number.len() == 1 && !matches!(number, "0") && number.parse::<u8>().is_ok()
            }
            _ => false,
        },
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::str::FromStr for SessionId {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self> {
        Self::new(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_ids_stay_in_their_directory() {
        for (id, encoded) in [
            ("..", "%2e%2e"),
            ("../x", "%2e%2e%2fx"),
            ("Con", "%43on"),
            ("con", "%63on"),
            ("com9", "%63om9"),
            ("com0", "com0"),
            ("a%b", "a%25b"),
            ("é", "%c3%a9"),
        ] {
            assert_eq!(SessionId::new(id).unwrap().encoded(), encoded);
        }
    }

    #[test]
    fn bounds_are_checked() {
        assert!(SessionId::new("a".repeat(128)).is_ok());
        assert!(SessionId::new("a".repeat(129)).is_err());
        assert!(SessionId::new("A".repeat(66)).is_ok());
        assert!(SessionId::new("A".repeat(67)).is_err(), "201 bytes encoded");
        for bad in ["", "a\0b", "\u{7f}", "\u{85}"] {
            assert!(SessionId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_the_canonical_spelling_decodes() {
        for bad in ["%41%4", "%4A", "A", "%61", "con", "%zz", "%", "%ff", "a/b", "a.b", "%+1"] {
            assert!(SessionId::decode(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn encoding_is_reversible(id in "\\PC{1,16}") {
            let id = SessionId::new(id).unwrap();
            prop_assert_eq!(SessionId::decode(&id.encoded()).unwrap(), id);
        }
    }
}
