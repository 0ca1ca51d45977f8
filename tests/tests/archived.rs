//! Sessions whose first entries are in an archive: they are used like any other.

use std::sync::Arc;

use turnkeep::core::session::{self, Form};
use turnkeep::core::store::Condition;
use turnkeep::{
    Append, At, Compact, Draft, Error, Fork, MemoryStore, Range, Session, Store, drive, repair,
    sessions,
};
use turnkeep_tests::build::{Log, Member};
use turnkeep_tests::sessions::{
    archive_key, bytes_of, filled, id, log_key, open, over_every_store, user, write,
};
use turnkeep_tests::spy::{Failure, Spy};

fn code<T: std::fmt::Debug>(result: turnkeep::Result<T>) -> &'static str {
    result.expect_err("it should fail").code()
}

/// A session of 40 entries, 30 of them archived.
fn continued(store: &Arc<dyn Store>) -> Session {
    let session = filled(store, "a", 30, 300);
    session.archive().expect("an archive");
    for n in 30..40 {
        session.append_one(&user(&format!("after the archive, {n}"))).expect("an append");
    }
    session
}

/// The whole log, as it was before anything of it was archived.
fn log_of(store: &Arc<dyn Store>, name: &str) -> Vec<u8> {
    let page = drive(session::read(id(name), Range::all()), &**store).expect("a page");
    let mut lines = page.lines;
    let mut next = page.next;
    while let Some(cursor) = next {
        let page = drive(session::read(id(name), Range::all().after(cursor)), &**store);
        let page = page.expect("a page");
        lines.extend(page.lines);
        next = page.next;
    }
    lines
}

fn lines(store: &Arc<dyn Store>, range: &Range) -> Vec<u64> {
    let mut seqs = Vec::new();
    let mut next = Some(range.clone());
    while let Some(range) = next.take() {
        let page = drive(session::read(id("a"), range.clone()), &**store).expect("a page");
        seqs.extend(page.seqs);
        next = page.next.map(|cursor| range.after(cursor));
    }
    seqs
}

#[test]
fn an_archived_session_is_appended_to() {
    over_every_store(|store| {
        let session = continued(&store);
        assert_eq!((session.form(), session.head().map(|head| head.seq)), (Form::Live, Some(40)));
        assert!(store.info(&log_key("a")).expect("a log").bytes < 4000);
        drop(session);
        let session = open(&store, "a").expect("it opens");
        assert!(session.verify_with(None, true).expect("a report").is_whole());
        assert_eq!(session.state().expect("a state").history.len(), 40);
        assert_eq!(session.append_one(&user("one more")).expect("an append"), 41);
        let listed = sessions(&*store).expect("a listing");
        assert_eq!((listed.len(), listed[0].form), (1, Form::Live));
    });
}

#[test]
fn reads_cross_the_border_both_ways() {
    over_every_store(|store| {
        let _session = continued(&store);
        let all: Vec<u64> = (0..=40).collect();
        for page_bytes in [1, 700, 1 << 20] {
            let range = Range::all().in_pages_of(page_bytes);
            assert_eq!(lines(&store, &range), all);
            let back: Vec<u64> = all.iter().rev().copied().collect();
            assert_eq!(lines(&store, &range.newest_first()), back);
            let last = Range::last(15).in_pages_of(page_bytes);
            assert_eq!(lines(&store, &last), all[26..]);
        }
        assert_eq!(lines(&store, &Range::between(29, Some(32))), [29, 30, 31, 32]);
    });
}

/// Once told as damage: an index that lacks the entry, or an entry that is not where it should be.
#[test]
fn reading_on_in_a_session_that_became_shorter_is_a_conflict() {
    over_every_store(|store| {
        let session = continued(&store);
        for range in [Range::all(), Range::all().newest_first()] {
            let range = range.in_pages_of(1);
            let first = session.read(range.clone()).expect("a page");
            let log = bytes_of(&store, &log_key("a"));
            // As an evicted log, or one whose session was deleted and begun anew.
            store.delete(&log_key("a"), &Condition::Any).expect("it is gone");
            let cursor = first.next.expect("a further page");
            let on = drive(session::read(id("a"), range.after(cursor)), &*store);
            assert_eq!(code(on), "conflict");
            store.put(&log_key("a"), &log, &Condition::Absent).expect("it is back");
        }
    });
}

