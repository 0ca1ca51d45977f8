//! Every bound of the format and of this reader, in one place (`docs/format.md` §8).
//!
//! A bound is what refuses, cuts or splits something. How much is read or held at once, how often
//! something is tried, and the numbers of a layout stand where they are used.

// Of the format: these stand in `docs/format.md` §8, in this order.

/// Longest line without its `\n`. Sessions in the wild hold single lines of 12.8 MB.
pub const LINE_BYTES_MAX: usize = 32 << 20;
/// Most entries appended together.
pub const BATCH_ENTRIES_MAX: usize = 4096;
/// Most bytes of lines appended together.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// Deepest nesting of a body, the body itself included. `serde_json` stops at 128, JavaScript
/// nowhere: one bound for every host, checked on writing too.
pub const DEPTH_MAX: u32 = 64;
/// Largest integer of an envelope: the largest one that JavaScript's numbers hold exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Longest kind.
pub const KIND_BYTES_MAX: usize = 32;
/// Longest session id.
pub const ID_BYTES_MAX: usize = 128;
/// Longest encoded session id: a file name may have 255 bytes, and suffixes need room.
pub const KEY_BYTES_MAX: usize = 200;
/// Longest caller's id of an item.
pub const ITEM_ID_BYTES_MAX: usize = 512;
/// A block of an archive is closed once it holds this many bytes: some 2 % larger than one stream of
/// Node's zlib, and less than a millisecond to inflate.
pub const BLOCK_BYTES: usize = 320 << 10;
/// Largest index: what a gzip header's extra field can hold, less the subfield's own header.
pub const INDEX_BYTES_MAX: usize = 65_535 - 4;
/// A foreign gzip file may not grow by more than this factor …
pub const RATIO_MAX: u64 = 200;
/// … once it has given this many bytes.
pub const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Longest reason for a pruning.
pub const REASON_BYTES_MAX: usize = 500;
/// A segment is closed once its blocks have this many bytes: one is held in memory.
pub const SEGMENT_BYTES: usize = 8 << 20;
/// Most segments of a manifest: of that size, a terabyte of text.
pub const SEGMENTS_MAX: usize = 1 << 16;
/// Lines that are this short together stand in the manifest itself.
pub const INLINE_TAIL_BYTES: usize = 2 << 10;
/// A state slice that is this short stands in the manifest too.
pub const INLINE_SLICE_BYTES: usize = 2 << 10;
/// Ids that a manifest names itself, at most, before they go into a list when segments are joined.
pub const RECENT_IDS: usize = 128;
/// Largest manifest.
pub const MANIFEST_BYTES_MAX: usize = 16 << 20;
/// Largest number of a manifest: ten digits of its key, which count down.
pub const MANIFEST_NUMBER_MAX: u64 = 9_999_999_999;
/// Largest list of ids.
pub const IDS_BYTES_MAX: usize = 256 << 20;
/// Largest snapshot of zeitlich's that is read, inflated: four times what Node could read.
pub const SNAPSHOT_BYTES_MAX: u64 = 2 << 30;

// Of this reader and writer alone.

