//! Sessions over every store: what is appended is what is read, in every way to read it.

use std::io::Read;
use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzEncoder;
use turnkeep::core::session::{self, Listed};
use turnkeep::core::store::Condition;
use turnkeep::{
    Create, Draft, Form, Key, Kind, Range, Session, SessionId, State, Store, drive, sessions,
};
use turnkeep_tests::build::Log;
use turnkeep_tests::sessions::{
    archive_key, bytes_of, create, filled, head, id, lines, log_key, open, over_every_store, pages,
    user, write,
};

fn code<T: std::fmt::Debug>(outcome: turnkeep::Result<T>) -> &'static str {
    outcome.expect_err("it should fail").code()
}

/// The numbers of the entries that an expression over a log's lines gives.
fn seqs(session: &Session, range: &Range) -> Vec<u64> {
    session
        .entries(range.clone())
        .map(|line| line.expect("a line").parse().expect("an entry").seq().expect("a number"))
        .collect()
}

#[test]
fn a_session_is_created_once() {
    over_every_store(|store| {
        assert_eq!(code(open(&store, "a")), "not_found");
        let session = create(&store, "a").expect("a session");
        assert_eq!((session.id().as_str(), head(&session).seq), ("a", 0));
        let before = bytes_of(&store, &log_key("a"));
        assert_eq!(code(create(&store, "a")), "already_exists");
        assert_eq!(bytes_of(&store, &log_key("a")), before);
        assert_eq!(open(&store, "a").expect("it opens").head(), session.head());
    });
}

#[test]
fn an_id_is_made_where_none_is_given() {
    over_every_store(|store| {
        let make = || Session::create(store.clone(), Create::default()).expect("a session");
        let (one, other) = (make(), make());
        assert_ne!(one.id(), other.id());
        assert_eq!(one.id().as_str().len(), 36, "a UUID");
        assert_eq!(sessions(&*store).expect("a list").len(), 2);
    });
}

#[test]
fn a_session_starts_with_its_fields_and_first_entries() {
    over_every_store(|store| {
        let mut options = Create::default();
        options.id = Some(id("a"));
        options.start = Some(Draft::new("session_start").with_text("system_prompt", "Be brief."));
        options.entries = vec![user("Hi").as_str().into(), user("again").as_str().into()];
        options.is_salted = false;
        let session = Session::create(store.clone(), options).expect("a session");
        let state = session.state().expect("a state");
        assert_eq!(state.system_prompt.as_deref(), Some("Be brief."));
        assert_eq!((state.history.len(), head(&session).seq), (2, 2));
        let log = String::from_utf8(bytes_of(&store, &log_key("a"))).expect("UTF-8");
        assert!(!log.contains("\"salt\"") && log.contains("\"more\":2"), "{log}");
    });
}

#[test]
fn a_bad_first_entry_leaves_nothing_behind() {
    over_every_store(|store| {
        let mut options = Create::default();
        options.id = Some(id("a"));
        options.entries = vec![user("Hi").as_str().into(), "{\"kind\":\"turn_end\"}".into()];
        let error = Session::create(store.clone(), options).expect_err("a bad entry");
        assert_eq!((error.code(), error.place().draft), ("bad_entry", Some(1)));
        assert_eq!(code(open(&store, "a")), "not_found");
        assert!(store.list("", None, 10).expect("a list").objects.is_empty());
    });
}

#[test]
fn appends_are_numbered_and_a_bad_one_changes_nothing() {
    over_every_store(|store| {
        let session = create(&store, "a").expect("a session");
        assert_eq!(session.append_one(&user("one")).expect("an append"), 1);
        assert_eq!(session.append(&[user("two"), user("three")]).expect("an append"), 2);
        let before = (session.head(), bytes_of(&store, &log_key("a")));
        let bad = Draft::new("turn_end");
        assert_eq!(code(session.append(&[user("four"), bad])), "bad_entry");
        assert_eq!(code(session.append(&[] as &[Draft])), "invalid_argument");
        assert_eq!((session.head(), bytes_of(&store, &log_key("a"))), before);
        assert_eq!(session.append_one(&user("four")).expect("an append"), 4);
        let report = session.verify_with(None, true).expect("a report");
        assert!(report.is_whole() && report.head == session.head());
        let items: Vec<_> = session.state().expect("a state").history;
        let texts: Vec<_> = items.iter().map(|item| item.item.as_str()).collect();
        assert_eq!(texts, ["\"one\"", "\"two\"", "\"three\"", "\"four\""]);
    });
}