#[test]
fn reading_on_tells_whatever_fails() {
    for range in [Range::all(), Range::all().newest_first()] {
        let spy = Arc::new(Spy::new(MemoryStore::new()));
        let store: Arc<dyn Store> = spy.clone();
        let session = continued(&store);
        let range = range.in_pages_of(1);
        let cursor = session.read(range.clone()).expect("a page").next.expect("a further page");
        session.append_one(&user("meanwhile")).expect("an append");
        for request in 0.. {
            spy.fail_after(request, Failure::Before);
            let on = drive(session::read(id("a"), range.clone().after(cursor.clone())), &*store);
            if spy.heal() {
                assert!(request > 1, "{request}");
                break;
            }
            assert_eq!(code(on), "store_failed", "request {request}");
        }
    }
}

/// Once a part of a batch was given, where the head that was first seen stood within another one by then.
#[test]
fn reading_on_to_a_head_that_others_replaced_is_a_conflict() {
    over_every_store(|store| {
        let session = continued(&store);
        let range = Range::all().in_pages_of(1);
        let first = session.read(range.clone()).expect("a page");
        store.delete(&log_key("a"), &Condition::Any).expect("it is evicted");
        let session = Session::open(store.clone(), &id("a")).expect("a session");
        session.append(&vec![user("another way"); 30]).expect("an append");
        let mut next = first.next;
        let told = loop {
            let cursor = next.expect("a further page");
            match drive(session::read(id("a"), range.after(cursor)), &*store) {
                Ok(page) => next = page.next,
                told => break code(told),
            }
        };
        assert_eq!(told, "conflict");
        // Nobody saw another entry there: a part that was asked for, and one that grew, are read.
        assert_eq!(lines(&store, &Range::between(29, Some(35)).in_pages_of(1)).len(), 7);
        let first = session.read(range.clone()).expect("a page");
        session.append_one(&user("grown")).expect("an append");
        let mut next = first.next;
        while let Some(cursor) = next {
            let page = drive(session::read(id("a"), range.after(cursor)), &*store);
            next = page.expect("a page").next;
        }
    });
}

#[test]
fn the_next_archiving_merges_and_restoring_gives_the_log() {
    over_every_store(|store| {
        let session = continued(&store);
        let log = log_of(&store, "a");
        let archived = session.archive().expect("an archive");
        assert_eq!((archived.raw_bytes, archived.head.seq), (log.len() as u64, 40));
        assert_eq!(code(store.info(&log_key("a"))), "not_found");
        assert!(log_of(&store, "a") == log);
        assert!(session.verify().expect("a report").is_whole());
        session.append_one(&user("and on")).expect("an append");
        let log = log_of(&store, "a");
        let restored = session.restore().expect("a log");
        assert_eq!(restored.raw_bytes, log.len() as u64);
        assert!(bytes_of(&store, &log_key("a")) == log);
        assert_eq!(code(store.info(&archive_key("a"))), "not_found");
        session.append_one(&user("and on")).expect("an append");
    });
}

/// Blocks that are full are copied as they are, one that is not is filled.
#[test]
fn many_small_archivings_give_few_blocks() {
    over_every_store(|store| {
        let session = filled(&store, "a", 1, 300);
        for n in 0..60 {
            session.append_one(&user(&"x".repeat(20_000 + n))).expect("an append");
            session.archive().expect("an archive");
        }
        let archive = bytes_of(&store, &archive_key("a"));
        let index = turnkeep::core::archive::read_index(&archive, archive.len() as u64);
        let spans = index.expect("an index").spans.len();
        assert!(spans <= 8, "{spans} blocks");
        let whole = turnkeep::core::archive::unarchive(&archive).expect("its log");
        assert!(whole == log_of(&store, "a"));
    });
}

