//! Damage and forgery: every bit of small files flipped, every length of them cut off, and forged logs
//! whose hashes are all right.

mod cuts;
mod flips;
mod forgeries;
mod forging;
mod logs;
mod members;
mod readers;
mod samples;
mod stores;
mod verdict;

/// How many damaged files there must be at least.
const FLIPS_MIN: usize = 160_000;
const CUTS_MIN: usize = 20_000;

/// Every bit is flipped and every length cut off of each sample: the set must be large enough for it.
#[test]
fn the_set_is_large_enough() {
    let sizes = samples::sizes();
    let mut bytes = 0;
    for (name, size) in &sizes {
        println!("{name}: {size} bytes, {} flips, {size} cuts", 8 * size);
        bytes += size;
    }
    println!("{} files: {} flips, {bytes} cuts", sizes.len(), 8 * bytes);
    assert!(sizes.iter().all(|(_, size)| *size < 4000), "small files only");
    assert!(8 * bytes >= FLIPS_MIN && bytes >= CUTS_MIN, "{bytes} bytes in all");
}
