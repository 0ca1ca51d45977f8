//! The compression function of SHA-256 (FIPS 180-4 §6.2.2) on one block of each of several messages.
//!
//! The rounds of one message depend on each other, but not on another message's: lane by lane, the
//! same instruction does the same step for all of them.

/// How many messages are hashed at once: as many words as fit a vector of SSE2, NEON and wasm.
pub(super) const LANES: usize = 4;

use lanes::{add, copy, eight_rounds, extend, row};

/// One word of every message.
type Row = [u32; LANES];

/// The eight words of every message's hash so far.
pub(super) type States = [Row; 8];

/// The next block of every message.
pub(super) type Blocks<'a> = [&'a [u8; 64]; LANES];

/// Where every hash starts (FIPS 180-4 §5.3.3).
pub(super) const START: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The constants of the rounds, eight in a row (FIPS 180-4 §4.2.2).
const CONSTANTS: [[u32; 8]; 8] = [
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5,
    ],
    [
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
        0xc19bf174,
    ],
    [
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc,
        0x76f988da,
    ],
    [
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351,
        0x14292967,
    ],
    [
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
        0x92722c85,
    ],
    [
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
        0x106aa070,
    ],
    [
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
        0x682e6ff3,
    ],
    [
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
    ],
];

/// Takes every message's next block into its state.
pub(super) fn compress(states: &mut States, blocks: Blocks<'_>) {
    let mut working = copy(states);
    // Of the message schedule only sixteen words are needed at a time.
    let (mut first, mut second) = words(blocks);
    let (pairs, _) = CONSTANTS.as_chunks::<2>();
    for (step, [even, odd]) in pairs.iter().enumerate() {
        eight_rounds(&mut working, &first, even);
        eight_rounds(&mut working, &second, odd);
        if step < 3 {
            extend(&mut first, &second);
            extend(&mut second, &first);
        }
    }
    add(states, &working);
}

/// The blocks as words: the first of every message, the second of every message, and so on.
#[inline(always)]
fn words(blocks: Blocks<'_>) -> ([Row; 8], [Row; 8]) {
    let [a, b, c, d] = blocks;
    let (a, b, c, d) = (quads(a), quads(b), quads(c), quads(d));
    macro_rules! rows {
        ($($at:literal)*) => { [$(row(a[$at], b[$at], c[$at], d[$at])),*] };
    }
    (rows!(0 1 2 3 4 5 6 7), rows!(8 9 10 11 12 13 14 15))
}

/// A block's words as bytes.
#[inline(always)]
fn quads(block: &[u8; 64]) -> &[[u8; 4]; 16] {
    block.as_chunks().0.first_chunk().unwrap_or(&[[0; 4]; 16])
}

/// One message's words out of rows.
#[inline(always)]
pub(super) fn lane_of<const N: usize>(rows: &[Row; N], lane: usize) -> [u32; N] {
    let mut words = [0; N];
    for (word, row) in words.iter_mut().zip(rows) {
        *word = row.get(lane).copied().unwrap_or_default();
    }
    words
}

/// Puts one message's words into rows.
#[inline(always)]
pub(super) fn set_lane<const N: usize>(rows: &mut [Row; N], lane: usize, words: [u32; N]) {
    for (row, word) in rows.iter_mut().zip(words) {
        if let Some(place) = row.get_mut(lane) {
            *place = word;
        }
    }
}

/// The compiler makes vector instructions of these loops, where it optimizes for speed: their bodies
/// are straight, and what they read and write lies side by side.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod lanes {
    use super::{LANES, Row, States, eight_rounds_of, extend_words, lane_of, set_lane};

    #[inline(always)]
    pub(super) fn row(first: [u8; 4], second: [u8; 4], third: [u8; 4], fourth: [u8; 4]) -> Row {
        [first, second, third, fourth].map(u32::from_be_bytes)
    }

    pub(super) fn copy(states: &States) -> States {
        *states
    }

    pub(super) fn add(states: &mut States, working: &States) {
        for (word, working) in states.as_flattened_mut().iter_mut().zip(working.as_flattened()) {
            *word = word.wrapping_add(*working);
        }
    }

    #[inline(never)]
    pub(super) fn eight_rounds(states: &mut States, words: &[Row; 8], constants: &[u32; 8]) {
        for lane in 0..LANES {
            let state = eight_rounds_of(lane_of(states, lane), lane_of(words, lane), constants);
            set_lane(states, lane, state);
        }
    }

    #[inline(never)]
    pub(super) fn extend(now: &mut [Row; 8], later: &[Row; 8]) {
        for lane in 0..LANES {
            let words = extend_words(lane_of(now, lane), lane_of(later, lane));
            set_lane(now, lane, words);
        }
    }
}

