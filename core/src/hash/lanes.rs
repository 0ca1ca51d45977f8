//! Several messages hashed at once (FIPS 180-4 §6.2, a message in each lane of a vector).
//!
//! Messages have different lengths: a lane whose message ends takes the longest one that waits, and
//! the last that remain are finished one by one, where half-empty vectors would be slower.

use alloc::vec;
use alloc::vec::Vec;
use core::array;

use sha2::block_api::compress256;

use super::Hash;
use super::rounds::{LANES, START, States, compress, lane_of, set_lane};

/// With fewer messages than this, one after the other is as fast.
const WORTHWHILE: usize = 3;

/// Messages that are scheduled together.
const GROUP: usize = 64;

/// The hashes of messages that start with the same `head`, given what follows it in each.
pub(super) fn hashes(head: &[u8], rests: &[&[u8]]) -> Vec<Hash> {
    let mut hashes = vec![Hash([0; 32]); rests.len()];
    for (rests, hashes) in rests.chunks(GROUP).zip(hashes.chunks_mut(GROUP)) {
        let mut waiting = Vec::with_capacity(rests.len());
        for (rest, hash) in rests.iter().zip(hashes) {
            waiting.push(Lane::new(head, rest, hash));
        }
        if is_fast_one_by_one() {
            waiting.into_iter().for_each(|lane| lane.finish(START));
        } else {
            hash_in_lanes(&mut waiting);
        }
    }
    hashes
}

fn hash_in_lanes(waiting: &mut Vec<Lane<'_>>) {
    let mut lanes: [Option<Lane<'_>>; LANES] = [const { None }; LANES];
    let mut states: States = START.map(|word| [word; LANES]);
    lanes.iter_mut().for_each(|lane| *lane = take_longest(waiting));
    while lanes.iter().flatten().count() >= WORTHWHILE {
        let [first, second, third, fourth] = &mut lanes;
        compress(&mut states, [block(first), block(second), block(third), block(fourth)]);
        for (index, lane) in lanes.iter_mut().enumerate() {
            if let Some(ended) = lane.take_if(|lane| lane.blocks == 0) {
                ended.finish(lane_of(&states, index));
                set_lane(&mut states, index, START);
                *lane = take_longest(waiting);
            }
        }
    }
    for (index, lane) in lanes.into_iter().enumerate() {
        lane.into_iter().for_each(|lane| lane.finish(lane_of(&states, index)));
    }
}

/// A long message that starts last would be alone in the end.
fn take_longest<'a>(waiting: &mut Vec<Lane<'a>>) -> Option<Lane<'a>> {
    let (longest, _) = waiting.iter().enumerate().max_by_key(|(_, lane)| lane.blocks)?;
    Some(waiting.swap_remove(longest))
}

/// The next block of a lane; of one without a message any block, for nobody asks for the result.
fn block<'a>(lane: &'a mut Option<Lane<'_>>) -> &'a [u8; 64] {
    lane.as_mut().map_or(&[0; 64], Lane::next_block)
}

/// Whether one message at a time is faster: where the processor has instructions for SHA-256, and
/// where it has no vectors.
fn is_fast_one_by_one() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    cpufeatures::new!(sha_instructions, "sha", "sse4.1");
    #[cfg(target_arch = "aarch64")]
    cpufeatures::new!(sha_instructions, "sha2");
    #[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
    if sha_instructions::get() {
        return true;
    }
    !cfg!(any(target_feature = "sse2", target_feature = "neon", target_feature = "simd128"))
}

/// A message under way.
struct Lane<'a> {
    /// What of the message no block has taken yet.
    head: &'a [u8],
    rest: &'a [u8],
    /// Length of the whole message.
    bytes: usize,
    /// Blocks to come, padding included.
    blocks: usize,
    /// The bit that follows the message was written.
    is_marked: bool,
    /// A block that is not a piece of the message alone.
    edge: [u8; 64],
    hash: &'a mut Hash,
}