#[test]
fn what_is_too_large_is_refused_and_changes_nothing() {
    over_every_store(|store| {
        let session = create(&store, "a").expect("a session");
        let before = bytes_of(&store, &log_key("a"));
        let large = user(&"x".repeat(32 << 20));
        assert_eq!(code(session.append_one(&large)), "too_large");
        let half = user(&"x".repeat(22 << 20));
        assert_eq!(code(session.append(&[&half, &half, &half])), "too_large");
        assert_eq!(code(session.append(&vec![user(""); 4097])), "too_large");
        assert_eq!(bytes_of(&store, &log_key("a")), before);
        session.append(&vec![user(""); 4096]).expect("the largest batch");
        assert!(session.verify().expect("a report").is_whole());
        assert_eq!(head(&session).seq, 4096);
    });
}

#[test]
fn every_range_gives_its_entries() {
    over_every_store(|store| {
        let session = filled(&store, "a", 199, 300);
        let log = bytes_of(&store, &log_key("a"));
        for form in [Form::Live, Form::Archived] {
            if form == Form::Archived {
                session.archive().expect("an archive");
            }
            assert_eq!(session.form(), form);
            let all: Vec<u64> = (0..200).collect();
            assert!(lines(&session, &Range::all()).expect("lines") == log);
            assert_eq!(seqs(&session, &Range::all()), all);
            assert_eq!(seqs(&session, &Range::last(0)), [0; 0]);
            assert_eq!(seqs(&session, &Range::last(1)), [199]);
            assert_eq!(seqs(&session, &Range::last(50)), all[150..]);
            assert_eq!(seqs(&session, &Range::last(1000)), all);
            assert_eq!(seqs(&session, &Range::between(0, Some(0))), [0]);
            assert_eq!(seqs(&session, &Range::between(7, Some(9))), [7, 8, 9]);
            assert_eq!(seqs(&session, &Range::between(198, Some(5000))), [198, 199]);
            assert_eq!(seqs(&session, &Range::between(199, None)), [199]);
            assert_eq!(seqs(&session, &Range::between(200, None)), [0; 0]);
            assert_eq!(seqs(&session, &Range::between(9, Some(8))), [0; 0]);
            assert_eq!(seqs(&session, &Range::between(u64::MAX, None)), [0; 0]);
        }
    });
}

#[test]
fn pages_follow_each_other_whatever_their_size() {
    over_every_store(|store| {
        let session = filled(&store, "a", 60, 400);
        let log = bytes_of(&store, &log_key("a"));
        for form in [Form::Live, Form::Archived] {
            if form == Form::Archived {
                session.archive().expect("an archive");
            }
            for page_bytes in [0, 1, 100, 700, 5000, 1 << 20, u64::MAX] {
                let mut range = Range::all();
                range.page_bytes = page_bytes;
                let found = pages(&session, &range).expect("pages");
                let firsts: Vec<u64> = found.iter().map(|page| page.first_seq).collect();
                assert!(firsts.is_sorted() && firsts[0] == 0);
                assert_eq!(found.iter().map(|page| page.entries).sum::<u64>(), 61);
                let bytes: Vec<u8> = found.iter().flat_map(|page| page.lines.clone()).collect();
                assert!(bytes == log, "{form:?} in pages of {page_bytes}");
                if form == Form::Live && page_bytes <= 100 {
                    assert!(found.len() > 20, "{} pages of {page_bytes}", found.len());
                }
            }
        }
    });
}

#[test]
fn lines_of_very_different_lengths_are_found() {
    over_every_store(|store| {
        let session = create(&store, "a").expect("a session");
        for number in 0..40_usize {
            let size = if number % 13 == 5 { 400_000 } else { number * 97 % 3000 };
            session.append_one(&user(&"x".repeat(size))).expect("an append");
        }
        let log = Log(bytes_of(&store, &log_key("a")));
        for seq in 0..=40 {
            let range = Range::between(seq, Some(seq));
            let found = lines(&session, &range).expect("a line");
            assert!(found == log.lines()[usize::try_from(seq).expect("small")], "entry {seq}");
        }
    });
}

