//! Changes to files, the same for the same seed.

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

    /// The next number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % (end as u64).max(1)).unwrap_or_default()
    }

    /// A stretch of something that long, of at most `most`.
    fn stretch(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + self.below(most + 1)).min(length)
    }
}

/// What JSON and the formats here are made of, so that some changes keep a file nearly sound.
const WORDS: [&[u8]; 24] = [
    b"\n",
    b"\r\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"null",
    b"true",
    b"0",
    b"-1",
    b"9007199254740991",
    b"9007199254740992",
    b"18446744073709551615",
    b"1e309",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xc3\xa9",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\x1f\x8b\x08",
];

/// One of some files, changed in one to four places.
///
/// # Panics
///
/// Where there are no files.
#[must_use]
pub fn mutated(files: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = files[random.below(files.len())].clone();
    for _ in 0..=random.below(4) {
        change(&mut bytes, files, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, files: &[Vec<u8>], random: &mut Random) {
    let length = bytes.len();
    let at = random.below(length);
    match random.below(9) {
        0 if length > 0 => bytes[at] ^= 1 << random.below(8),
        1 if length > 0 => bytes[at] = random.number().to_le_bytes()[0],
        2 => bytes.truncate(at),
        3 => _ = bytes.drain(random.stretch(length, 40)),
        4 => {
            let copied = bytes[random.stretch(length, 200)].to_vec();
            bytes.splice(at..at, copied);
        }
        5 => {
            let other = &files[random.below(files.len())];
            let taken = other[random.stretch(other.len(), 400)].to_vec();
            bytes.splice(random.stretch(length, 200), taken);
        }
        6 => change_digit(bytes, at, random),
        7 => {
            let word = WORDS[random.below(WORDS.len())];
            bytes.splice(random.stretch(length, 4), word.iter().copied());
        }
        _ => {
            let noise: Vec<u8> = random.number().to_le_bytes().into();
            bytes.splice(at..at, noise.into_iter().take(1 + random.below(8)));
        }
    }
}

/// Another digit in the place of the first one from there on.
fn change_digit(bytes: &mut [u8], from: usize, random: &mut Random) {
    let digit = bytes.iter_mut().skip(from).find(|byte| byte.is_ascii_digit());
    if let Some(digit) = digit {
        *digit = b'0' + random.number().to_le_bytes()[0] % 10;
    }
}