impl<'a> Lane<'a> {
    fn new(head: &'a [u8], rest: &'a [u8], hash: &'a mut Hash) -> Self {
        let bytes = head.len() + rest.len();
        // The padding is at least one byte and the length's eight (FIPS 180-4 §5.1.1).
        let blocks = (bytes + 9).div_ceil(64);
        Self { head, rest, bytes, blocks, is_marked: false, edge: [0; 64], hash }
    }

    fn next_block(&mut self) -> &[u8; 64] {
        self.blocks = self.blocks.saturating_sub(1);
        if self.head.is_empty()
            && let Some((whole, rest)) = self.rest.split_first_chunk::<64>()
        {
            self.rest = rest;
            return whole;
        }
        self.edge_block();
        &self.edge
    }

    /// A block at the message's start or end.
    fn edge_block(&mut self) {
        self.edge = [0; 64];
        let room = fill(&mut self.edge, &mut self.head);
        let room = fill(room, &mut self.rest);
        if let (Some(mark), false) = (room.first_mut(), self.is_marked) {
            *mark = 0x80;
            self.is_marked = true;
        }
        if self.blocks == 0
            && let Some(length) = self.edge.last_chunk_mut()
        {
            *length = (self.bytes as u64 * 8).to_be_bytes();
        }
    }

    /// Hashes what remains, from the state of what precedes it.
    fn finish(mut self, mut state: [u32; 8]) {
        while self.blocks > 0 {
            compress256(&mut state, array::from_ref(self.next_block()));
            if self.head.is_empty() {
                let (whole, rest) = self.rest.as_chunks::<64>();
                compress256(&mut state, whole);
                self.blocks -= whole.len();
                self.rest = rest;
            }
        }
        for (bytes, word) in self.hash.0.chunks_exact_mut(4).zip(state) {
            bytes.iter_mut().zip(word.to_be_bytes()).for_each(|(byte, of_word)| *byte = of_word);
        }
    }
}

/// Moves as many bytes as there is room for; gives the room that is left.
#[allow(clippy::disallowed_methods, reason = "both are cut to the shorter one")]
fn fill<'a>(room: &'a mut [u8], bytes: &mut &[u8]) -> &'a mut [u8] {
    let (now, later) = bytes.split_at(room.len().min(bytes.len()));
    let (filled, left) = room.split_at_mut(now.len());
    filled.copy_from_slice(now);
    *bytes = later;
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;
    use proptest::prelude::*;

    /// Hashes messages after a head of that length, and each of them with `sha2`.
    fn agree(rests: &[Vec<u8>], head: usize) {
        let head = message(head);
        let expected: Vec<Hash> =
            rests.iter().map(|rest| sha256(&[head.as_slice(), rest].concat())).collect();
        let rests: Vec<&[u8]> = rests.iter().map(Vec::as_slice).collect();
        assert_eq!(hashes(&head, &rests), expected);
        // Here too where the processor has its own instructions.
        let mut in_lanes = vec![Hash([0; 32]); rests.len()];
        let lanes =
            rests.iter().zip(&mut in_lanes).map(|(rest, hash)| Lane::new(&head, rest, hash));
        hash_in_lanes(&mut lanes.collect());
        assert_eq!(in_lanes, expected);
    }

    fn message(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 31 + length * 7) as u8).collect()
    }

    #[test]
    fn every_length_gives_the_hash_of_its_bytes() {
        for head in [0, 1, 11, 64, 70] {
            let messages: Vec<_> = (0..=300).map(message).collect();
            agree(&messages, head);
            let mixed: Vec<_> = (0..=300).map(|at| message(at * 97 % 301)).collect();
            agree(&mixed, head);
        }
    }

    #[test]
    fn few_messages_and_one_long_one() {
        for count in 0..9 {
            agree(&vec![message(200); count], 1);
            let mut messages = vec![message(5); count];
            messages.push(message(10_000));
            agree(&messages, 1);
        }
    }

    proptest! {
        #[test]
        fn groups_give_the_hashes_of_their_messages(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1000), 0..40),
            head in 0..130_usize,
        ) {
            agree(&messages, head);
        }
    }
}
