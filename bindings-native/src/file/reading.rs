//! Reading the files that objects are, and what is known of them.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use turnkeep_core::store::Info;

use super::milliseconds;

/// Opens a file; `None` where something else is there. Looks first: opening a pipe would wait.
pub(super) fn open(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then_some((file, metadata)))
}

/// Reads a range that does not reach beyond a file's end.
pub(super) fn read_range(mut file: File, range: Range<u64>, bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = range.end.saturating_sub(range.start);
    if length == 0 {
        return Ok(());
    }
    // A file with holes may be longer than memory.
    bytes.try_reserve(usize::try_from(length).unwrap_or(usize::MAX))?;
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start))?;
    }
    file.take(length).read_to_end(bytes).map(|_| ())
}

/// Changes with every write: a published file is a new one, an appended one is longer.
pub(super) fn version(metadata: &Metadata) -> String {
    #[cfg(unix)]
    let (inode, nanoseconds) = {
        use std::os::unix::fs::MetadataExt;
        (
            metadata.ino(),
            i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        )
    };
    #[cfg(not(unix))]
    let (inode, nanoseconds) = {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        (0, modified.map_or(0, |time| time.as_nanos() as i128))
    };
    format!("{inode:x}-{:x}-{nanoseconds:x}", metadata.len())
}

pub(super) fn info_of(metadata: &Metadata) -> Info {
    let modified_ms = metadata.modified().ok().and_then(milliseconds);
    Info { bytes: metadata.len(), version: version(metadata), modified_ms }
}
