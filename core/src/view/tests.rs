use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::archive::{HEADER_BYTES, archive};
use crate::log::{Draft, Stamp, Writer};
use crate::{Entry, Result, SessionId};

/// A log of those items.
fn log(items: &[&str]) -> Vec<u8> {
    let writer = Writer::create(SessionId::new("a").unwrap(), false);
    let drafts: Vec<_> = items.iter().map(|item| Draft::item(item)).collect();
    writer.write(&drafts, &Stamp { now_ms: 7, random: Vec::new() }).unwrap().bytes
}

fn log_of(drafts: &[&str]) -> Vec<u8> {
    let writer = Writer::create(SessionId::new("a").unwrap(), false);
    writer.write(drafts, &Stamp { now_ms: 7, random: Vec::new() }).unwrap().bytes
}

fn parts_of_item(item: &str) -> Vec<Part> {
    let log = log(&[item]);
    let line = log.split(|byte| *byte == b'\n').nth(1).unwrap();
    parts(&Entry::parse(line).unwrap())
}

fn text(text: &str) -> Part {
    Part::Text { title: None, text: text.into() }
}

fn image(media_type: &str, data: Option<&str>, url: Option<&str>) -> Part {
    let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(String::from);
    Part::Image {
        media_type: some(media_type),
        data: data.map(Into::into),
        url: url.map(Into::into),
    }
}

#[test]
fn messages_of_every_framework_say_the_same() {
    let call = || Part::Call { id: "c".into(), name: "f".into(), arguments: "{\"a\":1}".into() };
    for (item, expected) in [
        (r#"{"role":"user","content":"Hi"}"#, alloc::vec![text("Hi")]),
        (r#"{"role":"user","content":[{"type":"text","text":"Hi"}]}"#, alloc::vec![text("Hi")]),
        (r#"{"role":"model","parts":[{"text":"Hi"}]}"#, alloc::vec![text("Hi")]),
        (
            r#"{"role":"assistant","content":"Hi","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}"#,
            alloc::vec![text("Hi"), call()],
        ),
        (
            r#"{"role":"assistant","content":[{"type":"thinking","thinking":"Hm"},{"type":"tool_use","id":"c","name":"f","input":{"a":1}}]}"#,
            alloc::vec![Part::Reasoning("Hm".into()), call()],
        ),
        (
            r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"One"},{"type":"summary_text","text":"Two"}]}"#,
            alloc::vec![Part::Reasoning("One\n\nTwo".into())],
        ),
        (
            r#"{"role":"assistant","reasoning_content":"Hm","content":"Hi"}"#,
            alloc::vec![Part::Reasoning("Hm".into()), text("Hi")],
        ),
        (
            r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}"#,
            alloc::vec![call()],
        ),
    ] {
        assert_eq!(parts_of_item(item), expected, "{item}");
    }
}