#[test]
fn the_slower_writer_gets_a_conflict_with_the_head_there_is() {
    over_every_store(|store| {
        let one = create(&store, "a").expect("a session");
        let other = open(&store, "a").expect("the same session");
        one.append_one(&user("one")).expect("an append");
        let before = bytes_of(&store, &log_key("a"));
        let error = other.append_one(&user("other")).expect_err("a conflict");
        assert_eq!((error.code(), error.actual()), ("conflict", one.head()));
        assert_eq!(bytes_of(&store, &log_key("a")), before);
        let other = open(&store, "a").expect("it opens");
        assert_eq!(other.append_one(&user("other")).expect("an append"), 2);
        assert_eq!(code(one.append_one(&user("again"))), "conflict");
        assert!(other.verify().expect("a report").is_whole());
    });
}

#[test]
fn a_torn_tail_is_told_left_out_and_cut_off() {
    let tails: [(&str, Vec<u8>); 4] = [
        ("half a line", Log::sample().lines()[1][..100].to_vec()),
        ("garbage", b"\xff\0garbage".to_vec()),
        ("zeros", vec![0; 5000]),
        ("one byte", b"{".to_vec()),
    ];
    for (name, tail) in tails {
        over_every_store(|store| {
            let session = filled(&store, "a", 3, 50);
            let (before, expected) = (bytes_of(&store, &log_key("a")), session.head());
            drop(session);
            write(&store, &log_key("a"), &[&before[..], &tail].concat());
            let session = open(&store, "a").expect("it opens");
            let torn = session.torn().expect("a torn tail");
            assert_eq!(
                (torn.offset, torn.bytes),
                (before.len() as u64, tail.len() as u64),
                "{name}"
            );
            assert_eq!(session.head(), expected);
            let report = session.verify().expect("a report");
            assert_eq!((report.torn, report.fault, report.head), (Some(torn), None, expected));
            assert!(lines(&session, &Range::all()).expect("lines") == before);
            assert_eq!(session.state().expect("a state").head, expected);
            assert_eq!(session.append_one(&user("next")).expect("an append"), 4);
            assert_eq!(session.torn(), None);
            assert!(session.verify().expect("a report").is_whole());
            assert!(bytes_of(&store, &log_key("a")).starts_with(&before));
        });
    }
}

/// Once overwritten: what took a torn write's place had its length.
#[test]
fn an_entry_in_place_of_a_torn_write_is_not_taken_for_it() {
    over_every_store(|store| {
        let session = filled(&store, "a", 3, 50);
        let before = bytes_of(&store, &log_key("a"));
        session.append_one(&user("kept")).expect("an append");
        let length = bytes_of(&store, &log_key("a")).len() - before.len();
        drop(session);
        write(&store, &log_key("a"), &[&before[..], &vec![0; length]].concat());
        let [one, other] = [(); 2].map(|()| open(&store, "a").expect("it opens"));
        assert_eq!(one.append_one(&user("kept")).expect("an append"), 4);
        assert_eq!(bytes_of(&store, &log_key("a")).len(), before.len() + length);
        assert_eq!(code(other.append_one(&user("lost"))), "conflict");
        assert!(one.verify().expect("a report").is_whole());
        assert_eq!(one.state().expect("a state").history.last().expect("an item").item, "\"kept\"");
    });
}

/// A batch of which every part may be missing.
#[test]
fn a_torn_batch_is_left_out_whole() {
    over_every_store(|store| {
        let session = filled(&store, "a", 2, 50);
        let (before, expected) = (bytes_of(&store, &log_key("a")), session.head());
        session.append(&[user("one"), user("two"), user("three")]).expect("a batch");
        let whole = bytes_of(&store, &log_key("a"));
        drop(session);
        for cut in (before.len()..whole.len()).step_by(17) {
            write(&store, &log_key("a"), &whole[..cut]);
            let session = open(&store, "a").expect("it opens");
            assert_eq!(session.head(), expected, "cut at {cut}");
            assert_eq!(session.torn().is_some(), cut > before.len());
            assert_eq!(session.state().expect("a state").history.len(), 2);
        }
        write(&store, &log_key("a"), &whole[..whole.len() - 1]);
        let session = open(&store, "a").expect("it opens");
        assert_eq!(session.append_one(&user("next")).expect("an append"), 3);
        assert!(session.verify().expect("a report").is_whole());
    });
}

