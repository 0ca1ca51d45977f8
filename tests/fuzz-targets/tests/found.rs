//! What was found by the targets, each by its name.

use turnkeep_core::ErrorKind;
use turnkeep_core::archive::unarchive;
use turnkeep_core::bundle::{Reader, TAIL_BYTES};
use turnkeep_core::log::Draft;
use turnkeep_core::session::tier::{self, Flush};
use turnkeep_core::session::{self, Append, Create, Range};
use turnkeep_core::store::{Key, Part, Reply, Request};
use turnkeep_core::view::{Lines, Place};
use turnkeep_core::{Entry, Result, SessionId};
use turnkeep_fuzz_targets::host::{Host, run};
use turnkeep_fuzz_targets::make;

fn id() -> SessionId {
    SessionId::new("a").expect("an id")
}

/// A host with a session of several batches.
fn host() -> Host {
    let mut host = Host::default();
    let mut session = host.done(session::create(Create::default().with_id(id())));
    for _ in 0..3 {
        let drafts = [Draft::user_input("\"Hi\""), Draft::assistant_item("\"Ho\"")];
        session = host.done(session::append(session, Append::from(drafts))).session;
    }
    host
}

#[test]
fn a_bundle_that_is_said_to_be_shorter_than_its_end_is_refused() {
    let bundle = make::bundle(b"{\"bundle\":1,\"kind\":\"header\",\"created\":5}\n");
    let read = |length: u64| -> Result<()> {
        let mut reader = Reader::new(length, &bundle[bundle.len() - TAIL_BYTES..])?;
        reader.push(&bundle)?;
        while reader.next()?.is_some() {}
        reader.finish().map(|_| ())
    };
    assert_eq!(read(bundle.len() as u64), Ok(()));
    assert_eq!(read(5).expect_err("it is longer").kind(), ErrorKind::BadBundle);
}

#[test]
fn an_entry_whose_second_hash_is_none_is_refused() {
    let line = include_bytes!("../../fuzz-corpus/line/039");
    assert_eq!(Entry::parse(line).expect_err("no hash").kind(), ErrorKind::BadLine);
}

/// Its spans gave all of their lines, and one ended within a deflate block: who reads the file as one
/// stream read another content. (Vectors: `left-open-…`.)
#[test]
fn an_archive_whose_span_ends_within_a_block_is_refused() {
    let file = make::reindexed(include_bytes!("../../fuzz-corpus/archive/009"));
    assert_eq!(unarchive(&file).expect_err("a block is open").kind(), ErrorKind::GzipCorrupt);
}

#[test]
fn the_page_takes_any_place() {
    let lines = Lines::new(b"one\ntwo\n".to_vec());
    let end = u64::MAX;
    let place = Place { row: end, seq: Some(end), offset: end, prev: None };
    assert!(lines.rows(place, 0..2).contains("bad_line"));
    assert!(lines.entries(place, 1..2).contains("bad_line"));
    assert_eq!(lines.line(usize::MAX), b"");
}

/// A log that becomes shorter between two looks at it, in the middle of a batch: its entries would be
/// counted up to there, and its head be an earlier one.
#[test]
fn a_log_that_becomes_shorter_while_it_is_summed_up_is_looked_at_again() {
    let log = Key::of(&id(), Part::Log);
    let looks = |most: u32| {
        let (mut host, mut seen) = (host(), 0);
        let log = log.clone();
        move |request: Request| {
            let is_look = matches!(&request, Request::Get { key, .. } if *key == log);
            seen += u32::from(is_look);
            match host.answer(request) {
                Reply::Object(mut object) if is_look && seen > most => {
                    // The last line is gone.
                    let end = object.bytes.len().saturating_sub(2);
                    let end = object.bytes[..end].iter().rposition(|byte| *byte == b'\n');
                    object.bytes.truncate(end.map_or(0, |end| end + 1));
                    object.info.bytes = object.bytes.len() as u64;
                    Reply::Object(object)
                }
                reply => reply,
            }
        }
    };
    let mut heads = Vec::new();
    for most in 0..8 {
        let summary = run(session::summary(id()), looks(most)).expect("it is looked at again");
        let entries: u64 = summary.kinds.iter().map(|(_, count)| count).sum();
        assert_eq!(entries, summary.head.seq + 1, "after {most} looks");
        heads.push(summary.head.seq);
    }
    assert!(heads.contains(&4) && heads.contains(&6), "{heads:?}");
}

/// A hydrated session's log starts with an anchor, which is read until its line ends.
#[test]
fn an_anchor_that_never_ends_is_refused() {
    let mut host = host();
    host.done(tier::flush(id(), Flush::default()));
    host.done(tier::hydrate(id()));
    let mut asked = 0;
    let task = session::open(id()).with_cold_store();
    let opened = run(task, |request| {
        asked += 1;
        assert!(asked < 100, "it asks for ever");
        match host.answer(request) {
            Reply::Object(mut object) => {
                object.bytes.truncate(200);
                Reply::Object(object)
            }
            reply => reply,
        }
    });
    assert_eq!(opened.expect_err("it has no end").kind(), ErrorKind::Conflict);
}

#[test]
fn a_listing_that_never_goes_on_is_refused() {
    let mut host = host();
    let mut asked = 0;
    let listed = run(session::usage(0), |request| {
        asked += 1;
        assert!(asked < 100, "it asks for ever");
        match request {
            Request::List { prefix, limit, .. } => {
                match host.answer(Request::List { prefix, after: None, limit }) {
                    Reply::Listing(mut listing) => {
                        listing.more = true;
                        Reply::Listing(listing)
                    }
                    other => other,
                }
            }
            request => host.answer(request),
        }
    });
    assert_eq!(listed.expect_err("it has no end").kind(), ErrorKind::StoreFailed);
}

#[test]
fn more_bytes_than_were_asked_for_are_refused() {
    let mut host = host();
    let read = run(session::read(id(), Range::all()), |request| {
        let is_ranged = matches!(&request, Request::Get { range: Some(_), .. });
        match host.answer(request) {
            Reply::Object(mut object) if is_ranged => {
                object.bytes.resize(1 << 22, b'\n');
                Reply::Object(object)
            }
            reply => reply,
        }
    });
    assert_eq!(read.expect_err("it is too much").kind(), ErrorKind::StoreFailed);
}

#[test]
fn lengths_that_no_object_has_are_refused() {
    let mut host = host();
    let used = run(session::usage(0), |request| match host.answer(request) {
        Reply::Listing(mut listing) => {
            listing.objects.iter_mut().for_each(|(_, info)| info.bytes = u64::MAX);
            Reply::Listing(listing)
        }
        reply => reply,
    });
    assert_eq!(used.expect_err("no object is that long").kind(), ErrorKind::StoreFailed);
}

#[test]
fn a_deletion_that_others_always_get_in_the_way_of_ends() {
    let mut host = host();
    host.done(session::archive(id()));
    let mut requests = 0;
    let deleted = run(session::delete(id()), |request| {
        requests += 1;
        let mut reply = host.answer(request);
        if let Reply::Info(info) = &mut reply {
            info.version = format!("{}, as if it were another one", info.version);
        }
        reply
    });
    assert_eq!(deleted.expect_err("it is still there").kind(), ErrorKind::Conflict);
    assert!(requests < 1_000, "{requests}");
}