/// The wasm is optimized for size, which leaves loops as they are: here the vectors are spelled out.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod lanes {
    use core::arch::wasm32::{
        i8x16_shuffle, u32x4, u32x4_add, u32x4_extract_lane, u32x4_shl, u32x4_shr, u32x4_splat,
        v128, v128_and, v128_or, v128_xor,
    };

    use super::{Row, States, Word, eight_rounds_of, extend_words};

    #[inline(always)]
    pub(super) fn row(first: [u8; 4], second: [u8; 4], third: [u8; 4], fourth: [u8; 4]) -> Row {
        let word = u32::from_le_bytes;
        let swapped = u32x4(word(first), word(second), word(third), word(fourth));
        words_of(i8x16_shuffle::<3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12>(
            swapped, swapped,
        ))
    }

    /// By vectors: engines call a function to copy a piece of memory, which takes longer.
    pub(super) fn copy(states: &States) -> States {
        rows(vectors(states))
    }

    pub(super) fn add(states: &mut States, working: &States) {
        let [a, b, c, d, e, f, g, h] = vectors(states);
        let [i, j, k, l, m, n, o, p] = vectors(working);
        let (a, b, c, d) = (a.plus(i), b.plus(j), c.plus(k), d.plus(l));
        let (e, f, g, h) = (e.plus(m), f.plus(n), g.plus(o), h.plus(p));
        *states = rows([a, b, c, d, e, f, g, h]);
    }

    #[inline(never)]
    pub(super) fn eight_rounds(states: &mut States, words: &[Row; 8], constants: &[u32; 8]) {
        *states = rows(eight_rounds_of(vectors(states), vectors(words), constants));
    }

    #[inline(never)]
    pub(super) fn extend(now: &mut [Row; 8], later: &[Row; 8]) {
        *now = rows(extend_words(vectors(now), vectors(later)));
    }

    // Written out, for `map` would be a loop over pointers.
    #[inline(always)]
    fn vectors([a, b, c, d, e, f, g, h]: &[Row; 8]) -> [v128; 8] {
        let of = |row: &Row| u32x4(row[0], row[1], row[2], row[3]);
        [of(a), of(b), of(c), of(d), of(e), of(f), of(g), of(h)]
    }

    #[inline(always)]
    fn rows([a, b, c, d, e, f, g, h]: [v128; 8]) -> [Row; 8] {
        let of = words_of;
        [of(a), of(b), of(c), of(d), of(e), of(f), of(g), of(h)]
    }

    #[inline(always)]
    fn words_of(vector: v128) -> Row {
        [
            u32x4_extract_lane::<0>(vector),
            u32x4_extract_lane::<1>(vector),
            u32x4_extract_lane::<2>(vector),
            u32x4_extract_lane::<3>(vector),
        ]
    }

    impl Word for v128 {
        #[inline(always)]
        fn of(constant: u32) -> Self {
            u32x4_splat(constant)
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            u32x4_add(self, other)
        }
        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            v128_xor(self, other)
        }
        #[inline(always)]
        fn and(self, other: Self) -> Self {
            v128_and(self, other)
        }
        #[inline(always)]
        fn shift<const BITS: u32>(self) -> Self {
            u32x4_shr(self, BITS)
        }
        #[inline(always)]
        fn rotate<const BITS: u32>(self) -> Self {
            let high = u32x4_shl(self, 32 - BITS);
            v128_or(self.shift::<BITS>(), high)
        }
    }
}

/// A word of one message, or of several side by side.
trait Word: Copy {
    fn of(constant: u32) -> Self;
    fn plus(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn shift<const BITS: u32>(self) -> Self;
    fn rotate<const BITS: u32>(self) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn of(constant: u32) -> Self {
        constant
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn shift<const BITS: u32>(self) -> Self {
        self >> BITS
    }
    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        self.rotate_right(BITS)
    }
}

/// Eight rounds on one state.
#[inline(always)]
fn eight_rounds_of<W: Word>(mut state: [W; 8], words: [W; 8], constants: &[u32; 8]) -> [W; 8] {
    // Written out: indices that are constants keep every word in a register.
    macro_rules! rounds {
        ($($at:literal)*) => { $(
            state = round(state, words[$at].plus(W::of(constants[$at])));
        )* };
    }
    rounds!(0 1 2 3 4 5 6 7);
    state
}

/// Eight words of the message schedule, from the sixteen before them (FIPS 180-4 §6.2.2, step 1).
#[inline(always)]
fn extend_words<W: Word>(now: [W; 8], later: [W; 8]) -> [W; 8] {
    let [a, b, c, d, e, f, g, h] = now;
    let [i, j, k, l, m, n, o, p] = later;
    let q = next(a, b, j, o);
    let r = next(b, c, k, p);
    let s = next(c, d, l, q);
    let t = next(d, e, m, r);
    let u = next(e, f, n, s);
    let v = next(f, g, o, t);
    let w = next(g, h, p, u);
    let x = next(h, i, q, v);
    [q, r, s, t, u, v, w, x]
}

/// A word of the message schedule, from those 16, 15, 7 and 2 before it.
#[inline(always)]
fn next<W: Word>(before16: W, before15: W, before7: W, before2: W) -> W {
    before16.plus(small_sigma0(before15)).plus(before7).plus(small_sigma1(before2))
}

#[inline(always)]
fn round<W: Word>([a, b, c, d, e, f, g, h]: [W; 8], word: W) -> [W; 8] {
    let sigma1 = e.rotate::<6>().xor(e.rotate::<11>()).xor(e.rotate::<25>());
    let choice = g.xor(e.and(f.xor(g)));
    let first = h.plus(sigma1).plus(choice).plus(word);
    let sigma0 = a.rotate::<2>().xor(a.rotate::<13>()).xor(a.rotate::<22>());
    let majority = a.and(b).xor(c.and(a.xor(b)));
    [first.plus(sigma0).plus(majority), a, b, c, d.plus(first), e, f, g]
}

#[inline(always)]
fn small_sigma0<W: Word>(word: W) -> W {
    word.rotate::<7>().xor(word.rotate::<18>()).xor(word.shift::<3>())
}

#[inline(always)]
fn small_sigma1<W: Word>(word: W) -> W {
    word.rotate::<17>().xor(word.rotate::<19>()).xor(word.shift::<10>())
}