#[test]
fn a_log_without_a_whole_entry_is_empty() {
    over_every_store(|store| {
        for content in [&b""[..], b"{\"hash\":\"", b"no line"] {
            write(&store, &log_key("a"), content);
            assert_eq!(code(open(&store, "a")), "empty_log");
        }
    });
}

#[test]
fn another_sessions_file_is_noticed() {
    over_every_store(|store| {
        let session = filled(&store, "a", 3, 50);
        write(&store, &log_key("b"), &bytes_of(&store, &log_key("a")));
        assert_eq!(code(open(&store, "b")), "wrong_session");
        session.archive().expect("an archive");
        store.delete(&log_key("b"), &Condition::Any).expect("a delete");
        write(&store, &archive_key("b"), &bytes_of(&store, &archive_key("a")));
        let renamed = open(&store, "b").expect("an index does not say whose it is");
        let report = renamed.verify().expect("a report");
        assert_eq!(report.fault.map(|fault| fault.code()), Some("wrong_session"));
    });
}

#[test]
fn a_fork_goes_its_own_way() {
    over_every_store(|store| {
        let parent = filled(&store, "a", 5, 50);
        let point = head(&parent);
        let writer = turnkeep::core::log::Writer::resume(id("a"), point, false);
        let none: &[&str] = &[];
        let (_, batch) = writer.fork(id("b"), none, &Default::default()).expect("a fork");
        let bytes = [bytes_of(&store, &log_key("a")), batch.bytes].concat();
        write(&store, &log_key("b"), &bytes);
        let child = open(&store, "b").expect("the fork opens");
        child.append_one(&user("its own")).expect("an append");
        let state = child.state().expect("a state");
        assert_eq!(state.forked_from.map(|from| (from.session, from.seq)), Some((id("a"), 5)));
        assert_eq!((state.session, state.history.len()), (Some(id("b")), 6));
        assert!(child.verify().expect("a report").is_whole());
        assert_eq!(parent.state().expect("a state").history.len(), 5);
        child.archive().expect("an archive");
        assert!(child.verify().expect("a report").is_whole());
        assert_eq!(
            lines(&child, &Range::last(1)).expect("a line").len(),
            1 + bytes_of_last(&child)
        );
    });
}

/// Length of the last line without its `\n`.
fn bytes_of_last(session: &Session) -> usize {
    let last = session.entries(Range::last(1)).next().expect("a line").expect("a line");
    last.as_bytes().len()
}

#[test]
fn archiving_and_its_reverse_keep_every_byte() {
    over_every_store(|store| {
        let session = filled(&store, "a", 30, 200);
        let (log, state) = (bytes_of(&store, &log_key("a")), session.state().expect("a state"));
        let archived = session.archive().expect("an archive");
        assert_eq!((Some(archived.head), archived.raw_bytes), (session.head(), log.len() as u64));
        assert_eq!(code(store.info(&log_key("a"))), "not_found");
        assert_eq!(
            store.info(&archive_key("a")).expect("an archive").bytes,
            archived.archive_bytes
        );
        assert_eq!(session.form(), Form::Archived);
        let session = open(&store, "a").expect("it opens");
        assert_eq!((session.form(), session.head()), (Form::Archived, Some(archived.head)));
        assert!(session.verify_with(None, true).expect("a report").is_whole());
        assert_eq!(session.state().expect("a state"), state);
        assert_eq!(code(session.archive()), "already_exists");
        assert_eq!(code(create(&store, "a")), "already_exists");
        session.restore().expect("a log");
        assert!(bytes_of(&store, &log_key("a")) == log);
        assert_eq!(code(store.info(&archive_key("a"))), "not_found");
        assert_eq!(code(session.restore()), "already_exists");
        assert_eq!(session.append_one(&user("x")).expect("an append"), 31);
    });
}

