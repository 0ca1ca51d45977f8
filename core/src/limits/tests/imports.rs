//! Files of earlier systems. Some limits are smaller where they are tested.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::archives::gzipped;
use super::host::Host;
use super::*;
use crate::import::{self, File, Format, Imported};
use crate::session::{self, ImportFiles};
use crate::store::Key;

fn read(name: &str, bytes: &[u8]) -> Imported {
    import::read(&[File { name, bytes }], Some(Format::Agentmux)).unwrap()
}

fn code(imported: &Imported) -> Option<&'static str> {
    imported.skipped.first().map(|skipped| skipped.error.code())
}

#[test]
pub(super) fn so_many_lines_tell_the_system() {
    let message = r#"{"role":"user","content":"x","timestamp":"x","metadata":{}}"#;
    let detected = |line: usize| {
        let text = "{}\n".repeat(line - 1) + message + "\n";
        import::detect(File { name: "a.jsonl", bytes: text.as_bytes() })
    };
    assert_eq!(detected(DETECT_LINES - 1), Some(Format::Opendev));
    assert_eq!(detected(DETECT_LINES), Some(Format::Opendev));
    assert_eq!(detected(DETECT_LINES + 1), None);
}

/// Title and tags of a session of opendev's with that metadata.
fn about(title: &str, tags: &[String]) -> session::About {
    let tags: Vec<_> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
    let inner = format!(r#"{{"title":"{title}","tags":[{}]}}"#, tags.join(","));
    let json = format!(r#"{{"id":"a","created_at":"x","messages":[],"metadata":{inner}}}"#);
    let imported = import::read(&[File { name: "a.json", bytes: json.as_bytes() }], None).unwrap();
    let about = imported.sessions[0].about.clone();
    let mut host = Host::default();
    host.session("s", &[]);
    host.run(session::set_about(id("s"), about.clone())).unwrap();
    about
}

#[test]
pub(super) fn a_foreign_title_is_cut() {
    for (length, kept) in [
        (TITLE_BYTES_MAX - 1, TITLE_BYTES_MAX - 1),
        (TITLE_BYTES_MAX, TITLE_BYTES_MAX),
        (TITLE_BYTES_MAX + 1, TITLE_BYTES_MAX),
    ] {
        assert_eq!(about(&"\\u0001".repeat(length), &[]).title.unwrap().len(), kept);
    }
}

#[test]
pub(super) fn foreign_tags_are_taken_as_far_as_they_fit() {
    let title = "\\u0001".repeat(TITLE_BYTES_MAX);
    // Two of them, with their quotes and commas.
    let kept = |bytes: usize| {
        let long = "x".repeat(bytes - 8);
        about(&title, &["ab".into(), long]).tags.len()
    };
    assert_eq!(kept(IMPORT_TAGS_BYTES - 1), 2);
    assert_eq!(kept(IMPORT_TAGS_BYTES), 2);
    assert_eq!(kept(IMPORT_TAGS_BYTES + 1), 1);
}

#[test]
pub(super) fn a_foreign_file_is_so_large() {
    let lines = |bytes: u64| {
        let line = format!("{{\"x\":\"{}\"}}\n", "x".repeat((1 << 20) - 9));
        let mut text = line.repeat((bytes >> 20) as usize);
        text.extend(core::iter::repeat_n('\n', bytes as usize - text.len()));
        read("a.jsonl.gz", &gzipped(text.as_bytes()))
    };
    assert_eq!(code(&lines(IMPORT_BYTES_MAX - 1)), None);
    assert_eq!(code(&lines(IMPORT_BYTES_MAX)), None);
    assert_eq!(code(&lines(IMPORT_BYTES_MAX + 1)), Some("output_limit"));
}

#[test]
fn files_of_one_session_share_what_one_may_inflate_to() {
    let text = "x".repeat(1 << 20);
    let count = (IMPORT_BYTES_MAX >> 20) as usize * 3 / 5;
    let entry = format!(r#"{{"kind":"user_input","ts":1,"item":"{text}"}}"#) + "\n";
    let event = format!(r#"{{"ts":1,"turn":1,"event":"{text}"}}"#) + "\n";
    let [log, trace] = [entry, event].map(|line| gzipped(line.repeat(count).as_bytes()));
    let log = File { name: "a.jsonl.gz", bytes: &log };
    let trace = File { name: "a.trace.jsonl.gz", bytes: &trace };
    let alone = import::read(&[log], Some(Format::SessionStore)).unwrap();
    assert_eq!((alone.sessions[0].drafts.len(), code(&alone)), (count, None));
    let both = import::read(&[log, trace], Some(Format::SessionStore)).unwrap();
    assert_eq!(both.sessions[0].drafts.len(), count);
    let told = both.skipped.iter().map(|skipped| (skipped.file, skipped.error.code()));
    assert!(told.into_iter().any(|told| told == (1, "output_limit")));
}

#[test]
pub(super) fn so_much_of_a_file_tells_the_system() {
    let message = r#"{"role":"user","content":"x","timestamp":"x","metadata":{}}"#;
    let detected = |start: usize| {
        // So little shrinks that what is inflated of it ends near the bound.
        let noise = noisy_text(start - 10);
        let text = format!("{{\"x\":\"{noise}\"}}\n{message}\n{}", noisy_text(1 << 19));
        import::detect(File { name: "a.jsonl.gz", bytes: &gzipped(text.as_bytes()) })
    };
    assert_eq!(detected(IMPORT_START_BYTES - 1000), Some(Format::Opendev));
    // It is inflated in pieces, the last of which may give more.
    assert_eq!(detected(IMPORT_START_BYTES + (256 << 10)), Some(Format::Agentmux));
}

#[test]
pub(super) fn text_is_taken_together() {
    let drafts = |line: usize| {
        let text = format!("{}\n{}\n", "x".repeat(1000), "y".repeat(line));
        read("a.jsonl", text.as_bytes()).sessions[0].drafts.len()
    };
    let rest = IMPORT_TEXT_BYTES - 1000 - 1;
    assert_eq!((drafts(rest - 1), drafts(rest), drafts(rest + 1)), (1, 1, 2));
}

/// How many entries each batch has that an imported session was written in.
fn batches(line: &str, count: usize) -> Vec<usize> {
    let mut host = Host::default();
    let text = format!("{line}\n").repeat(count);
    let files = ImportFiles::new([("a.jsonl".into(), text.into_bytes())].to_vec());
    let files = ImportFiles { from: Some(Format::Agentmux), ..files };
    let session = host.run(session::import_files(files)).unwrap().sessions.remove(0);
    let key = Key::of(&session.id, crate::store::Part::Log);
    let log = &host.hot.objects[&key].0;
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut batches = vec![0];
    for line in lines {
        *batches.last_mut().unwrap() += 1;
        if memchr::memmem::find(line, b",\"more\":").is_none() {
            batches.push(0);
        }
    }
    batches
}

#[test]
pub(super) fn imported_entries_come_in_batches() {
    // The note of where it comes from is an entry too, and the session's start is none of them.
    let most = IMPORT_BATCH_ENTRIES - 1;
    let short = r#"{"a":1}"#;
    assert_eq!(batches(short, most - 1), [1, most, 0]);
    assert_eq!(batches(short, most), [1, most + 1, 0]);
    assert_eq!(batches(short, most + 1), [1, most + 1, 1, 0]);
    let long = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length));
    let half = IMPORT_BATCH_BYTES / 2;
    // It is closed by the draft that fills it.
    assert_eq!(batches(&long(half - 1000), 4), [1, 4, 1, 0]);
    assert_eq!(batches(&long(half), 4), [1, 3, 2, 0]);
}
