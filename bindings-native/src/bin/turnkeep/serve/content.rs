//! What is shown: files, and objects of a store. Each is opened anew for every request, and given in
//! bounded memory.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use turnkeep::{Error, Key, Store};

/// How much is asked of a store at once.
const CHUNK_BYTES: u64 = 1 << 20;

/// Something that is shown.
pub(crate) struct Content {
    /// The name of a file.
    pub(crate) name: String,
    pub(crate) place: Place,
}

/// Where its bytes lie.
pub(crate) enum Place {
    File(PathBuf),
    Object(Arc<dyn Store>, Key),
}

/// Something as it is now.
pub(super) struct Opened<'a> {
    pub(super) bytes: u64,
    /// A tag that other bytes do not have.
    pub(super) tag: String,
    reader: Reader<'a>,
}

enum Reader<'a> {
    File(File),
    Object { store: &'a dyn Store, key: &'a Key, version: String },
}

impl Content {
    pub(super) fn open(&self) -> io::Result<Opened<'_>> {
        match &self.place {
            Place::File(path) => open_file(path),
            Place::Object(store, key) => {
                let info = store.info(key).map_err(failed)?;
                let version = info.version;
                let reader = Reader::Object { store: &**store, key, version: version.clone() };
                Ok(Opened { bytes: info.bytes, tag: tag(info.bytes, &version), reader })
            }
        }
    }
}

fn open_file(path: &PathBuf) -> io::Result<Opened<'static>> {
    // Before it is opened: opening a pipe would wait.
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (bytes, version) = (metadata.len(), format!("{:x}", modified.as_nanos()));
    Ok(Opened { bytes, tag: tag(bytes, &version), reader: Reader::File(file) })
}

/// A strong validator, in its quotes. Of a store's version stays what may stand in one.
fn tag(bytes: u64, version: &str) -> String {
    let version: String = version.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("\"{bytes:x}-{version}\"")
}

fn failed(error: Error) -> io::Error {
    match error.kind() {
        turnkeep::ErrorKind::NotFound => io::ErrorKind::NotFound.into(),
        _ => io::Error::other(error),
    }
}

impl Opened<'_> {
    /// Writes the bytes of a range. Ends with an error, and so early, where they are not there any
    /// more: they must not be mixed with those of another object.
    pub(super) fn write(&self, range: Range<u64>, mut out: impl Write) -> io::Result<()> {
        match &self.reader {
            Reader::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(range.start))?;
                let length = range.end - range.start;
                match io::copy(&mut file.take(length), &mut out)? {
                    written if written == length => Ok(()),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
            Reader::Object { store, key, version } => {
                let mut at = range.start;
                while at < range.end {
                    let end = range.end.min(at + CHUNK_BYTES);
                    let object = store.get(key, Some(at..end)).map_err(failed)?;
                    if object.info.version != *version || object.bytes.is_empty() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    out.write_all(&object.bytes)?;
                    at += object.bytes.len() as u64;
                }
                Ok(())
            }
        }
    }
}