#[test]
fn archiving_leaves_a_torn_tail_out_and_says_so() {
    over_every_store(|store| {
        drop(filled(&store, "a", 3, 50));
        let log = bytes_of(&store, &log_key("a"));
        write(&store, &log_key("a"), &[&log[..], b"{\"hash\""].concat());
        let session = open(&store, "a").expect("it opens");
        let archived = session.archive().expect("an archive");
        assert_eq!(archived.torn.map(|torn| torn.bytes), Some(7));
        session.restore().expect("a log");
        assert!(bytes_of(&store, &log_key("a")) == log);
    });
}

#[test]
fn a_damaged_log_is_not_archived() {
    over_every_store(|store| {
        drop(filled(&store, "a", 30, 200));
        let mut log = bytes_of(&store, &log_key("a"));
        let line_12 = usize::try_from(Log(log.clone()).offset(12)).expect("small");
        log[line_12 + 300] ^= 1;
        write(&store, &log_key("a"), &log);
        let session = open(&store, "a").expect("its end is whole");
        assert_eq!(code(session.archive()), "bad_hash");
        assert!(bytes_of(&store, &log_key("a")) == log);
        assert_eq!(code(store.info(&archive_key("a"))), "not_found");
    });
}

#[test]
fn an_archive_of_several_spans_reads_like_its_log() {
    over_every_store(|store| {
        let session = filled(&store, "a", 2000, 600);
        let log = Log(bytes_of(&store, &log_key("a")));
        assert!(log.0.len() > 5 * (256 << 10));
        let archived = session.archive().expect("an archive");
        assert!(archived.archive_bytes < archived.raw_bytes / 2);
        assert!(lines(&session, &Range::all()).expect("lines") == log.0);
        for (from, to) in [(0, 3), (300, 900), (1999, 2000), (640, 641)] {
            let range = Range::between(from, Some(to));
            let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
            assert!(lines(&session, &range).expect("lines") == log.lines()[from..=to].concat());
        }
        assert!(lines(&session, &Range::last(50)).expect("lines") == log.lines()[1951..].concat());
        assert!(session.verify().expect("a report").is_whole());
    });
}

/// Text that hardly compresses, so that the archive has more than one part.
#[test]
fn an_archive_of_several_parts_is_staged() {
    over_every_store(|store| {
        let session = create(&store, "a").expect("a session");
        let mut random = turnkeep_tests::build::Random::new(1);
        let noise = |_| char::from(b' ' + u8::try_from(random.below(90)).unwrap_or(0));
        let noise: String =
            (0..24_000_000).map(noise).filter(|c| !matches!(c, '"' | '\\')).collect();
        for piece in noise.as_bytes().chunks(3_000_000) {
            session.append_one(&user(&String::from_utf8_lossy(piece))).expect("an append");
        }
        let log = bytes_of(&store, &log_key("a"));
        let archived = session.archive().expect("an archive");
        assert!(archived.archive_bytes > 2 * (8 << 20), "{archived:?}");
        assert!(session.verify().expect("a report").is_whole());
        session.restore().expect("a log");
        assert!(bytes_of(&store, &log_key("a")) == log);
    });
}

#[test]
fn a_damaged_archive_says_where_and_gives_what_is_whole() {
    over_every_store(|store| {
        let session = filled(&store, "a", 2000, 600);
        let log = Log(bytes_of(&store, &log_key("a")));
        session.archive().expect("an archive");
        let mut archive = bytes_of(&store, &archive_key("a"));
        let at = archive.len() / 2;
        archive[at..at + 4].fill(0xff);
        write(&store, &archive_key("a"), &archive);
        let session = open(&store, "a").expect("its index is whole");
        assert!(lines(&session, &Range::last(5)).expect("lines") == log.lines()[1996..].concat());
        assert!(
            lines(&session, &Range::between(0, Some(9))).expect("lines")
                == log.lines()[..10].concat()
        );
        assert!(lines(&session, &Range::all()).is_err());
        let report = session.verify().expect("a report");
        assert!(report.fault.is_some() && report.head.is_some_and(|head| head.seq > 100));
        assert!(session.state().is_err());
    });
}

