//! What earlier systems wrote.

use turnkeep_core::import::{self, File, Format, Imported, Session};
use turnkeep_core::log::{Stamp, Writer};
use turnkeep_core::session::{self, Import, ImportFiles};
use turnkeep_core::{ErrorKind, Result};

use crate::check::{is_json, stable};
use crate::host::Host;
use crate::input::Input;
use crate::make;

/// Eai.System: Erlang terms, gzipped.
pub fn import_eai(data: &[u8]) {
    both("eai_snapshot.gz", data, Format::Eai);
}

/// session-store: lines of every era.
pub fn import_session_store(data: &[u8]) {
    both("01969a00-0000-7000-8000-000000000001.jsonl", data, Format::SessionStore);
    both("01969a00-0000-7000-8000-000000000001.trace.jsonl", data, Format::SessionStore);
}

/// opendev: a session's metadata, its transcript, its events, a sidechain; each piece is one file.
pub fn import_opendev(data: &[u8]) {
    const NAMES: [&str; 5] = [
        "a1b2c3d4e5f6.jsonl",
        "a1b2c3d4e5f6.json",
        "a1b2c3d4e5f6.events.jsonl",
        "agents/agent-7.jsonl",
        "sess-1_session_snapshot.json",
    ];
    let mut input = Input::new(data);
    let mut files = Vec::new();
    while !input.is_empty() && files.len() < NAMES.len() {
        let name = NAMES[input.below(NAMES.len())];
        files.push((name.to_owned(), input.piece().to_vec()));
    }
    check(&files, Some(Format::Opendev));
    check(&files, None);
    both(NAMES[0], data, Format::Opendev);
}

/// zeitlich: a thread's snapshot.
pub fn import_zeitlich(data: &[u8]) {
    both("zeitlich_t-1.json.gz", data, Format::Zeitlich);
}

/// agentmux: an agent's output.
pub fn import_agentmux(data: &[u8]) {
    both("11111111-2222-4333-8444-555555555555.jsonl.gz", data, Format::Agentmux);
}

/// Several files of any names: each a piece for its name, and one for its content.
pub fn import_files(data: &[u8]) {
    let mut input = Input::new(data);
    let mut files = Vec::new();
    while !input.is_empty() && files.len() < 8 {
        let name = String::from_utf8_lossy(input.piece()).into_owned();
        files.push((name, input.piece().to_vec()));
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
    let mut places: Vec<usize> = import::group(&names).concat();
    places.sort_unstable();
    assert!(places.into_iter().eq(0..files.len()), "every file is in one group");
    check(&files, None);
}

/// A file as it is, and gzipped.
fn both(name: &str, data: &[u8], format: Format) {
    for bytes in [data.to_vec(), make::gzip(data)] {
        let files = [(name.to_owned(), bytes)];
        check(&files, Some(format));
        check(&files, None);
    }
}

fn check(files: &[(String, Vec<u8>)], from: Option<Format>) {
    let all: Vec<_> = files.iter().map(|(name, bytes)| File { name, bytes }).collect();
    match import::read(&all, from) {
        Err(error) => stable(&error),
        Ok(imported) => {
            read(&imported, files.len());
            kept(files, from, &imported);
        }
    }
}

/// What was read can be written, and what was left out has its place.
fn read(imported: &Imported, files: usize) {
    for skipped in &imported.skipped {
        stable(&skipped.error);
        assert!(skipped.file < files);
    }
    for session in &imported.sessions {
        assert!(!session.files.is_empty() && session.files.iter().all(|file| *file < files));
        write(session).unwrap_or_else(|error| panic!("a draft that cannot be: {error}"));
        session.trace.lines().for_each(is_json);
        let fault = session.chain.as_ref().and_then(|chain| chain.fault.as_ref());
        fault.into_iter().for_each(stable);
    }
    imported.cache.iter().for_each(|entry| is_json(&entry.to_json()));
}

fn write(session: &Session) -> Result<()> {
    let mut writer = Writer::create(session.id.clone(), false);
    for drafts in session.drafts.chunks(1000) {
        let drafts: Vec<&str> = drafts.iter().map(|draft| draft.as_str()).collect();
        let batch = writer.write(&drafts, &Stamp::default())?;
        writer.advance(batch.head);
    }
    Ok(())
}

/// Importing writes what was read, verified; doing it again changes nothing.
fn kept(files: &[(String, Vec<u8>)], from: Option<Format>, imported: &Imported) {
    let mut options = ImportFiles::new(files.to_vec());
    options.from = from;
    let mut host = Host::default();
    let told = match host.run(session::import_files(options.clone())) {
        Ok(told) => told,
        // Files of turnkeep's own.
        Err(error) => return stable(&error),
    };
    assert_eq!(told.sessions.len(), imported.sessions.len());
    for session in &told.sessions {
        match &session.outcome {
            Ok(Import::Imported(head)) => {
                let report = host.done(session::verify(session.id.clone(), None, true));
                assert!(report.is_whole() && report.head == Some(*head), "{report:?}");
            }
            Ok(other) => panic!("there was none before: {other:?}"),
            Err(error) => {
                // Two sessions of one id, or more to say of one than there is room for.
                let may_be = [ErrorKind::AlreadyExists, ErrorKind::TooLarge];
                assert!(may_be.contains(&error.kind()), "{error}");
            }
        }
    }
    let again = host.done(session::import_files(options));
    for (session, before) in again.sessions.iter().zip(&told.sessions) {
        let is_same = match (&session.outcome, &before.outcome) {
            (Ok(Import::AlreadyImported(head)), Ok(Import::Imported(before))) => head == before,
            (Err(error), Err(before)) => error.kind() == before.kind(),
            _ => false,
        };
        assert!(is_same, "{session:?} after {before:?}");
    }
}
