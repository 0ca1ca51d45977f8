//! The log that Linux's `dm-log-writes` keeps of a disk: every write that reached it, in the order in
//! which they became safe, and marks between them.
//!
//! The first sector holds the header: magic, version, number of entries (64 bits each), bytes of a
//! sector (32 bits), all little-endian. Then each entry takes a sector: sector of the disk, number of
//! sectors, flags, bytes of data (64 bits each). A mark's name follows in the same sector; a write's
//! sectors follow it, unless it discards.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const VERSION: u64 = 1;
const HEADER_BYTES: usize = 28;
const ENTRY_BYTES: usize = 32;
const DISCARD: u64 = 4;
const MARK: u64 = 8;

/// A log that was written.
#[derive(Debug)]
pub struct WriteLog {
    file: File,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Someone said something.
    Mark(String),
    /// Bytes were written to the disk, or given up.
    Write(Write),
}

/// A write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    /// Where on the disk, in bytes.
    pub at: u64,
    /// How much. Nothing for a mere flush.
    pub bytes: u64,
    /// Where in the log; `None` where it was given up.
    data: Option<u64>,
}

impl WriteLog {
    /// Reads a log's entries.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0)?;
        let sector_bytes =
            u64::from(u32::from_le_bytes([header[24], header[25], header[26], header[27]]));
        if number(&header, 0) != MAGIC || number(&header, 1) != VERSION || sector_bytes < 512 {
            return Err(io::Error::other("that is no log of writes"));
        }
        let (mut entries, mut at) = (Vec::new(), sector_bytes);
        for _ in 0..number(&header, 2) {
            let (entry, end) = entry(&file, at, sector_bytes)?;
            entries.push(entry);
            at = end;
        }
        Ok(Self { file, entries })
    }

    /// Does to a copy of the disk, as it was at first, what a write did.
    ///
    /// # Errors
    ///
    /// Where that cannot be read or written.
    pub fn replay(&self, write: &Write, disk: &File) -> io::Result<()> {
        let mut bytes = vec![0; usize::try_from(write.bytes).map_err(io::Error::other)?];
        if let Some(data) = write.data {
            self.file.read_exact_at(&mut bytes, data)?;
        }
        disk.write_all_at(&bytes, write.at)
    }
}

/// The entry in the log's sector at `at`, and where the next one is.
fn entry(file: &File, at: u64, sector_bytes: u64) -> io::Result<(Entry, u64)> {
    let mut sector = vec![0; usize::try_from(sector_bytes).map_err(io::Error::other)?];
    file.read_exact_at(&mut sector, at)?;
    let [first, sectors, flags, length] = [0, 1, 2, 3].map(|index| number(&sector, index));
    let after = at + sector_bytes;
    if flags & MARK != 0 {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let name = sector.get(ENTRY_BYTES..ENTRY_BYTES + length).unwrap_or_default();
        let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
        return Ok((Entry::Mark(name), after));
    }
    let is_discard = flags & DISCARD != 0;
    let bytes = sectors * sector_bytes;
    let write = Write { at: first * sector_bytes, bytes, data: (!is_discard).then_some(after) };
    Ok((Entry::Write(write), if is_discard { after } else { after + bytes }))
}

fn number(bytes: &[u8], index: usize) -> u64 {
    let bytes: [u8; 8] = bytes[8 * index..8 * index + 8].try_into().unwrap_or_default();
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_marks_are_read_in_order_and_replayed() {
        let folder = crate::sessions::Folder::new();
        let path = folder.path().join("log");
        let mut log = Vec::new();
        let sector = |log: &mut Vec<u8>, numbers: &[u64], rest: &[u8]| {
            let end = log.len() + 512;
            numbers.iter().for_each(|number| log.extend(number.to_le_bytes()));
            log.extend(rest);
            log.resize(end, 0);
        };
        sector(&mut log, &[MAGIC, VERSION, 4, 512], b"");
        sector(&mut log, &[1, 2, 0, 0], b"");
        log.extend([7; 1024]);
        sector(&mut log, &[0, 0, MARK, 7], b"done-12");
        sector(&mut log, &[2, 1, DISCARD, 0], b"");
        sector(&mut log, &[0, 0, 1, 0], b"");
        std::fs::write(&path, &log).expect("a log");
        let log = WriteLog::open(&path).expect("a log");
        assert_eq!(log.entries[1], Entry::Mark("done-12".into()));
        let disk = folder.path().join("disk");
        let disk = File::options().read(true).write(true).create_new(true).open(disk);
        let disk = disk.expect("a disk");
        disk.set_len(2048).expect("a disk");
        for entry in &log.entries {
            if let Entry::Write(write) = entry {
                log.replay(write, &disk).expect("replayed");
            }
        }
        let mut bytes = [1; 2048];
        disk.read_exact_at(&mut bytes, 0).expect("a disk");
        let expected = [[0; 512], [7; 512], [0; 512], [0; 512]].concat();
        assert_eq!(bytes.as_slice(), expected);
    }
}