#[test]
fn forks_start_before_and_after_the_border() {
    over_every_store(|store| {
        let session = continued(&store);
        for (at, name) in [(10, "before"), (30, "border"), (35, "after")] {
            let mut fork = Fork::default();
            (fork.at, fork.id) = (At::Seq(at), Some(id(name)));
            let child = session.fork(fork).expect("a fork");
            assert_eq!(child.head().map(|head| head.seq), Some(at + 1));
            child.archive().expect("an archive");
            child.append_one(&user("on")).expect("an append");
            let origin = turnkeep::ancestors(&*store, &id(name)).expect("ancestors");
            assert_eq!((origin[0].point.seq, origin[0].point.session.clone()), (at, id("a")));
            drop(child);
            assert!(open(&store, name).expect("it opens").verify().expect("a report").is_whole());
        }
    });
}

#[test]
fn an_append_that_happens_once_looks_into_the_archive() {
    over_every_store(|store| {
        let session = filled(&store, "a", 3, 50);
        let draft = || Draft::user_input("\"Hi\"").with_text("id", "m-1");
        session.append_with(Append::from([draft()]).once()).expect("an append");
        session.archive().expect("an archive");
        session.append_one(&user("on")).expect("an append");
        let again = session.append_with(Append::from([draft()]).once()).expect("an append");
        assert!(again.already_applied);
        assert_eq!(again.first_seq, 4);
    });
}

/// A handle that was opened before goes on, whatever form the session has now.
#[test]
fn handles_follow_from_form_to_form() {
    over_every_store(|store| {
        let one = filled(&store, "a", 3, 50);
        let other = open(&store, "a").expect("it opens");
        other.archive().expect("an archive");
        assert_eq!(one.append_one(&user("1")).expect("an append"), 4);
        other.archive().expect("all there is, archived");
        assert_eq!(one.append_one(&user("2")).expect("an append"), 5);
        drop(other);
        open(&store, "a").expect("it opens").restore().expect("a log");
        assert_eq!(one.append_one(&user("3")).expect("an append"), 6);
        assert!(one.verify().expect("a report").is_whole());
    });
}

#[test]
fn a_tail_alone_or_of_another_session_is_told() {
    over_every_store(|store| {
        drop(continued(&store));
        let archive = bytes_of(&store, &archive_key("a"));
        store.delete(&archive_key("a"), &Condition::Any).expect("deleted");
        assert_eq!(code(open(&store, "a")), "broken_link");
        drop(filled(&store, "b", 5, 50));
        open(&store, "b").expect("it opens").archive().expect("an archive");
        write(&store, &archive_key("a"), &bytes_of(&store, &archive_key("b")));
        assert_eq!(code(open(&store, "a")), "broken_link");
        write(&store, &archive_key("a"), &archive);
        assert_eq!(open(&store, "a").expect("it opens").head().map(|head| head.seq), Some(40));
        // Nobody writes after an archive of another session.
        store.delete(&log_key("a"), &Condition::Any).expect("deleted");
        write(&store, &archive_key("a"), &bytes_of(&store, &archive_key("b")));
        let session = open(&store, "a").expect("it opens");
        assert_eq!(code(session.append_one(&user("x"))), "wrong_session");
    });
}

#[test]
fn an_unfinished_write_after_an_archive_is_cut_off() {
    over_every_store(|store| {
        // Zeros as a loss of power leaves them, in place of all or most of a long first line.
        for torn in [&b"{\"hash\":\"00"[..], &[0; 20_000], &[&b"{\"h"[..], &[0; 9000]].concat()] {
            filled(&store, "a", 3, 50).archive().expect("an archive");
            write(&store, &log_key("a"), torn);
            let session = open(&store, "a").expect("it opens");
            assert_eq!(session.torn().map(|torn| torn.bytes), Some(torn.len() as u64));
            assert_eq!(session.append_one(&user("x")).expect("an append"), 4);
            assert!(session.verify().expect("a report").is_whole());
            drop(session);
            drive(session::delete(id("a")), &*store).expect("it is gone");
        }
    });
}