/// What deflate can make of a byte, at most.
pub const DEFLATE_RATIO_MAX: u64 = 1032;
/// Longest header of a gzip member: longer names and comments are no honest file's.
pub const GZIP_HEADER_BYTES_MAX: usize = 1 << 20;
/// Longest key of an object: some stores take no longer one.
pub const STORE_KEY_BYTES_MAX: usize = 512;
/// Longest part of a key between slashes: what file systems allow, less a store's own suffixes.
pub const STORE_KEY_PART_BYTES_MAX: usize = 224;
/// Longest part of an object that an append may name.
pub const MARK_BYTES_MAX: usize = 128;
/// Least length of a part that is not the last: 8 MiB, above S3's least of 5 MiB.
pub const PART_BYTES: usize = 8 << 20;
/// How much of a cache is passed on at once …
pub const CACHE_BYTES: usize = 1 << 20;
/// … and how many keys are asked for at once, and values put.
pub const CACHE_KEYS: u32 = 256;
/// Results of tools that a recovery record holds.
pub const RECORD_RESULTS_MAX: usize = 16;
/// How much of each result's output.
pub const RECORD_PREVIEW_BYTES: usize = 500;
/// How much of each tool's name, and of each call's id.
pub const RECORD_NAME_BYTES: usize = 512;
/// Largest recovery record: the same, all of it escaped, and a long folder.
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// Most tags of a session.
pub const TAGS_MAX: usize = 64;
/// Largest record of title, kind and tags.
pub const ABOUT_BYTES_MAX: usize = 16 << 10;
/// Largest record of an archived or pruned session: all of the reason escaped, and numbers.
pub const RETENTION_BYTES_MAX: usize = 4 << 10;
/// Largest note of a sweep.
pub const SWEEP_NOTE_BYTES_MAX: usize = 1 << 10;
/// Most ancestors of a session that are followed.
pub const ANCESTORS_MAX: usize = 10_000;
/// Entries at a log's start among which a title is looked for …
pub const LISTED_TITLE_ENTRIES: u64 = 8;
/// … in so many bytes …
pub const LISTED_TITLE_WINDOW: u64 = 16 << 10;
/// … and how much of what the user said is taken for it.
pub const LISTED_TITLE_BYTES: usize = 120;
/// Ids of one flush that a manifest names itself, at most: more go into a list at once.
pub const RECENT_IDS_MAX: usize = 1 << 19;
/// What is read again from a thread is appended in batches of so many bytes.
pub const THREAD_BATCH_BYTES: usize = 8 << 20;
/// Objects that are noted at once to be unused; others come next time.
pub const COLLECTION_KEYS_MAX: usize = 100_000;
/// Largest note of unused objects.
pub const COLLECTION_BYTES_MAX: usize = 64 << 20;
/// An object of that age may be about to be collected, if no manifest names it, in milliseconds.
pub const YOUNG_MS: u64 = 3_600_000;
/// Least grace of a collection: whoever writes commits while his objects are young.
pub const GRACE_MS_MIN: u64 = 2 * YOUNG_MS;
/// For so long the end of a deleted session is kept, at least: it is all that hides what is left of the
/// session where no collection looks, such as an archive that was published late, or the anchor of
/// another hot store. More than a year, and than keys without a write live in a hot store.
pub const GRAVE_MS_MIN: u64 = 400 * 24 * 3_600_000;
/// Most bytes that a block is inflated to where it is shown: two lines of the greatest length and a
/// block.
pub const VIEW_BLOCK_BYTES_MAX: u64 = 80 << 20;
/// Texts of parts are shown cut after so many bytes.
pub const VIEW_PART_BYTES: usize = 65_536;
/// Bytes of a shown preview.
pub const VIEW_PREVIEW_BYTES: usize = 160;
/// Longest name of a model, tool or the like that is shown.
pub const VIEW_NAME_BYTES_MAX: usize = 255;
/// Lines of a foreign file that are looked at to tell which system wrote it.
pub const DETECT_LINES: usize = 8;
/// What an entry's envelope and its line's hashes need beside a draft, at most.
pub const ENVELOPE_BYTES: usize = 1 << 10;
/// How much of a foreign title is taken.
pub const TITLE_BYTES_MAX: usize = 1 << 10;
/// How much of foreign tags, as JSON: what a record has beside the title and its own members.
pub const IMPORT_TAGS_BYTES: usize = ABOUT_BYTES_MAX - 6 * TITLE_BYTES_MAX - 256;
/// Largest file of an earlier system that is read, and the most that it may inflate to.
/// Less where it is tested.
pub const IMPORT_BYTES_MAX: u64 = if cfg!(test) { 48 << 20 } else { 1 << 30 };
/// How much of such a file is inflated to tell which system wrote it.
pub const IMPORT_START_BYTES: usize = 1 << 20;
/// Most entries that a session gets of an import. Fewer where it is tested.
pub const IMPORT_ENTRIES_MAX: usize = if cfg!(test) { 1 << 12 } else { 4 << 20 };
/// Most places of such files that are told one by one to be left out.
pub const IMPORT_SKIPPED_MAX: usize = if cfg!(test) { 1 << 11 } else { 64 << 10 };
/// Foreign lines that are no messages are taken together up to so many bytes.
pub const IMPORT_TEXT_BYTES: usize = 64 << 10;
/// A batch of imported entries is closed once its drafts have so many bytes …
pub const IMPORT_BATCH_BYTES: usize = 1 << 20;
/// … or are so many.
pub const IMPORT_BATCH_ENTRIES: usize = 1024;
/// Longest integer of an Erlang term that is written in decimal digits: time grows with its square.
pub const TERM_INTEGER_BYTES_MAX: usize = 256;