#[test]
fn entries_that_were_withheld_stay_in_their_place() {
    over_every_store(|store| {
        let log = Log::sample();
        for withheld in [&[1][..], &[6], &[5, 6], &[4], &[3, 4], &[1, 2, 3, 4, 5, 6]] {
            write(&store, &log_key("demo"), &log.redact(withheld).0);
            let session = open(&store, "demo").expect("it opens");
            assert_eq!(head(&session).hash.to_string(), log.hash(6));
            let report = session.verify_with(None, true).expect("a report");
            assert!(report.is_whole() && report.withheld == withheld.len() as u64);
            let last = session.entries(Range::last(7)).last().expect("a line").expect("a line");
            let is_withheld = last.parse().expect("an entry").kind() == Kind::Redacted;
            assert_eq!(is_withheld, withheld.contains(&6));
            assert_eq!(session.append_one(&user("next")).expect("an append"), 7);
            assert!(session.verify().expect("a report").is_whole());
        }
    });
}

#[test]
fn an_expected_head_is_looked_for() {
    over_every_store(|store| {
        let session = filled(&store, "a", 20, 50);
        let noted = head(&session);
        session.append_one(&user("more")).expect("an append");
        for _ in [Form::Live, Form::Archived] {
            let expect =
                |seq, hash| session.verify_with(Some((seq, hash)), false).expect("a report");
            assert!(expect(noted.seq, noted.hash).is_whole());
            for (seq, hash) in [(noted.seq + 1, noted.hash), (99, noted.hash)] {
                let fault = expect(seq, hash).fault.expect("a fault");
                assert_eq!(fault.code(), "head_mismatch");
            }
            if session.form() == Form::Live {
                session.archive().expect("an archive");
            }
        }
    });
}

#[test]
fn sessions_are_listed_once_each() {
    over_every_store(|store| {
        let names = ["b", "a", "A", "a.b", "a-b", "é", "con", "../x"];
        for name in names {
            drop(filled(&store, name, 1, 10));
        }
        open(&store, "a-b").expect("it opens").archive().expect("an archive");
        open(&store, "../x").expect("it opens").archive().expect("an archive");
        write(&store, &turnkeep::Key::parse("notes.txt").expect("a key"), b"no session");
        write(&store, &turnkeep::Key::parse("a.b.jsonl").expect("a key"), b"no session either");
        let listed = sessions(&*store).expect("a list");
        let mut found: Vec<_> = listed.iter().map(|listed| listed.id.as_str()).collect();
        let mut encoded: Vec<_> = listed.iter().map(|listed| listed.id.encoded()).collect();
        found.sort_unstable();
        let mut expected = names.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert!(encoded.is_sorted_by(|one, next| one != next), "{encoded:?}");
        encoded.dedup();
        assert_eq!(encoded.len(), names.len());
        let archived: Vec<&Listed> =
            listed.iter().filter(|one| one.form == Form::Archived).collect();
        assert_eq!(archived.len(), 2);
    });
}

