//! Deflate (RFC 1951) behind one seam: what hosts ship, and the oracle it is tested against.
//!
//! Shipped is zlib-rs: on the corpora of `cargo xtask bench` it deflates about twice as fast as
//! miniz_oxide and inflates a third faster, native and in wasm, and gives the same bytes on both.

#[cfg(any(test, feature = "miniz"))]
pub mod miniz;
mod zlib;

pub use zlib::{Deflater, Inflater};

/// Deflate level of blocks.
pub(crate) const LEVEL: u8 = 6;

/// What one step of inflating did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of input taken.
    pub taken: usize,
    /// Bytes of output given.
    pub given: usize,
    /// Whether the deflate stream has ended.
    pub ended: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    macro_rules! inflate_block {
        ($inflater:expr, $block:expr, $size:expr) => {{
            let mut inflater = $inflater;
            let mut out = alloc::vec![0; $size];
            let step = inflater.step($block, &mut out).unwrap();
            out.truncate(step.given);
            (out, step.taken)
        }};
    }

    fn content() -> impl Strategy<Value = Vec<u8>> {
        let words =
            prop::sample::select(alloc::vec!["session", "\n", "{\"a\":", "turn ", "é", "0"]);
        prop::collection::vec(words, 1..2000).prop_map(|words| words.concat().into_bytes())
    }

    proptest! {
        /// Either implementation reads what the other wrote.
        #[test]
        fn both_implementations_agree(content in content()) {
            let (mut shipped, mut oracle) = (Vec::new(), Vec::new());
            Deflater::new().block(&content, &mut shipped);
            miniz::Deflater::new().block(&content, &mut oracle);
            for block in [&shipped, &oracle] {
                prop_assert!(block.ends_with(&[0, 0, 0xff, 0xff]));
                let (one, taken) = inflate_block!(Inflater::new(), block, content.len() + 1);
                let (other, _) = inflate_block!(miniz::Inflater::new(), block, content.len() + 1);
                prop_assert_eq!(taken, block.len());
                prop_assert_eq!(&one, &content);
                prop_assert_eq!(&other, &content);
            }
        }

        /// Noise that is taken for a whole stream is the same whole stream to the oracle. (Not the
        /// other way round: miniz_oxide lets distances reach back before the start.)
        #[test]
        fn the_oracle_accepts_what_is_accepted(noise in prop::collection::vec(any::<u8>(), 1..60)) {
            let mut outputs = [alloc::vec![0; 4096], alloc::vec![0; 4096]];
            let shipped = Inflater::new().step(&noise, &mut outputs[0]);
            if let Some(step) = shipped.filter(|step| step.ended) {
                let oracle = miniz::Inflater::new().step(&noise, &mut outputs[1]);
                prop_assert_eq!(oracle, Some(step));
                prop_assert_eq!(&outputs[0][..step.given], &outputs[1][..step.given]);
            }
        }
    }

    #[test]
    fn a_reset_deflater_gives_the_same_bytes_as_a_new_one() {
        let mut used = Deflater::new();
        let mut first = Vec::new();
        used.block(b"something else entirely", &mut first);
        let (mut again, mut fresh) = (Vec::new(), Vec::new());
        used.block(b"the same block", &mut again);
        Deflater::new().block(b"the same block", &mut fresh);
        assert_eq!(again, fresh);
    }
}