#[test]
fn an_unfinished_write_is_told_at_its_place_in_the_whole_log() {
    over_every_store(|store| {
        let session = continued(&store);
        let bytes = session.verify().expect("a report").head.expect("a head").bytes;
        drop(session);
        let log = bytes_of(&store, &log_key("a"));
        store.release(&log_key("a"));
        write(&store, &log_key("a"), &[&log[..], b"{\"hash"].concat());
        let torn = open(&store, "a").expect("it opens").torn().expect("an unfinished write");
        assert_eq!((torn.offset, torn.bytes), (bytes, 6));
    });
}

#[test]
fn an_archive_can_be_read_whatever_happened_to_the_line_after_it() {
    over_every_store(|store| {
        filled(&store, "a", 4, 50).archive().expect("an archive");
        open(&store, "a").expect("it opens").append_one(&user("after")).expect("an append");
        let log = bytes_of(&store, &log_key("a"));
        for bit in (0..154 * 8).step_by(5) {
            let mut log = log.clone();
            log[bit / 8] ^= 1 << (bit % 8);
            store.release(&log_key("a"));
            write(&store, &log_key("a"), &log);
            let report = drive(session::verify(id("a"), None, true), &*store).expect("a report");
            assert_eq!(report.head.map(|head| head.seq), Some(4), "bit {bit}");
            assert!(report.fault.is_some(), "bit {bit}");
            let page = drive(session::read(id("a"), Range::all()), &*store).expect("a page");
            assert_eq!(page.seqs, [0, 1, 2, 3, 4], "bit {bit}");
            let after = Range::all().after(page.next.expect("the damage follows"));
            let fault = drive(session::read(id("a"), after), &*store).expect_err("the damage");
            assert_eq!(fault.code(), report.fault.expect("a fault").code(), "bit {bit}");
        }
    });
}

/// Nothing tells any more whether entries are salted, and which was the last fork, but what precedes.
#[test]
fn a_log_that_was_redacted_from_its_first_line_on_is_appended_to() {
    over_every_store(|store| {
        drop(filled(&store, "parent", 3, 50));
        let fork = Fork::at(At::Head).with_id(id("a"));
        let forked = open(&store, "parent").expect("it opens").fork(fork).expect("a fork");
        forked.archive().expect("an archive");
        forked.append_one(&user("secret")).expect("an append");
        drop(forked);
        let line = bytes_of(&store, &log_key("a"));
        store.release(&log_key("a"));
        // As the second line of a log: it says what it follows.
        let redacted = Log([b"{}\n".to_vec(), line].concat()).redact(&[1]).0;
        write(&store, &log_key("a"), &redacted[3..]);
        let session = open(&store, "a").expect("it opens");
        session.append_one(&user("next")).expect("an append");
        let report = session.verify_with(None, true).expect("a report");
        assert!(report.is_whole() && report.withheld == 1, "{report:?}");
        assert_eq!(turnkeep::ancestors(&*store, &id("a")).expect("ancestors").len(), 1);
    });
}

#[test]
fn a_cursor_into_another_session_of_that_id_is_no_damage() {
    over_every_store(|store| {
        let make = |entries| filled(&store, "a", entries, 100_000).archive().expect("an archive");
        make(5);
        let range = Range::all().newest_first().in_pages_of(1);
        let page = drive(session::read(id("a"), range.clone()), &*store).expect("a page");
        drive(session::delete(id("a")), &*store).expect("deleted");
        make(7);
        let after = range.after(page.next.expect("more"));
        assert_eq!(code(drive(session::read(id("a"), after), &*store)), "conflict");
    });
}

