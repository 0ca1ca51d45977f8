//! A fuzzer's bytes, taken as decisions.

/// Takes decisions off some bytes; once they are used up, every one is the first.
#[derive(Debug, Clone)]
pub struct Input<'a>(&'a [u8]);

/// Numbers at which things change.
const EDGES: [u64; 8] = [0, 1, 2, 127, 1 << 20, u32::MAX as u64, (1 << 53) - 1, u64::MAX];

impl<'a> Input<'a> {
    /// Those bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    /// A choice among that many, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        let number = u16::from_le_bytes([self.byte(), if end > 256 { self.byte() } else { 0 }]);
        usize::from(number) % end
    }

    /// A number, often one at an edge.
    pub fn number(&mut self) -> u64 {
        match usize::from(self.byte() % 16) {
            edge if edge < EDGES.len() => EDGES[edge],
            _ => {
                let mut bytes = [0; 8];
                let taken = self.bytes(4);
                bytes[..taken.len()].copy_from_slice(taken);
                u64::from_le_bytes(bytes)
            }
        }
    }

    /// As many of the next bytes as there are, up to `most`.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A piece: two bytes of length, and the bytes.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = u16::from_le_bytes([self.byte(), self.byte()]);
        self.bytes(usize::from(length))
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
