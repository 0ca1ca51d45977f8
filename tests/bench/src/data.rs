//! What is measured on: transcripts of the project's own generator.

use turnkeep_core::SessionId;
use turnkeep_core::log::{Stamp, Writer};
use turnkeep_corpus::turns;

/// Messages written at once.
pub const BATCH: usize = 13;

/// Drafts of that many messages.
pub fn drafts(messages: usize) -> Vec<String> {
    let mut drafts: Vec<String> = turns(1, messages).into_iter().flatten().collect();
    drafts.truncate(messages);
    drafts
}

/// Their lengths together.
pub fn total(drafts: &[String]) -> usize {
    drafts.iter().map(String::len).sum()
}

/// A log of drafts, in batches.
pub fn log(drafts: &[String]) -> Vec<u8> {
    let mut writer = Writer::create(SessionId::new("bench").expect("an id"), true);
    let mut log = Vec::new();
    for batch in drafts.chunks(BATCH) {
        let batch = writer.write(batch, &stamp(log.len() as u64)).expect("good drafts");
        writer.advance(batch.head);
        log.extend(batch.bytes);
    }
    log
}

/// Time and salts that look like real ones, and are always the same.
pub fn stamp(seed: u64) -> Stamp {
    let mut random = seed | 1;
    let salts = std::iter::repeat_with(|| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        random.to_be_bytes()
    });
    let random = salts.take(BATCH + 1).flatten().collect();
    Stamp { now_ms: 1_760_000_000_000 + seed / 40, random }
}