#[test]
fn images_are_found_in_every_shape_and_never_what_they_are_not() {
    let data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    let png = || image("image/png", Some(data), None);
    for block in [
        format!(
            r#"{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}"#
        ),
        format!(r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}"#),
        format!(r#"{{"type":"input_image","image_url":"data:image/png;base64,{data}"}}"#),
        format!(r#"{{"type":"image","image":"{data}","mediaType":"image/png"}}"#),
        format!(r#"{{"type":"file","data":"{data}","mediaType":"image/png"}}"#),
        format!(r#"{{"type":"image","data":"{data}","mimeType":"image/png"}}"#),
    ] {
        let item = format!(r#"{{"role":"user","content":[{block}]}}"#);
        assert_eq!(parts_of_item(&item), [png()], "{block}");
    }
    let linked = r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/x.png"}}]}"#;
    assert_eq!(parts_of_item(linked), [image("", None, Some("https://example.com/x.png"))]);
    // Nor is what is too short, or long and something else.
    let long = format!("images/{}?x:y", "a".repeat(64));
    let item = |image: &str| {
        format!(r#"{{"role":"user","content":[{{"type":"image","image":"{image}"}}]}}"#)
    };
    let short = "a".repeat(64);
    for url in ["logo", &short[..], &long[..]] {
        assert_eq!(parts_of_item(&item(url)), [image("", None, Some(url))]);
    }
    let bytes = "a".repeat(65);
    assert_eq!(parts_of_item(&item(&bytes)), [image("", Some(&bytes), None)]);
    // Of a tool's result too.
    let result = format!(
        r#"{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"c","content":[{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}]}}]}}"#
    );
    assert_eq!(parts_of_item(&result)[1], png());
}

#[test]
fn rows_tell_tokens_and_cost_as_frameworks_name_them() {
    for (item, usage) in [
        (
            r#"{"role":"assistant","content":"x","model":"m","usage":{"input_tokens":5,"output_tokens":6,"cache_read_input_tokens":7,"cache_creation_input_tokens":8}}"#,
            r#""model":"m","usage":{"input":5,"output":6,"cacheRead":7,"cacheWrite":8}"#,
        ),
        (
            r#"{"role":"assistant","content":"x","usage":{"prompt_tokens":5,"completion_tokens":6}}"#,
            r#""usage":{"input":5,"output":6}"#,
        ),
        (
            r#"{"role":"assistant","content":"x","usage":{"input":5,"output":6,"cost":{"input":1,"total":0.25}}}"#,
            r#""usage":{"input":5,"output":6,"cost":0.25}"#,
        ),
        (
            r#"{"role":"assistant","content":"x","usage":{"inputTokens":5,"cost":"free"}}"#,
            r#""usage":{"input":5}"#,
        ),
    ] {
        let rows = rows(&log(&[item]), Place::default());
        assert!(rows.contains(usage), "{rows}");
    }
    let usage =
        log_of(&[r#"{"kind":"llm_usage","input_total_tokens":5,"output_tokens":2,"cost":0.5}"#]);
    assert!(
        rows(&usage, Place::default()).contains(r#""usage":{"input":5,"output":2,"cost":0.5}"#)
    );
}

#[test]
fn rows_tell_calls_and_what_answers_them() {
    for (item, told) in [
        (
            r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#,
            r#""calls":[{"id":"c","name":"f"}]"#,
        ),
        (
            r#"{"type":"function_call_output","call_id":"c","output":"x"}"#,
            r#""results":[{"call":"c"}]"#,
        ),
        (
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","is_error":true}]}"#,
            r#""results":[{"call":"c","isError":true}]"#,
        ),
    ] {
        let rows = rows(&log(&[item]), Place::default());
        assert!(rows.contains(told), "{rows}");
    }
}

#[test]
fn entries_without_words_say_what_they_are_about() {
    for (draft, told) in [
        (r#"{"kind":"run_completed","result":"finished"}"#, "finished"),
        (r#"{"kind":"turn_end","turn":7}"#, "turn 7"),
        (r#"{"kind":"truncated","keep":1}"#, "the history keeps its first item"),
        (
            r#"{"kind":"compaction","summary":[],"keep_last":3}"#,
            "the history keeps its last 3 items",
        ),
    ] {
        let rows = rows(&log_of(&[draft]), Place::default());
        assert!(rows.contains(told), "{rows}");
    }
}

fn lines(bytes: &[u8]) -> Lines {
    Lines::new(bytes.to_vec())
}

fn rows(bytes: &[u8], place: Place) -> String {
    let lines = lines(bytes);
    lines.rows(place, 0..lines.len())
}

/// What the rows' `problem` and `row` say, in order.
fn problems(lines: &[u8], place: Place) -> Vec<Option<String>> {
    let json: serde_json::Value = serde_json::from_str(&rows(lines, place)).expect("JSON");
    let rows = json.as_array().expect("an array");
    rows.iter().map(|row| Some(row.get("problem")?.get("code")?.as_str()?.into())).collect()
}

#[test]
fn a_damaged_line_is_told_and_the_others_are_shown() {
    let sound = log(&["\"one\"", "\"two\"", "\"three\""]);
    assert_eq!(problems(&sound, Place::default()), [None, None, None, None]);
    let lines: Vec<&[u8]> = sound.split_inclusive(|byte| *byte == b'\n').collect();
    let changed = String::from_utf8(sound.clone()).unwrap().replace("\"two\"", "\"TWO\"");
    let code = |code: &str| Some(code.into());
    assert_eq!(
        problems(changed.as_bytes(), Place::default()),
        [None, None, code("bad_hash"), None]
    );
    let cut_out = [lines[0], lines[1], lines[3]].concat();
    assert_eq!(problems(&cut_out, Place::default()), [None, None, code("broken_link")]);
    let junk = [lines[0], b"junk\n", lines[1]].concat();
    // The line after it is linked to the one before it: to nobody that is known.
    assert_eq!(problems(&junk, Place::default()), [None, code("bad_line"), None]);
    let torn = &sound[..sound.len() - 3];
    assert_eq!(problems(torn, Place::default()), [None, None, None, code("torn_tail")]);
    // Neighbours that are known from elsewhere count.
    let elsewhere = Place { row: 2, seq: Some(2), offset: 9, prev: Some(crate::sha256(b"x")) };
    assert_eq!(problems(lines[2], elsewhere), [code("broken_link")]);
}

#[test]
fn some_lines_say_what_they_say_among_all() {
    let log = log(&["\"one\"", "\"two\"", "\"three\""]);
    let (lines, place) = (lines(&log), Place { row: 10, seq: Some(0), offset: 5, prev: None });
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
    let all = json(lines.entries(place, 0..4));
    for range in [0..0, 0..2, 1..3, 3..4, 4..4] {
        let some = json(lines.entries(place, range.clone()));
        assert_eq!(some.as_array().unwrap(), &all.as_array().unwrap()[range]);
    }
}

#[test]
fn long_texts_are_cut_and_can_be_had_whole() {
    let long = "é".repeat(PART_BYTES);
    let log = log(&[&format!(r#"{{"role":"user","content":"{long}"}}"#)]);
    let json: serde_json::Value =
        serde_json::from_str(&lines(&log).entries(Place::default(), 0..2)).expect("JSON");
    let part = &json[1]["parts"][0];
    assert_eq!(part["text"].as_str().unwrap().len(), PART_BYTES);
    assert_eq!(part["full"], PART_BYTES);
    assert_eq!(lines(&log).part_text(1, 0), long);
    assert_eq!(lines(&log).part_text(1, 1) + &lines(&log).part_text(9, 0), "");
}

#[test]
fn search_finds_what_is_shown_and_nothing_else() {
    let log = log(&[
        r#"{"role":"user","content":"Straße and STRASSE, straße"}"#,
        r#"{"type":"function_call","call_id":"needle","name":"f","arguments":"{\"path\":\"a needle\"}"}"#,
    ]);
    assert_eq!(lines(&log).search("straße", false), [(1, 2)]);
    assert_eq!(lines(&log).search("Straße", true), [(1, 1)]);
    assert_eq!(lines(&log).search("needle", false), [(2, 1)], "ids are not shown");
    assert_eq!(lines(&log).search("content", false), []);
    assert_eq!(lines(&log).search("", false), []);
}

#[test]
fn a_cut_archive_and_a_damaged_block_give_what_they_hold() -> Result<()> {
    let items: Vec<_> = (0..400).map(|at| format!("\"{at} {}\"", "x".repeat(2000))).collect();
    let items: Vec<_> = items.iter().map(|item| &**item).collect();
    let log = log(&items);
    let archive = archive(&log)?;
    let start = &archive[..archive.len().min(HEADER_BYTES)];
    let whole = archive_map(start, archive.len() as u64)?;
    assert!(!whole.contains("isCut"));
    let cut = archive_map(start, archive.len() as u64 - 100)?;
    assert_eq!(cut.replace(",\"isCut\":true", ""), whole);
    let map: serde_json::Value = serde_json::from_str(&whole).expect("JSON");
    let number = |name: &str| map["blocks"][1][name].as_u64().unwrap();
    let (from, to) = (number("start") as usize, number("end") as usize);
    let sound = inflate_block(&archive[from..to], number("raw"));
    assert!(sound.1.is_none() && log.windows(sound.0.len()).any(|part| part == sound.0));
    let half = &archive[from..(from + to) / 2];
    let damaged = Lines::inflate(half, number("raw"), number("entries"));
    assert_eq!(damaged.fault().unwrap().code(), "gzip_corrupt");
    assert!(!damaged.is_empty() && sound.0.starts_with(damaged.bytes()));
    assert_eq!(damaged.bytes().last(), Some(&b'\n'));
    assert_eq!(damaged.last_hash(), None, "nobody knows what the next block follows");
    let inflate = |count| Lines::inflate(&archive[from..to], number("raw"), count);
    let whole = inflate(number("entries"));
    assert!(whole.fault().is_none() && whole.last_hash().is_some());
    // With junk among them there are more than have a row: one row is left to say so.
    for count in [0, 1, 2, number("entries") - 1] {
        let lines = inflate(count);
        assert_eq!(lines.fault().unwrap().code(), "gzip_corrupt");
        assert_eq!(lines.len() as u64, count.saturating_sub(1));
        let rows = lines.rows(Place::default(), 0..lines.len());
        let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
        assert_eq!(rows.as_array().unwrap().len(), lines.len());
    }
    Ok(())
}

#[test]
fn markdown_says_who_speaks() {
    let log = log(&[r#"{"role":"user","content":"Hi"}"#, r#"{"role":"assistant","content":"Ho"}"#]);
    let (one, two) = (lines(&log).markdown(1), lines(&log).markdown(2));
    assert_eq!((&*one, &*two), ("## User\n\nHi\n", "## Assistant\n\nHo\n"));
}

#[test]
fn a_withheld_entry_is_whole_and_has_its_number() {
    let whole = log(&[r#"{"role":"user","content":"One"}"#, r#"{"role":"user","content":"Two"}"#]);
    let lines: Vec<_> = core::str::from_utf8(&whole).unwrap().split_inclusive('\n').collect();
    let (prefix, rest) = lines[1].split_at(154);
    let digest = crate::hash::body_digest(rest.trim_end().as_bytes());
    let withheld = format!("{prefix}\"kind\":\"redacted\",\"digest\":\"{digest}\"}}\n");
    let log = [lines[0], &withheld, lines[2]].concat();
    let rows = rows(log.as_bytes(), Place { seq: Some(0), ..Place::default() });
    assert!(!rows.contains("problem"), "{rows}");
    assert!(rows.contains(r#"{"row":1,"seq":1,"kind":"redacted""#), "{rows}");
}