#[test]
fn a_session_takes_the_room_of_its_archive_and_of_what_follows() {
    over_every_store(|store| {
        for name in ["a", "b"] {
            let session = filled(&store, name, 20, 100);
            session.archive().expect("archived");
            open(&store, name).expect("it opens").append(&[user("more")]).expect("appended");
        }
        let length = |key: &Key| bytes_of(&store, key).len() as u64;
        for limit in 1..6 {
            let (mut after, mut listed) = (None, Vec::new());
            loop {
                let page = drive(session::list("", after, limit), &*store).expect("a page");
                listed.extend(page.sessions);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let found: Vec<_> =
                listed.iter().map(|listed| (listed.id.as_str(), listed.stored_bytes)).collect();
            let bytes = |name| length(&log_key(name)) + length(&archive_key(name));
            assert_eq!(found, [("a", bytes("a")), ("b", bytes("b"))], "{limit} a page");
        }
    });
}

/// Who wakes a session, or restores it, has a claim in its log's place for a while.
#[test]
fn a_session_with_a_claim_is_listed_once() {
    over_every_store(|store| {
        for name in ["a", "b"] {
            filled(&store, name, 20, 100).archive().expect("archived");
        }
        write(&store, &log_key("a"), format!("{{\"claimed\":\"{:061x}", 7).as_bytes());
        for limit in 1..5 {
            let (mut after, mut listed) = (None, Vec::new());
            loop {
                let page = drive(session::list("", after, limit), &*store).expect("a page");
                listed.extend(page.sessions.into_iter().map(|listed| (listed.id, listed.form)));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let both = [(id("a"), Form::Archived), (id("b"), Form::Archived)];
            assert_eq!(listed, both, "{limit} a page");
        }
    });
}

#[test]
fn how_a_sessions_objects_lie_can_be_told() {
    over_every_store(|store| {
        let layout = || {
            let layout = drive(session::layout(id("a")), &*store).expect("a layout");
            (layout.is_foreign, layout.has_tail, layout.has_leftover)
        };
        drop(filled(&store, "a", 20, 100));
        assert_eq!(layout(), (false, false, false));
        let log = bytes_of(&store, &log_key("a"));
        open(&store, "a").expect("it opens").archive().expect("archived");
        assert_eq!(layout(), (false, false, false));
        let archive = bytes_of(&store, &archive_key("a"));
        write(&store, &log_key("a"), &log);
        assert_eq!(layout(), (false, false, true), "an archive beside the whole log");
        store.delete(&log_key("a"), &Condition::Any).expect("deleted");
        open(&store, "a").expect("it opens").append(&[user("more")]).expect("appended");
        assert_eq!(layout(), (false, true, false));
        let tail = bytes_of(&store, &log_key("a"));
        open(&store, "a").expect("it opens").archive().expect("archived");
        write(&store, &log_key("a"), &tail);
        assert_eq!(layout(), (false, true, true), "entries that the archive holds too");
        write(&store, &archive_key("a"), &archive);
        assert_eq!(layout(), (false, true, false));
        let mut foreign = Vec::new();
        GzEncoder::new(&log[..], Compression::fast()).read_to_end(&mut foreign).expect("gzip");
        write(&store, &archive_key("a"), &foreign);
        assert_eq!(layout(), (true, true, false));
        store.delete(&archive_key("a"), &Condition::Any).expect("deleted");
        assert_eq!(code(drive(session::layout(id("a")), &*store)), "broken_link");
    });
}

#[test]
fn a_session_can_be_summed_up() {
    over_every_store(|store| {
        let session = filled(&store, "a", 20, 50);
        session
            .append_one(&Draft::new("turn_end").with("turn", "1").with("ts", "5"))
            .expect("an append");
        for form in [Form::Live, Form::Archived] {
            if form == Form::Archived {
                session.archive().expect("an archive");
            }
            let summary = session.summary().expect("a summary");
            assert_eq!((summary.form, Some(summary.head)), (form, session.head()));
            let count = |name: &str| {
                summary.kinds.iter().find(|(kind, _)| kind == name).map_or(0, |(_, count)| *count)
            };
            assert_eq!(count("user_input"), 20);
            assert_eq!((count("turn_end"), count("session_start")), (1, 1));
            assert_eq!(summary.times.map(|(from, _)| from), Some(5));
        }
    });
}

/// The state of every session is the state of its bytes.
#[test]
fn a_sessions_state_is_that_of_its_log() {
    over_every_store(|store| {
        let session = filled(&store, "a", 20, 50);
        let state = State::fold(&bytes_of(&store, &log_key("a"))).expect("a state");
        assert_eq!(session.state().expect("a state").to_json(), state.to_json());
    });
}

#[test]
fn an_unknown_session_is_not_found_by_anything() {
    over_every_store(|store: Arc<dyn Store>| {
        use turnkeep::core::session::{archive, read, restore, state, summary, verify};
        let missing = || id("missing");
        assert_eq!(code(drive(read(missing(), Range::all()), &*store)), "not_found");
        assert_eq!(
            code(drive(state(missing(), turnkeep::core::session::View::default()), &*store)),
            "not_found"
        );
        assert_eq!(code(drive(summary(missing()), &*store)), "not_found");
        assert_eq!(code(drive(verify(missing(), None, false), &*store)), "not_found");
        assert_eq!(code(drive(archive(missing()), &*store)), "not_found");
        assert_eq!(code(drive(restore(missing()), &*store)), "not_found");
        assert!(SessionId::new("").is_err());
        assert!(store.list("", None, 10).expect("a list").objects.is_empty());
    });
}