#[test]
fn a_damaged_archive_is_repaired_with_what_follows_it() {
    over_every_store(|store| {
        let session = filled(&store, "a", 1, 300);
        for _ in 0..8 {
            session.append_one(&user(&"x".repeat(100_000))).expect("an append");
        }
        session.archive().expect("an archive");
        session.append_one(&user("after")).expect("an append");
        drop(session);
        let mut archive = bytes_of(&store, &archive_key("a"));
        let middle = archive.len() - 60;
        archive[middle..middle + 20].fill(0x55);
        write(&store, &archive_key("a"), &archive);
        let report = open(&store, "a").expect("it opens").verify().expect("a report");
        assert!(report.fault.is_some() && report.head.is_some());
        let repaired = repair(&*store, &id("a"), Some(id("b")), false).expect("a repair");
        assert_eq!(repaired.saved, 1);
        let repaired = open(&store, "b").expect("it opens");
        assert!(repaired.verify_with(None, true).expect("a report").is_whole());
        let history = repaired.state().expect("a state").history;
        assert!(history.last().expect("an item").item.contains("after"));
    });
}

#[test]
fn a_repair_leaves_out_the_damaged_blocks_of_an_archive_and_keeps_all_others() {
    over_every_store(|store| {
        let session = filled(&store, "a", 1, 300);
        for n in 0..12 {
            let text = format!("number {n}: {}", "x".repeat(100_000));
            session.append_one(&user(&text)).expect("an append");
        }
        session.archive().expect("an archive");
        session.append_one(&user("after the archive")).expect("an append");
        drop(session);
        let mut after = bytes_of(&store, &log_key("a"));
        let middle = after.len() / 2;
        after[middle] ^= 1;
        write(&store, &log_key("a"), &after);
        let whole = bytes_of(&store, &archive_key("a"));
        let log = turnkeep::core::archive::unarchive(&whole).expect("a log");
        let index = turnkeep::core::archive::read_index(&whole, whole.len() as u64);
        let spans: Vec<_> = index.expect("an index").located().collect();
        assert!(spans.len() >= 3, "{} blocks", spans.len());
        for (number, span) in spans.iter().enumerate() {
            let mut archive = whole.clone();
            archive[span.compressed.start as usize..][..5].fill(0xff);
            write(&store, &archive_key("a"), &archive);
            let into = id(&format!("b{number}"));
            let done = repair(&*store, &id("a"), Some(into.clone()), false).expect("a repair");
            let left_out = &done.left_out[0];
            assert_eq!((done.left_out.len(), left_out.code), (2, "gzip_corrupt"));
            let line = &done.left_out[1];
            let place = (line.line, line.offset, line.bytes);
            assert_eq!(place, (15, log.len() as u64, after.len() as u64));
            let place = (left_out.line, left_out.offset, left_out.bytes);
            assert_eq!(place, (span.first_seq + 1, span.raw.start, span.span.raw_bytes));
            let repaired = open(&store, into.as_str()).expect("it opens");
            assert!(repaired.verify_with(None, true).expect("a report").is_whole());
            let history = repaired.state().expect("a state").history.len() as u64;
            assert_eq!(history + span.span.entries, 13 + u64::from(number == 0));
        }
    });
}

#[test]
fn a_compaction_and_what_follows_it_are_read_over_the_border() {
    over_every_store(|store| {
        let session = continued(&store);
        session.compact(Compact::new(vec!["\"all of it\"".into()], 2)).expect("a compaction");
        session.archive().expect("an archive");
        session.append_one(&user("on")).expect("an append");
        let view = turnkeep::View::default().since_compaction();
        let state = session.state_with(view).expect("a state");
        assert_eq!(state.history.len(), 4);
        assert_eq!(state.history, session.state().expect("a state").history);
    });
}

