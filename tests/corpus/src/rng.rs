//! The only source of chance: SplitMix64, in whole numbers, so that every platform draws the same.

#[derive(Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..limit`; `limit` fits in 32 bits.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (((self.next() >> 32) * limit as u64) >> 32) as usize
    }

    /// A number in `0..limit`, the small ones more often.
    pub(crate) fn skewed(&mut self, limit: usize) -> usize {
        self.below(limit).min(self.below(limit))
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(crate) fn word(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    /// The index of one of `weights`, as likely as it is heavy.
    pub(crate) fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|&weight| {
                let hit = left < weight;
                left = left.wrapping_sub(weight);
                hit
            })
            .unwrap_or(0)
    }
}

/// A distribution by its quantiles: 0, 10, 25, 50, 75, 90, 99 and 100 %.
pub(crate) struct Sizes(pub(crate) [usize; 8]);

impl Sizes {
    const RANKS: [usize; 8] = [0, 100, 250, 500, 750, 900, 990, 1000];

    /// Draws one size, straight lines between the quantiles.
    pub(crate) fn draw(&self, rng: &mut Rng) -> usize {
        let rank = rng.below(1000);
        let above = Self::RANKS.iter().position(|&r| r > rank).unwrap_or(7).max(1);
        let (low, high) = (self.0[above - 1], self.0[above]);
        let (from, to) = (Self::RANKS[above - 1], Self::RANKS[above]);
        low + (high - low) * (rank - from) / (to - from)
    }
}
