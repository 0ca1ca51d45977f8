//! A small random number generator, the same everywhere.

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = end as u64;
        usize::try_from(self.number() % end).unwrap_or_default()
    }

    /// Plain English-looking words, about that many bytes of them.
    pub fn text(&mut self, bytes: usize) -> String {
        const WORDS: [&str; 24] = [
            "the", "log", "of", "an", "agent", "holds", "every", "turn", "and", "tool", "result",
            "until", "its", "head", "so", "that", "nobody", "has", "to", "guess", "what", "was",
            "said", "before",
        ];
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(WORDS[self.below(WORDS.len())]);
            text.push(' ');
        }
        text
    }
}