/// A log packed by the gzip program, in one member or several.
#[test]
fn foreign_archives_are_read_appended_to_and_archived_anew() {
    over_every_store(|store| {
        let log = {
            drop(filled(&store, "a", 30, 30_000));
            let log = bytes_of(&store, &log_key("a"));
            store.delete(&log_key("a"), &Condition::Any).expect("deleted");
            log
        };
        let half = log.len() / 2;
        let members = [gzip(&log[..half]), gzip(&log[half..])].concat();
        for foreign in [gzip(&log), members] {
            write(&store, &archive_key("a"), &foreign);
            let session = open(&store, "a").expect("it opens");
            assert_eq!(session.head().map(|head| head.seq), Some(30));
            assert!(session.verify().expect("a report").is_whole());
            assert_eq!(lines(&store, &Range::last(3)), [28, 29, 30]);
            let back: Vec<u64> = (0..=30).rev().collect();
            assert_eq!(lines(&store, &Range::all().newest_first().in_pages_of(900)), back);
            for count in [1, 3] {
                let some: usize = log
                    .split_inclusive(|byte| *byte == b'\n')
                    .rev()
                    .take(count)
                    .map(<[u8]>::len)
                    .sum();
                let range = Range::all().newest_first().in_pages_of(some as u64);
                assert_eq!(session.read(range).expect("a page").entries, count as u64);
            }
            session.append_one(&user("on")).expect("an append");
            assert_eq!(lines(&store, &Range::last(3)), [29, 30, 31]);
            session.archive().expect("an archive");
            let archive = bytes_of(&store, &archive_key("a"));
            assert!(turnkeep::core::archive::unarchive(&archive).expect("a log").starts_with(&log));
            drop(session);
            store.delete(&archive_key("a"), &Condition::Any).expect("deleted");
        }
    });
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    Member::of(bytes).bytes()
}

/// Only what has no line at all is an unfinished write, however long it is.
#[test]
fn what_is_no_log_behind_an_archive_is_told() {
    over_every_store(|store| {
        filled(&store, "a", 3, 50).archive().expect("an archive");
        let told = Some("the log after the archive does not start with a line");
        for (bytes, told) in [
            (vec![b'x'; 10], None),
            (vec![0; 300_000], None),
            (b"x\n".to_vec(), told),
            ([vec![0; 300_000], vec![b'\n']].concat(), told),
        ] {
            write(&store, &log_key("a"), &bytes);
            let error = open(&store, "a").err();
            assert_eq!(error.as_ref().map(Error::message), told, "{error:?}");
        }
    });
}

/// A log that was packed with an unfinished write at its end.
#[test]
fn what_is_appended_after_a_torn_foreign_archive_is_kept() {
    over_every_store(|store| {
        let session = filled(&store, "a", 3, 50);
        session.append_one(&user("kept")).expect("an append");
        session.append_one(&user("torn")).expect("an append");
        drop(session);
        let log = bytes_of(&store, &log_key("a"));
        store.delete(&log_key("a"), &Condition::Any).expect("deleted");
        write(&store, &archive_key("a"), &Member::of(&log[..log.len() - 5]).bytes());
        let session = open(&store, "a").expect("it opens");
        assert_eq!(session.append_one(&user("on")).expect("an append"), 5);
        assert!(session.verify_with(None, true).expect("a report").is_whole());
        assert_eq!(lines(&store, &Range::last(2)), [4, 5]);
        assert_eq!(repair(&*store, &id("a"), None, true).expect("a look").fault, None);
        session.archive().expect("an archive");
        assert!(session.verify().expect("a report").is_whole());
        session.restore().expect("a log");
        assert_eq!(session.state().expect("a state").history.len(), 5);
    });
}

