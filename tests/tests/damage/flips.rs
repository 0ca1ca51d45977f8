//! Every single bit of every file, flipped.

use std::collections::BTreeMap;

use turnkeep::core::ErrorClass;

use crate::logs::Known;
use crate::members::Outcome;
use crate::readers::{self, Content};
use crate::samples::{self, Zipped};
use crate::verdict::{Verdict, verdict};
use crate::{members, stores};

/// Gives each copy of a file with one bit flipped: the byte's place, the bit, and the copy.
pub(crate) fn each_flip(file: &[u8], mut found: impl FnMut(usize, u8, &[u8])) -> usize {
    let mut flipped = file.to_vec();
    for at in 0..file.len() {
        for bit in 0..8 {
            flipped[at] ^= 1 << bit;
            found(at, bit, &flipped);
            flipped[at] = file[at];
        }
    }
    8 * file.len()
}

/// How often each code was answered.
#[derive(Default)]
pub(crate) struct Codes(BTreeMap<&'static str, usize>);

impl Codes {
    pub(crate) fn count(&mut self, code: &'static str) {
        *self.0.entry(code).or_default() += 1;
    }

    pub(crate) fn print(&self, name: &str, flips: usize) {
        println!("{name}: {:?}", self.0);
        println!("proof: {flips} bits flipped");
        assert_eq!(self.0.values().sum::<usize>(), flips, "{name}: each was looked at");
    }
}

#[test]
fn every_flip_of_a_log_is_found_on_its_line() {
    for samples::Sample { name, log } in samples::logs() {
        let known = Known::new(log);
        let mut codes = Codes::default();
        let flips = each_flip(&known.log.0, |at, bit, flipped| {
            let what = format!("{name}, byte {at}, bit {bit}");
            let verdict = verdict(&known.log, at, flipped[at]);
            known.check_report(flipped, verdict, &what);
            known.check_rows(flipped, at, verdict, &what);
            codes.count(match verdict {
                Verdict::Fault(code, _) => code,
                Verdict::Unended => "unended",
                Verdict::Unfinished => "of an unfinished write",
            });
        });
        codes.print(name, flips);
    }
}

/// What may go unnoticed in a gzip file: it changes nothing of its content. All else is found.
#[test]
fn every_flip_of_an_archive_is_found_or_changes_nothing() {
    let archive = samples::archive();
    let start = archive.blocks[0].start;
    // Without its subfield the file is anybody's gzip file, which has no index (§6.3): the two bytes
    // of its name, and lengths that reach beyond the extra field.
    let mut harmless = bits(12..14, |_, _| true);
    harmless.extend(bits(14..16, |at, bit| archive.file[at] & 1 << bit == 0));
    let found = flips_of(&archive, &harmless, |at| match at {
        // What does not start as gzip files do is taken for a log.
        0 => &["bad_line", "empty_log"],
        1..3 => &["not_gzip"],
        3 | 10..12 => &["bad_index", "gzip_corrupt", "gzip_truncated", "gzip_checksum"],
        16 => &["bad_index", "unsupported_version"],
        4..10 | 14..16 => &["bad_index"],
        at if at < start => &["bad_index"],
        _ => members::CONTENT_CODES,
    });
    members::check_indexed(&archive);
    assert_eq!(found, members::COPIES, "copies of the same bytes");
}

#[test]
fn every_flip_of_a_gzip_file_is_found_or_changes_nothing() {
    for zipped in [samples::plain_gzip(), samples::stored_gzip()] {
        // Time, sort of compression and system, and the flag that says that it is text: nobody's
        // content (RFC 1952), and no index vouches for them.
        let mut harmless = bits(4..10, |_, _| true);
        harmless.push((3, 0));
        let found = flips_of(&zipped, &harmless, |at| match at {
            0 => &["bad_line", "empty_log"],
            1..3 => &["not_gzip"],
            // The deflate stream is taken for what the flag announces.
            3 => &["gzip_corrupt", "gzip_truncated"],
            _ => members::CONTENT_CODES,
        });
        assert!(found.is_empty(), "{}: copies of the same bytes: {found:?}", zipped.name);
    }
}

/// Flips each bit of a gzip file. What goes unnoticed is `harmless` or padding of the deflate stream;
/// what is neither is given: a match that points to another copy of the same bytes.
fn flips_of(
    zipped: &Zipped,
    harmless: &[(usize, u8)],
    allowed: impl Fn(usize) -> &'static [&'static str],
) -> Vec<(usize, u8)> {
    let known = Known::new(zipped.log.clone());
    let (mut codes, mut unnoticed) = (Codes::default(), Vec::new());
    let flips = each_flip(&zipped.file, |at, bit, flipped| {
        let what = format!("{}, byte {at}, bit {bit}", zipped.name);
        match members::outcome(zipped, &known, flipped, &what) {
            Outcome::Same => {
                codes.count("nothing changed");
                unnoticed.push((at, bit));
            }
            Outcome::Fault(fault) => {
                codes.count(fault.code());
                assert!(allowed(at).contains(&fault.code()), "{what}: {fault}");
                members::check_place(zipped, at, &fault, &what);
            }
        }
        members::check_view(zipped, &known, at, flipped, &what);
    });
    codes.print(zipped.name, flips);
    let missing: Vec<_> = harmless.iter().filter(|bit| !unnoticed.contains(bit)).collect();
    assert!(missing.is_empty(), "{}: found, and said to be harmless: {missing:?}", zipped.name);
    unnoticed.retain(|bit| !harmless.contains(bit));
    let (padding, others): (Vec<_>, Vec<_>) =
        unnoticed.into_iter().partition(|(at, bit)| members::is_padding(zipped, *at, *bit));
    println!("  harmless: {} bits of no meaning, {} of padding", harmless.len(), padding.len());
    println!("  padding: {padding:?}");
    others
}

