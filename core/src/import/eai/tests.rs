use alloc::string::String;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::import::etf::tests::made::{Made, encoded, made};
use crate::{gzip::crc32, gzip::deflate::Deflater, import};

const SNAPSHOT: &[u8] = include_bytes!("../../../../tests/fixtures/eai_snapshot.gz");
const SESSION: &[u8] = include_bytes!("../../../../tests/fixtures/eai_session_default.gz");
const TS: &str = r#""ts":1795197056689"#;

const ITEMS: [&str; 4] = [
    r#"{"role":"user","content":[{"type":"text","text":"hi"}]}"#,
    r#"{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"tool_use","id":"t1","name":"execute_script","input":{"script":"ls"}}]}"#,
    r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"a.txt"}]}]}"#,
    r#"{"role":"assistant","content":[{"type":"text","text":"日本"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}"#,
];

fn read_one(name: &str, bytes: &[u8]) -> Result<Imported> {
    import::read(&[File { name, bytes }], None)
}

fn drafts(session: &Session) -> Vec<&str> {
    session.drafts.iter().map(Draft::as_str).collect()
}

#[test]
fn a_session_by_itself_is_named_by_its_file() {
    let imported = read_one("exports/eai_session_default.gz", SESSION).unwrap();
    assert_eq!((imported.skipped.len(), imported.cache.len()), (0, 0));
    let [session] = &imported.sessions[..] else { panic!("{imported:?}") };
    assert_eq!(session.id.as_str(), "eai_session_default");
    let wanted = ITEMS.map(|item| format!(r#"{{"item":{item}}}"#));
    assert_eq!(drafts(session)[0], r#"{"kind":"session_start"}"#);
    assert_eq!(drafts(session)[1..], wanted);
}

#[test]
fn a_snapshot_holds_sessions_and_a_cache() {
    let imported = read_one("eai_snapshot.gz", SNAPSHOT).unwrap();
    assert_eq!(imported.skipped, []);
    let [default, work] = &imported.sessions[..] else { panic!("{imported:?}") };
    assert_eq!((default.id.as_str(), work.id.as_str()), ("default", "work"));
    let start = format!(r#"{{"kind":"session_start",{TS}}}"#);
    assert_eq!(drafts(work), [&*start]);
    let wanted = ITEMS.map(|item| format!(r#"{{"item":{item},{TS}}}"#));
    assert_eq!(drafts(default)[1..], wanted);
    let entry = |key: &str, json: &str| CacheEntry {
        key: key.into(),
        value: CacheValue::Json(json.into()),
        expires_ms: None,
    };
    let task =
        r#"{"$keys":"atoms","a":1.5,"b":300,"c":-1,"d":{"$integer":"1234567890123456789012"}}"#;
    let agent = r#"{"$keys":"atoms","result":"x","status":"done"}"#;
    assert_eq!(imported.cache, [entry("result:task_1", task), entry("subagent_result:1", agent)]);
}

#[test]
fn every_truncation_is_refused() {
    for (name, file) in [("a.gz", SNAPSHOT), ("b.gz", SESSION)] {
        for end in 0..file.len() {
            let error = read(&[File { name, bytes: &file[..end] }]).unwrap_err();
            assert!(error.place().offset.is_some(), "{name} {end}: {error}");
        }
        let term = content_within(file, &mut { IMPORT_BYTES_MAX }).unwrap();
        for end in 0..term.len() {
            let error = read(&[File { name, bytes: &term[..end] }]).unwrap_err();
            assert!(error.place().offset.is_some(), "{name} {end}: {error}");
        }
    }
}

#[test]
fn every_change_is_read_or_refused() {
    for (name, file) in [("a.gz", SNAPSHOT), ("b.gz", SESSION)] {
        let term = content_within(file, &mut { IMPORT_BYTES_MAX }).unwrap();
        for bytes in [file, &term] {
            for at in 0..bytes.len() {
                for change in [1, 0x10, 0x80, 0xff] {
                    let mut changed = bytes.to_vec();
                    changed[at] ^= change;
                    let Ok(imported) = read(&[File { name, bytes: &changed }]) else { continue };
                    for session in &imported.sessions {
                        assert!(session.drafts.iter().all(|draft| check(draft).is_ok()));
                    }
                }
            }
        }
    }
}

/// Atoms, binaries, lists and so on as OTP 26 writes them.
fn atom(name: &str) -> Vec<u8> {
    [&[119, name.len() as u8], name.as_bytes()].concat()
}

fn binary(bytes: &[u8]) -> Vec<u8> {
    [&[109], &(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn many(tag: u8, count: usize, parts: &[Vec<u8>]) -> Vec<u8> {
    [&[tag], &(count as u32).to_be_bytes()[..], &parts.concat()].concat()
}

fn list(parts: &[Vec<u8>]) -> Vec<u8> {
    [many(108, parts.len(), parts), vec![106]].concat()
}

fn map(pairs: &[Vec<u8>]) -> Vec<u8> {
    many(116, pairs.len() / 2, pairs)
}

fn tuple(parts: &[Vec<u8>]) -> Vec<u8> {
    [vec![104, parts.len() as u8], parts.concat()].concat()
}

fn term(inner: &[u8]) -> Vec<u8> {
    [&[VERSION], inner].concat()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    Deflater::default().block(content, &mut bytes);
    bytes.extend([3, 0]);
    bytes.extend(crc32(0, content).to_le_bytes());
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes
}

fn snapshot(cache: &[Vec<u8>], sessions: &[Vec<u8>], version: u8) -> Vec<u8> {
    term(&map(&[
        atom("version"),
        vec![97, version],
        atom("exported_at"),
        vec![97, 9],
        atom("chat_sessions"),
        map(sessions),
        atom("cache_entries"),
        map(cache),
    ]))
}

fn message(role: Vec<u8>, content: Vec<u8>) -> Vec<u8> {
    map(&[atom("content"), content, atom("role"), role])
}

fn items(messages: &[Vec<u8>]) -> Vec<String> {
    let imported = read_one("s.gz", &gzip(&term(&list(messages)))).unwrap();
    assert_eq!(imported.skipped, []);
    let item = |draft: &str| draft.strip_prefix(r#"{"item":"#)?.strip_suffix('}').map(Into::into);
    drafts(&imported.sessions[0])[1..].iter().filter_map(|draft| item(draft)).collect()
}

#[test]
fn what_has_another_shape_is_kept_as_the_term_it_is() {
    let field = |name: &str, value: Vec<u8>| tuple(&[atom(name), value]);
    let result = |extra: Vec<Vec<u8>>| {
        let fields = [vec![field("tool_use_id", binary(b"t"))], extra].concat();
        list(&[tuple(&[atom("tool_result"), list(&fields)])])
    };
    let text = |text: &[u8]| tuple(&[atom("text"), binary(text)]);
    let image = |source: &str| {
        let source = field("source", tuple(&[atom(source), binary(b"AA")]));
        list(&[tuple(&[atom("image"), list(&[field("format", binary(b"jpeg")), source])])])
    };
    let user = || atom("user");
    for (message, item) in [
        (
            message(user(), result(vec![field("is_error", atom("true"))])),
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true}]}"#,
        ),
        (
            message(user(), result(vec![field("type", atom("x"))])),
            r#"{"role":"user","content":[{"$tuple":[{"$atom":"tool_result"},[{"$tuple":[{"$atom":"tool_use_id"},"t"]},{"$tuple":[{"$atom":"type"},{"$atom":"x"}]}]]}]}"#,
        ),
        (
            message(atom("system"), list(&[text(b"a"), text(b"\xff"), vec![97, 7]])),
            r#"{"role":{"$atom":"system"},"content":[{"type":"text","text":"a"},{"$tuple":[{"$atom":"text"},{"$binary":"/w=="}]},7]}"#,
        ),
        (message(user(), binary(b"hi")), r#"{"role":"user","content":"hi"}"#),
        (message(user(), vec![106]), r#"{"role":"user","content":[]}"#),
        (
            message(user(), image("bytes")),
            r#"{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AA"}}]}"#,
        ),
        (
            message(user(), image("url")),
            r#"{"role":"user","content":[{"$tuple":[{"$atom":"image"},[{"$tuple":[{"$atom":"format"},"jpeg"]},{"$tuple":[{"$atom":"source"},{"$tuple":[{"$atom":"url"},"AA"]}]}]]}]}"#,
        ),
        (
            map(&[atom("role"), user(), atom("content"), vec![106], atom("at"), vec![97, 1]]),
            r#"{"role":"user","content":[],"at":1}"#,
        ),
        (map(&[binary(b"role"), binary(b"user")]), r#"{"role":"user"}"#),
        (map(&[atom("role"), user()]), r#"{"$keys":"atoms","role":{"$atom":"user"}}"#),
        (vec![97, 7], "7"),
    ] {
        assert_eq!(items(&[message]), [item]);
    }
}

#[test]
fn snapshots_of_another_version_or_without_a_part_are_refused() {
    let error = read_one("s.gz", &gzip(&snapshot(&[], &[], 2))).unwrap_err();
    assert_eq!(error.code(), "unsupported_version");
    assert!(error.message().contains("version 2, not 1"), "{error}");
    let parts = [atom("version"), vec![97, 1], atom("cache_entries"), map(&[])];
    let error = read_one("s", &term(&map(&parts))).unwrap_err();
    assert_eq!((error.code(), error.message()), ("bad_entry", "the snapshot has no chat_sessions"));
    let error = read_one("s", &term(&map(&parts[2..]))).unwrap_err();
    assert_eq!((error.code(), error.message()), ("bad_entry", "the snapshot has no version"));
    let error = read_one("s", &term(&[97, 1])).unwrap_err();
    assert_eq!(error.code(), "bad_entry");
}

#[test]
fn what_cannot_be_taken_is_left_out_and_told() {
    let deep = |depth: usize| {
        let lists = [108, 0, 0, 0, 1].repeat(depth);
        [lists, vec![106; depth + 1]].concat()
    };
    let blob = |messages: &[Vec<u8>]| binary(&gzip(&term(&list(messages))));
    let good = message(atom("user"), binary(b"hi"));
    let cache = [
        binary(b"a"),
        deep(62),
        vec![97, 1],
        vec![97, 2],
        binary(b"b"),
        deep(70),
        binary(b"\xff"),
        vec![106],
    ];
    let damaged = {
        let mut file = gzip(&term(&list(core::slice::from_ref(&good))));
        let at = file.len() - 6;
        file[at] ^= 1;
        binary(&file)
    };
    let sessions = [
        binary(b"deep"),
        blob(&[good.clone(), deep(70), good.clone()]),
        binary(b"damaged"),
        damaged,
        binary(b"\n"),
        blob(&[]),
        binary(b"raw"),
        binary(&term(&list(&[good]))),
        atom("no_text"),
        blob(&[]),
        binary(b"no_file"),
        vec![97, 1],
    ];
    let imported = read_one("s", &snapshot(&cache, &sessions, 1)).unwrap();
    let taken: Vec<_> =
        imported.sessions.iter().map(|found| (found.id.as_str(), found.drafts.len())).collect();
    assert_eq!(taken, [("deep", 3), ("raw", 2)]);
    assert_eq!(imported.cache.iter().map(|entry| &*entry.key).collect::<Vec<_>>(), ["a"]);
    let skipped: Vec<_> = imported
        .skipped
        .iter()
        .map(|skipped| (skipped.error.code(), skipped.error.place().session.as_deref()))
        .collect();
    let wanted = [
        ("too_deep", Some("deep")),
        ("gzip_checksum", Some("damaged")),
        ("invalid_id", None),
        ("invalid_id", None),
        ("bad_entry", Some("no_file")),
        ("bad_entry", None),
        ("too_deep", None),
        ("bad_entry", None),
    ];
    assert_eq!(skipped, wanted);
    assert!(imported.skipped.iter().all(|skipped| skipped.error.place().offset.is_some()));
}

proptest! {
    #[test]
    fn of_any_messages_each_is_taken_or_told(messages in prop::collection::vec(made(), 1..6)) {
        let count = messages.len();
        let file = encoded(&Made::List(messages, None), true);
        let imported = read_one("s", &file).unwrap();
        let session = &imported.sessions[0];
        prop_assert_eq!(session.drafts.len() - 1 + imported.skipped.len(), count);
        prop_assert!(session.drafts.iter().all(|draft| check(draft).is_ok()));
    }

    #[test]
    fn any_blocks_are_taken_or_told(blocks in prop::collection::vec((sort(), made()), 0..4)) {
        let block = |(sort, made)| Made::Tuple(vec![Made::Atom(sort), made]);
        let blocks = Made::List(blocks.into_iter().map(block).collect(), None);
        let user = Made::Atom("user".into());
        let pair = |name: &str, value| (Made::Atom(name.into()), value);
        let message = Made::Map(vec![pair("content", blocks), pair("role", user)]);
        let imported = read_one("s", &encoded(&Made::List(vec![message], None), false)).unwrap();
        prop_assert_eq!(imported.sessions[0].drafts.len() - 1 + imported.skipped.len(), 1);
    }
}

fn sort() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["text", "thinking", "tool_use", "tool_result", "image", "x"])
        .prop_map(Into::into)
}

#[test]
fn bombs_are_refused() {
    let bomb = gzip(&vec![VERSION; 64 << 20]);
    assert_eq!(read_one("s.gz", &bomb).unwrap_err().code(), "output_limit");
    let deep = [[108, 0, 0, 0, 1].repeat(1_000_000), vec![106; 1_000_001]].concat();
    let imported = read_one("s.gz", &gzip(&term(&deep)));
    assert!(matches!(imported.as_ref().map_err(Error::code), Ok(_) | Err("output_limit")));
    let imported = read_one("s", &term(&deep)).unwrap();
    assert_eq!(imported.skipped[0].error.code(), "too_deep");
}

#[test]
fn what_shrinks_to_nothing_is_read() {
    let zeros = message(atom("user"), binary(&vec![b'0'; 3_000_000]));
    let blob = gzip(&term(&list(&[zeros])));
    let bytes = gzip(&snapshot(&[], &[binary(b"s"), binary(&blob)], 1));
    let imported = read_one("s.gz", &bytes).unwrap();
    assert_eq!((imported.sessions[0].drafts.len(), imported.skipped.len()), (2, 0));
}

#[test]
fn a_session_that_is_there_twice_is_told() {
    let blob = |text: &[u8]| binary(&term(&list(&[message(atom("user"), binary(text))])));
    let sessions = [binary(b"s"), blob(b"one"), binary(b"s"), blob(b"two")];
    let imported = read_one("s", &snapshot(&[], &sessions, 1)).unwrap();
    assert_eq!(imported.sessions.len(), 1);
    assert!(drafts(&imported.sessions[0])[1].contains("one"));
    assert_eq!(imported.skipped[0].error.code(), "duplicate_key");
    assert!(imported.skipped[0].error.place().offset.is_some());
}

#[test]
fn a_time_of_export_that_is_none_is_told() {
    let bytes = snapshot(&[], &[binary(b"s"), binary(&term(&list(&[])))], 1);
    let name = b"exported_at";
    let at = bytes.windows(name.len()).position(|found| found == name).unwrap() + name.len();
    let length = 1 + match bytes[at] {
        97 => 1,
        98 => 4,
        _ => panic!("{}", bytes[at]),
    };
    let float = [&[70][..], &1.5_f64.to_be_bytes()].concat();
    let negative = [98, 0xff, 0xff, 0xff, 0xff].to_vec();
    let huge = [&[110, 9, 0][..], &[0xff; 9]].concat();
    for exported in [float, negative, huge] {
        let bytes = [&bytes[..at], &exported, &bytes[at + length..]].concat();
        let imported = read_one("s", &bytes).unwrap();
        assert_eq!(drafts(&imported.sessions[0]), [r#"{"kind":"session_start"}"#]);
        let error = &imported.skipped[0].error;
        assert_eq!((error.code(), error.place().offset), ("bad_entry", Some(at as u64)));
    }
}

#[test]
fn a_message_too_large_for_an_entry_is_left_out_and_told() {
    let large = message(atom("user"), binary(&vec![b'x'; crate::limits::LINE_BYTES_MAX]));
    let small = message(atom("user"), binary(b"x"));
    let imported = read_one("s", &term(&list(&[large, small]))).unwrap();
    assert_eq!(imported.sessions[0].drafts.len(), 2);
    let error = &imported.skipped[0].error;
    assert_eq!((error.code(), error.place().offset), ("too_large", Some(6)));
}

#[test]
fn reserved_cache_keys_are_taken_as_they_are() {
    let cache = [binary(b"chat_session:a"), vec![106]];
    let imported = read_one("s", &snapshot(&cache, &[], 1)).unwrap();
    assert_eq!(imported.cache[0].key, "chat_session:a");
}

#[test]
fn the_sessions_of_a_snapshot_share_what_one_file_may_inflate_to() {
    let text = vec![b'x'; IMPORT_BYTES_MAX as usize * 2 / 5];
    let messages = term(&list(&[message(atom("user"), binary(&text))]));
    let compressed = [&[80][..], &(messages.len() as u32 - 1).to_be_bytes(), &zlib(&messages[1..])];
    for blob in [gzip(&messages), term(&compressed.concat())] {
        let sessions = (0..3).flat_map(|id| [binary(&[b'a' + id]), binary(&blob)]);
        let sessions = snapshot(&[], &sessions.collect::<Vec<_>>(), 1);
        let imported = read_one("s.gz", &gzip(&sessions)).unwrap();
        let ids: Vec<_> = imported.sessions.iter().map(|session| session.id.as_str()).collect();
        let codes: Vec<_> = imported.skipped.iter().map(|skipped| skipped.error.code()).collect();
        assert_eq!((ids, codes), (vec!["a", "b"], vec!["output_limit"]));
    }
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x78, 0x9c];
    Deflater::default().block(content, &mut bytes);
    let (low, high) = content.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    bytes.extend([3, 0]);
    bytes.extend((high << 16 | low).to_be_bytes());
    bytes
}