/// An older copy of a log that took its place, beside the archive of a newer state: nothing else shows
/// the entries that the archive has.
#[test]
fn verifying_tells_of_an_archive_that_holds_what_the_log_lacks() {
    over_every_store(|store| {
        let session = filled(&store, "a", 3, 50);
        let older = bytes_of(&store, &log_key("a"));
        for _ in 0..3 {
            session.append_one(&user("archived")).expect("an append");
        }
        let newer = bytes_of(&store, &log_key("a"));
        session.archive().expect("an archive");
        drop(session);
        let fault = |log: &[u8]| {
            write(&store, &log_key("a"), log);
            let report = drive(session::verify(id("a"), None, true), &*store).expect("a report");
            (report.head.map(|head| head.seq), report.fault.map(|fault| fault.code()))
        };
        assert_eq!(fault(&older), (Some(3), Some("head_mismatch")));
        assert_eq!(code(drive(session::layout(id("a")), &*store)), "head_mismatch");
        // What an interrupted restoring left says nothing, whatever came since.
        assert_eq!(fault(&newer), (Some(6), None));
        let session = open(&store, "a").expect("it opens");
        session.append_one(&user("since")).expect("an append");
        assert!(session.verify().expect("a report").is_whole());
        drop(session);
        store.release(&log_key("a"));
        write(&store, &archive_key("a"), b"\x1f\x8b\x08 damaged");
        assert!(fault(&newer).1.is_some());
    });
}

#[test]
fn a_repair_takes_what_an_archive_gives_whatever_is_wrong_around_it() {
    over_every_store(|store| {
        let damages: [fn(&Arc<dyn Store>); 3] = [
            |store| {
                let archive = bytes_of(store, &archive_key("a"));
                write(store, &archive_key("a"), &[&archive[..], b"junk"].concat());
            },
            |store| write(store, &log_key("a"), b"abc\n"),
            |store| {
                let archive = bytes_of(store, &archive_key("a"));
                write(store, &archive_key("a"), &archive[..archive.len() - 2]);
            },
        ];
        for damage in damages {
            filled(&store, "a", 5, 50).archive().expect("an archive");
            damage(&store);
            assert!(open(&store, "a").is_err());
            let repaired = repair(&*store, &id("a"), Some(id("b")), false).expect("a repair");
            assert_eq!(repaired.sound.map(|head| head.seq), Some(5));
            let history = open(&store, "b").expect("it opens").state().expect("a state").history;
            assert_eq!(history.len(), 5);
            turnkeep::delete(&*store, &id("a")).expect("deleted");
            turnkeep::delete(&*store, &id("b")).expect("deleted");
        }
    });
}

#[test]
fn a_repair_keeps_the_first_entry_after_an_archive_that_was_cut_off() {
    over_every_store(|store| {
        let session = filled(&store, "a", 30, 300);
        session.archive().expect("an archive");
        for n in 0..3 {
            session.append_one(&user(&format!("after {n}"))).expect("an append");
        }
        drop(session);
        let archive = bytes_of(&store, &archive_key("a"));
        write(&store, &archive_key("a"), &archive[..archive.len() / 2]);
        repair(&*store, &id("a"), Some(id("b")), false).expect("a repair");
        let history = open(&store, "b").expect("it opens").state().expect("a state").history;
        let after = history.iter().filter(|item| item.item.contains("after"));
        assert_eq!(after.count(), 3);
    });
}

/// Who archives, appends or restores goes on without a damaged record; the next archive writes it.
#[test]
fn a_damaged_record_is_in_nobodys_way() {
    over_every_store(|store| {
        let session = filled(&store, "a", 5, 50);
        let key = turnkeep::Key::of(&id("a"), turnkeep::core::store::Part::Retention);
        for damaged in [&b""[..], b"{", b"null", &[b'x'; 9000]] {
            session.archive().expect("an archive");
            write(&store, &key, damaged);
            let error = turnkeep::retention::prune(&*store, &id("a"), "x").expect_err("unknown");
            assert_eq!(error.code(), "not_supported");
            session.append_one(&user("on")).expect("an append");
            write(&store, &key, damaged);
            session.archive().expect("an archive");
            assert!(bytes_of(&store, &key).starts_with(b"{\"version\":1,"));
            write(&store, &key, damaged);
            session.restore().expect("a log");
        }
    });
}