/// The bits of some bytes.
fn bits(bytes: std::ops::Range<usize>, is_meant: impl Fn(usize, u8) -> bool) -> Vec<(usize, u8)> {
    let all = bytes.flat_map(|at| (0..8).map(move |bit| (at, bit)));
    all.filter(|(at, bit)| is_meant(*at, *bit)).collect()
}

/// Of a bundle not one bit may change.
#[test]
fn every_flip_of_a_bundle_is_found() {
    let file = samples::bundle();
    let good = readers::bundle(&file).expect("a bundle");
    assert_eq!(good.sessions.len(), 2);
    let end = file.len() - turnkeep::core::bundle::TAIL_BYTES;
    let mut codes = Codes::default();
    let flips = each_flip(&file, |at, bit, flipped| {
        let what = format!("bundle, byte {at}, bit {bit}");
        let error = match readers::bundle(flipped) {
            Err(error) => error,
            Ok(Content { .. }) => panic!("{what}: not found"),
        };
        codes.count(error.code());
        assert_eq!(error.kind().class(), ErrorClass::Data, "{what}: {error}");
        match at {
            0..3 => assert_eq!(error.code(), "not_gzip", "{what}"),
            at if at >= file.len() - 8 => assert_eq!(error.code(), "gzip_checksum", "{what}"),
            // What the end says of the file may look right; its own bytes are not.
            at if at >= end => {
                assert!(["bad_bundle", "gzip_checksum"].contains(&error.code()), "{what}: {error}");
            }
            _ => readers::check_place(&error, &what),
        }
    });
    codes.print("bundle", flips);
}

#[test]
fn every_flip_of_a_cold_stores_objects_is_found_or_changes_nothing() {
    let cold = samples::cold();
    for (name, key) in [("manifest", &cold.manifest), ("segment", &cold.segment)] {
        stores::flip_cold(&cold, name, key);
    }
}

#[test]
fn every_flip_of_a_retention_record_changes_nothing_of_the_session() {
    stores::flip_retention();
}
