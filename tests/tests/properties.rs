//! Properties: what is written is what is read, however it is cut; what is changed is found; noise
//! is an error, never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index as Pick, select};
use serde_json::value::RawValue;
use turnkeep::core::archive::{Index, archive, inflate_span, read_index, unarchive};
use turnkeep::core::gzip::{Bound, Reader, gunzip};
use turnkeep::core::log::{Expectation, LineReader, Report, Stamp, Verifier, Writer, verify};
use turnkeep::core::session::FileVerifier;
use turnkeep::core::sha256;
use turnkeep::{Entry, Key, SessionId, State};
use turnkeep_tests::build::{
    Archive, Log, Member, Random, crc32, deflated, entry, point, prefixed, stored,
};

/// JSON of any sort: what payloads may hold.
fn json() -> impl Strategy<Value = String> {
    let text = "[ -~é🙂\u{2028}]{0,20}".prop_map(|text| {
        let mut quoted = String::new();
        text.chars().for_each(|c| match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        });
        format!("\"{quoted}\"")
    });
    let leaf = prop_oneof![
        select(vec![
            "null",
            "true",
            "-0",
            "1e400",
            "18446744073709551615",
            r#""\ud800""#,
            r#""\u0000""#
        ])
        .prop_map(str::to_owned),
        text.clone(),
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" ,"))),
            vec((text.clone(), inner), 0..4).prop_map(|members| {
                let members: Vec<_> =
                    members.into_iter().map(|(key, value)| format!("{key} : {value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Drafts of any kind, which can be folded in any order.
fn draft() -> impl Strategy<Value = String> {
    let with = |kind: &'static str, field: &'static str| {
        json().prop_map(move |value| format!(r#"{{"kind":"{kind}","{field}": {value} }}"#))
    };
    prop_oneof![
        with("user_input", "item"),
        with("assistant_item", "item"),
        with("tool_result", "item"),
        with("config_changed", "config"),
        with("state", "state"),
        with("later_kind", "anything"),
        (0_u64..1 << 53).prop_map(|turn| format!(r#"{{"kind":"turn_end","turn":{turn}}}"#)),
        (0_u64..1 << 53).prop_map(|ts| format!(r#"{{"ts":{ts},"kind":"run_started"}}"#)),
        vec(json(), 0..3)
            .prop_map(|items| format!(r#"{{"kind":"replaced","history":[{}]}}"#, items.join(","))),
        vec(json(), 0..3).prop_map(|items| format!(
            r#"{{"kind":"compaction","summary":[{}],"keep_last":0}}"#,
            items.join(",")
        )),
        Just(r#"{"kind":"truncated","keep":0}"#.to_owned()),
        json()
            .prop_map(|value| format!(r#"{{"kind":"extension","domain":"d","payload":{value}}}"#)),
    ]
}

/// The log of these batches, and where each ends.
fn log_of(batches: &[Vec<String>], is_salted: bool) -> (Vec<u8>, Vec<u64>) {
    let mut writer = Writer::create(SessionId::new("demo").expect("an id"), is_salted);
    let (mut log, mut ends) = (Vec::new(), vec![0]);
    for batch in batches.iter().filter(|batch| !batch.is_empty()) {
        let random =
            (0..writer.random_bytes(batch.len())).map(|byte| (byte * 7 % 251) as u8).collect();
        let written =
            writer.write(batch, &Stamp { now_ms: 1_760_000_000_000, random }).expect("good drafts");
        log.extend(written.bytes);
        if ends == [0] {
            // The line that opens the log is a batch of its own.
            ends.push(log.iter().position(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1));
        }
        ends.push(log.len() as u64);
        writer.advance(written.head);
    }
    (log, ends)
}

/// The pieces between some places.
fn pieces<'a>(bytes: &'a [u8], cuts: &[Pick]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn deep(pieces: &[&[u8]]) -> Report {
    let mut verifier = Verifier::new(Expectation::default()).deep();
    pieces.iter().for_each(|piece| verifier.push(piece));
    verifier.finish()
}

proptest! {
    #![proptest_config(cases(200))]

    /// Write, verify, fold, archive, unarchive.
    #[test]
    fn what_is_written_is_read(
        batches in vec(vec(draft(), 1..5), 1..6),
        is_salted: bool,
        cuts in vec(any::<Pick>(), 0..8),
    ) {
        let (log, _) = log_of(&batches, is_salted);
        let report = deep(&pieces(&log, &cuts));
        prop_assert!(report.is_whole(), "{:?}", report);
        let entries = batches.iter().map(Vec::len).sum::<usize>() as u64;
        prop_assert_eq!(report.head.map(|head| (head.seq, head.bytes)), Some((entries, log.len() as u64)));
        let state = State::fold(&log).expect("a state");
        // Raw, because payloads may hold what no value can: 1e400, lone surrogates.
        prop_assert!(serde_json::from_str::<&RawValue>(&state.to_json()).is_ok());
        let archived = archive(&log).expect("an archive");
        prop_assert!(unarchive(&archived).expect("its log") == log);
        let mut file = FileVerifier::new(Expectation::default()).deep();
        pieces(&archived, &cuts).iter().for_each(|piece| file.push(piece));
        prop_assert!(file.finish() == report);
        let index = read_index(&archived, archived.len() as u64).expect("an index");
        prop_assert_eq!(Some(index.head), report.head);
    }

    /// Wherever a log is cut, what is whole is told, and the next writer can go on.
    #[test]
    fn a_cut_log_keeps_its_whole_batches(batches in vec(vec(draft(), 1..4), 1..5), cut: Pick) {
        let (log, ends) = log_of(&batches, true);
        let end = cut.index(log.len() + 1) as u64;
        let whole = ends.iter().copied().filter(|batch| *batch <= end).max().unwrap_or(0);
        let report = deep(&[&log[..usize::try_from(end).expect("fits")]]);
        prop_assert_eq!(report.head.map_or(0, |head| head.bytes), whole);
        prop_assert_eq!(report.torn.map_or(0, |torn| torn.bytes), end - whole);
        let code = report.fault.map(|fault| fault.code());
        prop_assert_eq!(code, (whole == 0).then_some("empty_log"));
    }

    /// Redaction keeps the chain, whatever is withheld.
    #[test]
    fn withheld_entries_keep_the_chain(batches in vec(vec(draft(), 1..4), 1..5), picks in vec(any::<Pick>(), 1..6)) {
        let (log, _) = log_of(&batches, true);
        let log = Log(log);
        let last = log.lines().len() as u64 - 1;
        let mut withheld: Vec<u64> = picks.iter().map(|pick| 1 + pick.index(usize::try_from(last).expect("fits")) as u64).collect();
        withheld.sort_unstable();
        withheld.dedup();
        let redacted = log.redact(&withheld);
        let report = deep(&[&redacted.0]);
        prop_assert!(report.fault.is_none(), "{:?}", report);
        prop_assert_eq!(report.head.map(|head| head.hash), deep(&[&log.0]).head.map(|head| head.hash));
        prop_assert_eq!(report.withheld, withheld.len() as u64);
        prop_assert!(State::fold(&redacted.0).is_ok());
    }

    /// An archive made by hand, with blocks of any size, merged or not, reads like its log.
    #[test]
    fn archives_of_any_blocks_are_read(items in 1_u64..40, block_bytes in 1_usize..4000, merges in 0..4, is_stored: bool) {
        let log = Log::text(items, 80, 3);
        let deflate = if is_stored { stored } else { deflated };
        let mut made = Archive::with(&log, block_bytes, deflate);
        for _ in 0..merges {
            made = made.merged();
        }
        prop_assert!(unarchive(&made.bytes()).expect("its log") == log.0);
        let file = made.bytes();
        let index = read_index(&file, file.len() as u64).expect("an index");
        let mut joined = Vec::new();
        for span in index.located() {
            let range = usize::try_from(span.compressed.start).expect("fits")..usize::try_from(span.compressed.end).expect("fits");
            joined.extend(inflate_span(&span, &file[range]).expect("a span"));
        }
        prop_assert!(joined == log.0);
    }

    #[test]
    fn noise_is_no_log(noise in vec(any::<u8>(), 0..400), cuts in vec(any::<Pick>(), 0..4)) {
        let report = deep(&pieces(&noise, &cuts));
        prop_assert!(report.fault.is_some() && report.head.is_none());
        prop_assert!(Entry::parse(&noise).is_err());
        prop_assert!(State::fold(&noise).is_err() && archive(&noise).is_err());
        prop_assert!(SessionId::decode(&String::from_utf8_lossy(&noise)).is_err() || noise.len() < 200);
        Key::parse(String::from_utf8_lossy(&noise).into_owned()).ok();
    }

    /// Noise that is hashed right gets further, and is an error there.
    #[test]
    fn hashed_noise_is_an_error(rest in near_rest(), is_first: bool) {
        let rests = if is_first { vec![rest.clone()] } else { vec![turnkeep_tests::build::start("").into_bytes(), rest.clone()] };
        let log = Log::of(&rests);
        let report = deep(&[&log.0]);
        prop_assert_eq!(report.clone(), deep(&pieces(&log.0, &[])));
        if let Some(error) = report.fault.or(report.entry_fault) {
            prop_assert!(State::fold(&log.0).is_err(), "{error}");
        }
        Entry::parse(&prefixed(&"ab".repeat(32), None, &rest)).ok();
    }

    #[test]
    fn noise_is_no_gzip(noise in vec(any::<u8>(), 0..300), header in 0_usize..18, cuts in vec(any::<Pick>(), 0..4)) {
        let start = &Member::of(b"").header()[..header.min(10)];
        let file = [start, &noise].concat();
        let whole = gunzip(&file, Bound { output_bytes: 1 << 20 });
        let mut given = Vec::new();
        let mut reader = Reader::new(Bound { output_bytes: 1 << 20 });
        let mut pushed = Ok(());
        for piece in pieces(&file, &cuts) {
            pushed = pushed.and_then(|()| reader.push(piece, |bytes| {
                given.extend_from_slice(bytes);
                Ok(())
            }));
        }
        let chunked = pushed.and_then(|()| reader.finish());
        prop_assert_eq!(whole.as_ref().err().map(|e| e.code()), chunked.err().map(|e| e.code()));
        if let Ok(whole) = whole {
            prop_assert!(whole == given);
        }
        prop_assert!(read_index(&file, file.len() as u64).is_err());
    }

    #[test]
    fn noise_is_no_index(noise in vec(any::<u8>(), 0..200)) {
        prop_assert!(Index::decode(&noise).is_err());
        // With a right check in front, so that what follows is looked at; then it may be one.
        let checked = [&[1][..], &crc32(&noise).to_le_bytes(), &noise].concat();
        if let Ok(index) = Index::decode(&checked) {
            index.located().for_each(|span| {
                inflate_span(&span, &noise).ok();
            });
        }
    }

    #[test]
    fn lines_do_not_depend_on_the_pieces(text in "[a-c\n]{0,60}", cuts in vec(any::<Pick>(), 0..9)) {
        let mut lines = Vec::new();
        let mut reader = LineReader::new(0);
        for piece in pieces(text.as_bytes(), &cuts) {
            reader.push(piece, |line, offset| {
                lines.push((line.to_vec(), offset));
                Ok(())
            }).expect("short lines");
        }
        let mut joined: Vec<u8> = lines.iter().flat_map(|(line, _)| [&line[..], b"\n"].concat()).collect();
        joined.extend(reader.rest());
        prop_assert_eq!(joined, text.as_bytes());
    }
}

proptest! {
    #![proptest_config(cases(30))]

    /// What the writer of archives writes is what the document says, to the byte.
    #[test]
    fn archives_are_written_as_the_document_says(items in 1_u64..900, bytes in 1_usize..900, withheld in vec(1_u64..900, 0..3)) {
        let log = Log::text(items, bytes, 4).redact(&withheld);
        prop_assert!(archive(&log.0).expect("an archive") == Archive::of(&log, 327_680).bytes());
    }
}

/// So many cases; what failed once is not kept in a file, it becomes a test of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// A REST that is nearly one: pieces of right ones in a wrong order.
fn near_rest() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "\"kind\":\"user_input\"",
        "\"kind\":\"fork\"",
        "\"kind\":\"session_start\"",
        ",\"seq\":0",
        ",\"seq\":1",
        ",\"format\":1",
        ",\"session\":\"demo\"",
        ",\"ts\":5",
        ",\"fork\":0",
        ",\"salt\":\"AAAAAAAAAAA\"",
        ",\"more\":1",
        ",\"item\":1",
        ",\"item\":",
        "{}",
        "[",
        "]",
        "}",
        "\"",
        "\\",
        ",",
        " ",
        "é",
        "\u{1}",
        "1e",
        "null",
        "\"kind\":\"redacted\",\"digest\":\"",
        "abababababababababababababababababababababababababababababababab",
        "\"}",
    ];
    let noise = vec(any::<u8>(), 0..4)
        .prop_map(|bytes| bytes.into_iter().filter(|byte| *byte != b'\n').collect());
    let piece = select(pieces).prop_map(|piece| piece.as_bytes().to_vec());
    let piece = prop_oneof![9 => piece, 1 => noise];
    vec(piece, 0..14).prop_map(|pieces| [pieces.concat(), b"}".to_vec()].concat())
}

/// A log of about 1.5 KB with a batch, a redacted entry and a fork in it.
fn small_log() -> Log {
    let log = Log::sample();
    let parent = point("demo", 4, &log.hash(4));
    let fork = entry(5, "fork", &format!(r#","session":"child","parent":{parent}"#));
    let log = Log::of(&[&log.rests()[..5], &[fork.as_bytes()]].concat()).redact(&[1]);
    assert!((1300..1800).contains(&log.0.len()), "{} bytes", log.0.len());
    log
}

/// Every single bit of a log: a flipped one is found, or leaves a shorter log that holds.
#[test]
fn every_flipped_bit_is_found() {
    let log = small_log().0;
    let good = deep(&[&log]);
    let head = good.head.expect("a head");
    let expectation =
        Expectation { session: good.session.clone(), head: Some((head.seq, head.hash)) };
    let (mut faults, mut torn) = (0, 0);
    for bit in 0..log.len() * 8 {
        let mut flipped = log.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let report = deep(&[&flipped]);
        match &report.fault {
            Some(_) => faults += 1,
            None => {
                // Only the last line's end can go without a fault; whoever knows the head sees it.
                assert!(report.torn.is_some() && bit / 8 == log.len() - 1, "bit {bit}: {report:?}");
                torn += 1;
            }
        }
        let found = verify(&flipped, expectation.clone());
        assert!(found.fault.is_some(), "bit {bit}");
        assert!(report.head.is_none_or(|found| found.bytes < head.bytes), "bit {bit}: {report:?}");
        if let Some(found) = report.head {
            let end = usize::try_from(found.bytes).expect("fits");
            assert!(flipped[..end] == log[..end], "what it vouches for is unchanged");
        }
    }
    println!("{faults} faults, {torn} torn");
    assert_eq!(torn, 8);
}

/// Every cut: never more than was written, never a fault but for nothing at all.
#[test]
fn every_cut_is_found() {
    let log = small_log().0;
    let head = deep(&[&log]).head.expect("a head");
    let expectation = Expectation { session: None, head: Some((head.seq, head.hash)) };
    for end in 0..log.len() {
        let report = verify(&log[..end], expectation.clone());
        let code = report.fault.expect("a fault").code();
        assert!(matches!(code, "head_mismatch" | "empty_log"), "cut at {end}: {code}");
    }
}

/// Every line removed, doubled, or swapped with the next.
#[test]
fn every_moved_line_is_found() {
    let log = small_log();
    let lines = log.lines();
    for at in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(at);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        let mut swapped = lines.clone();
        swapped.swap(at, (at + 1) % lines.len());
        for (what, changed) in [("removed", removed), ("doubled", doubled), ("swapped", swapped)] {
            let report = deep(&[&changed.concat()]);
            let is_shorter = what == "removed" && at == lines.len() - 1;
            assert!(report.fault.is_some() || is_shorter, "line {at} {what}");
        }
    }
}

/// Every single bit of an archive: a flipped one is found, or changes nothing of the log.
#[test]
fn every_flipped_bit_of_an_archive_is_found() {
    let log = small_log();
    let file = Archive::of(&log, 500).bytes();
    let mut harmless = 0;
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match unarchive(&flipped) {
            Err(_) => {}
            Ok(found) => {
                assert!(found == log.0, "bit {bit}");
                harmless += 1;
            }
        }
    }
    println!("{} bits, {harmless} of them without meaning", file.len() * 8);
    assert!(harmless < 40, "{harmless}");
}

#[test]
fn every_cut_of_an_archive_is_found() {
    let file = Archive::of(&small_log(), 500).bytes();
    for end in 0..file.len() {
        for outcome in [
            unarchive(&file[..end]).map(|_| ()),
            gunzip(&file[..end], Bound::default()).map(|_| ()),
        ] {
            assert_eq!(outcome.expect_err("it is cut").code(), "gzip_truncated", "cut at {end}");
        }
    }
}

/// Every two archives of a log hold the same log, whatever their blocks.
#[test]
fn identity_is_the_logs_and_not_the_archives() {
    let log = small_log();
    let files: Vec<_> =
        [1, 300, 700, 1 << 20].into_iter().map(|size| Archive::of(&log, size).bytes()).collect();
    for file in &files {
        assert_eq!(sha256(&unarchive(file).expect("its log")), sha256(&log.0));
    }
    assert_ne!(files[0], files[3]);
}

/// Long text of few words, in pieces of every small size.
#[test]
fn gzip_does_not_depend_on_the_pieces() {
    let content = Random::new(5).text(20_000).into_bytes();
    let file = [Member::of(&content).bytes(), Member::of(b"the end").bytes()].concat();
    for size in 1..40 {
        let mut given = Vec::new();
        let mut reader = Reader::new(Bound::default());
        for piece in file.chunks(size) {
            reader
                .push(piece, |bytes| {
                    given.extend_from_slice(bytes);
                    Ok(())
                })
                .expect("a whole file");
        }
        reader.finish().expect("its end");
        assert!(given == [&content[..], b"the end"].concat(), "pieces of {size}");
    }
}