/// What a byte of text needs in JSON, at most: `\u001f`.
const ESCAPED: usize = 6;
/// Longest hash, number and so on of a record with their names, roughly.
const MEMBERS: usize = 512;
/// What the names of a session's files have beside its encoded id, at most: `.retention.json`.
const SUFFIX: usize = 16;

// Lines, batches and blocks.
const _: () = assert!(LINE_BYTES_MAX < BATCH_BYTES_MAX, "a batch holds at least one line");
const _: () = assert!(BATCH_ENTRIES_MAX as u64 <= u32::MAX as u64, "`more` is 32 bits");
const _: () = assert!(DEPTH_MAX <= u64::BITS, "a bit for each level");
const _: () = assert!(INTEGER_MAX < u64::MAX / 1024, "sums of some integers are numbers too");
const _: () = assert!(BLOCK_BYTES < LINE_BYTES_MAX && BLOCK_BYTES <= SEGMENT_BYTES);
const _: () = assert!(INDEX_BYTES_MAX + 4 <= u16::MAX as usize, "gzip's extra field");
const _: () = assert!(INDEX_BYTES_MAX < GZIP_HEADER_BYTES_MAX);
const _: () = assert!(RATIO_MAX < DEFLATE_RATIO_MAX, "else it forbids nothing");
const _: () = assert!(ENVELOPE_BYTES >= 2 * ID_BYTES_MAX + KIND_BYTES_MAX + MEMBERS);

// Names.
const _: () = assert!(ID_BYTES_MAX <= KEY_BYTES_MAX);
const _: () = assert!(KEY_BYTES_MAX + SUFFIX <= STORE_KEY_PART_BYTES_MAX);
const _: () = assert!(STORE_KEY_PART_BYTES_MAX < 255, "a store's own suffixes need room");
const _: () = assert!(KEY_BYTES_MAX + STORE_KEY_PART_BYTES_MAX < STORE_KEY_BYTES_MAX);
const _: () = assert!(MANIFEST_NUMBER_MAX < INTEGER_MAX);

// Records hold their parts fully escaped.
const _: () = assert!(ESCAPED * REASON_BYTES_MAX + MEMBERS <= RETENTION_BYTES_MAX);
const _: () = assert!(ESCAPED * TITLE_BYTES_MAX + IMPORT_TAGS_BYTES + 256 <= ABOUT_BYTES_MAX);
const RESULT: usize = ESCAPED * (RECORD_PREVIEW_BYTES + 2 * RECORD_NAME_BYTES) + 128;
const _: () = assert!(RECORD_RESULTS_MAX * RESULT + (64 << 10) <= RECORD_BYTES_MAX);
const _: () = assert!(COLLECTION_KEYS_MAX * (STORE_KEY_BYTES_MAX + 3) < COLLECTION_BYTES_MAX);

// The manifest holds all that may stand in it; so does the anchor, which holds a manifest.
const INLINE: usize = ESCAPED * INLINE_TAIL_BYTES + INLINE_SLICE_BYTES + ABOUT_BYTES_MAX;
const NAMED: usize = 128 * SEGMENTS_MAX + 8 * RECENT_IDS_MAX;
const _: () = assert!(NAMED + INLINE + (1 << 20) <= MANIFEST_BYTES_MAX);
const _: () = assert!(RECENT_IDS <= RECENT_IDS_MAX && 4 * RECENT_IDS_MAX < IDS_BYTES_MAX);
const _: () = assert!(INLINE_TAIL_BYTES < BLOCK_BYTES);
const _: () = assert!(2 * YOUNG_MS <= GRACE_MS_MIN, "what is committed late was not collected yet");
const _: () = assert!(GRACE_MS_MIN < GRAVE_MS_MIN, "the end of a session outlives what it named");

// Batches that are made of what is there already.
const _: () = assert!(IMPORT_BATCH_BYTES + LINE_BYTES_MAX < BATCH_BYTES_MAX);
const _: () = assert!(IMPORT_BATCH_ENTRIES <= BATCH_ENTRIES_MAX);
const _: () = assert!(IMPORT_TEXT_BYTES * ESCAPED + ENVELOPE_BYTES < LINE_BYTES_MAX);
const _: () = assert!(THREAD_BATCH_BYTES + LINE_BYTES_MAX < BATCH_BYTES_MAX);

// Where it is shown.
const _: () = assert!(VIEW_BLOCK_BYTES_MAX >= (2 * LINE_BYTES_MAX + BLOCK_BYTES) as u64);
const _: () = assert!(VIEW_PREVIEW_BYTES < VIEW_PART_BYTES);

#[cfg(test)]
mod tests;
