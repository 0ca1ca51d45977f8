//! Bundles (§7.5), whole or wrong.

use turnkeep_core::sha256;

use super::gzip::{crc32, deflated, trailer};
use super::{Log, hex};

/// Length of the end's line.
const END_BYTES: usize = 384;

/// A bundle to be: its content, and what its end will say.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The content before the index.
    pub content: Vec<u8>,
    /// The index.
    pub index: Vec<u8>,
    /// Sessions, entries and values.
    pub counts: [u64; 3],
}

impl Default for Bundle {
    fn default() -> Self {
        let header = b"{\"bundle\":1,\"kind\":\"header\",\"created\":1760000000000}\n".to_vec();
        Self { content: header, index: Vec::new(), counts: [0; 3] }
    }
}

impl Bundle {
    /// With one more session, whose record has these members too (with the comma).
    #[must_use]
    pub fn session(mut self, id: &str, log: &Log, more: &str, trace: &[u8]) -> Self {
        let last = log.lines().len() as u64 - 1;
        let (hash, bytes) = (log.hash(last), log.0.len());
        let head = format!("{{\"seq\":{last},\"hash\":\"{hash}\",\"bytes\":{bytes}}}");
        let record = format!("{{\"kind\":\"session\",\"id\":{id},\"head\":{head}{more}}}\n");
        self.counts[0] += 1;
        self.counts[1] += last + 1;
        self.content.extend([record.as_bytes(), &log.0, trace].concat());
        self
    }

    /// With a line.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.content.extend(line.as_bytes());
        self.content.push(b'\n');
        self
    }

    /// With one more value.
    #[must_use]
    pub fn value(mut self, members: &str) -> Self {
        self.counts[2] += 1;
        self.line(&format!("{{\"kind\":\"cache\",{members}}}"))
    }

    /// With an index.
    #[must_use]
    pub fn indexed(mut self) -> Self {
        self.index = b"{\"kind\":\"index\",\"block_bytes\":327680,\"blocks\":[10]}\n".to_vec();
        self
    }

    /// The end's line.
    #[must_use]
    pub fn end(&self) -> String {
        let [sessions, entries, cache] = self.counts;
        let content = [&self.content[..], &self.index].concat();
        let packed = self.packed();
        let at = 10 + deflated(&self.content).len();
        let mut line = format!(
            "{{\"kind\":\"end\",\"sessions\":{sessions},\"entries\":{entries},\"cache\":{cache},\
             \"bytes\":{},\"index\":[{at},{}],\"packed_crc\":{},\"digest\":\"{}\"}}",
            content.len(),
            self.content.len(),
            crc32(&packed),
            hex(sha256(&content).as_bytes())
        );
        line += &" ".repeat(END_BYTES - 1 - line.len());
        line + "\n"
    }

    /// The file up to the end.
    #[must_use]
    pub fn packed(&self) -> Vec<u8> {
        let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let index = if self.index.is_empty() { Vec::new() } else { deflated(&self.index) };
        [&header[..], &deflated(&self.content), &index].concat()
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.ending(&self.end())
    }

    /// The file with another end.
    #[must_use]
    pub fn ending(&self, end: &str) -> Vec<u8> {
        let content = [&self.content[..], &self.index, end.as_bytes()].concat();
        let length = u16::try_from(end.len()).unwrap_or_default();
        let stored = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
        [self.packed(), stored, end.as_bytes().to_vec(), trailer(&content)].concat()
    }
}
