//! Every bound of the format and of this reader, in one place (`docs/format.md` §8).

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
/// Results of tools that a recovery record holds.
pub const RECORD_RESULTS_MAX: usize = 16;
/// How much of each result's output.
pub const RECORD_PREVIEW_BYTES: usize = 500;
/// Most tags of a session.
pub const TAGS_MAX: usize = 64;
/// Largest record of title, kind and tags.
pub const ABOUT_BYTES_MAX: usize = 16 << 10;
/// Longest reason for a pruning.
pub const REASON_BYTES_MAX: usize = 500;
/// Largest record of an archived or pruned session: all of the reason escaped, and numbers.
pub const RETENTION_BYTES_MAX: usize = 4 << 10;
/// Largest recovery record that is read: the same, all of it escaped, and long names.
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// A segment is closed once its blocks have this many bytes: one is held in memory.
pub const SEGMENT_BYTES: usize = 8 << 20;
/// Most segments of a manifest: of that size, a terabyte of text.
pub const SEGMENTS_MAX: usize = 1 << 16;
/// Lines that are this short together stand in the manifest itself.
pub const INLINE_TAIL_BYTES: usize = 2 << 10;
/// A state slice that is this short stands in the manifest too.
pub const INLINE_SLICE_BYTES: usize = 2 << 10;
/// Ids that a manifest names itself, at most, before they go into a list.
pub const RECENT_IDS: usize = 128;
/// Largest manifest that is read.
pub const MANIFEST_BYTES_MAX: usize = 16 << 20;
/// Largest list of ids that is read.
pub const IDS_BYTES_MAX: usize = 256 << 20;
/// Largest snapshot of zeitlich's that is read, inflated: four times what Node could read.
pub const SNAPSHOT_BYTES_MAX: u64 = 2 << 30;
/// Lines of a foreign file that are looked at to tell which system wrote it.
pub const DETECT_LINES: usize = 8;
/// What an entry's envelope and its line's hashes need beside an imported draft, at most.
pub const ENVELOPE_BYTES: usize = 1 << 10;
/// How much of a foreign title is taken.
pub const TITLE_BYTES_MAX: usize = 1 << 10;
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
/// Longest integer of an Erlang term that is written in decimal digits: time grows with its square.
pub const TERM_INTEGER_BYTES_MAX: usize = 256;

const _: () = assert!(6 * TITLE_BYTES_MAX < ABOUT_BYTES_MAX);
const _: () = assert!(SEGMENTS_MAX * 128 < MANIFEST_BYTES_MAX);
const _: () = assert!(LINE_BYTES_MAX <= BATCH_BYTES_MAX);
const _: () = assert!(6 * REASON_BYTES_MAX + 512 <= RETENTION_BYTES_MAX);
const _: () = assert!(DEPTH_MAX <= u64::BITS);
const _: () = assert!(BLOCK_BYTES < LINE_BYTES_MAX);
