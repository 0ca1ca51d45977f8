//! A transcript is always the same, is made of well-formed messages, and looks like a real one.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest, Sha256};
use turnkeep_corpus::{Corpus, Message, turns};

/// Whoever changes the generator on purpose changes this, and with it every benchmark's input.
const FIRST_1000: &str = "39b6ccb58d1cd9fd6e0bcf5ad4f1df2ceae5c87c647a6d61ccef51aa7b322b3e";

fn messages(seed: u64, count: usize) -> Vec<Message> {
    Corpus::new(seed).take(count).collect()
}

fn lines(seed: u64, count: usize) -> Vec<String> {
    messages(seed, count).iter().map(Message::draft).collect()
}

#[test]
fn a_seed_always_gives_the_same_bytes() {
    let digest = Sha256::digest(lines(1, 1000).join("\n"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, FIRST_1000);
    assert_ne!(lines(1, 20), lines(2, 20));
}

#[test]
fn messages_form_turns() {
    let messages = messages(3, 4000);
    let mut lengths = Vec::new();
    let mut length = 0;
    for (at, message) in messages.iter().enumerate() {
        let starts = at == 0 || messages[at - 1].ends_turn;
        assert_eq!(message.kind == "user_input", starts, "message {at}");
        assert_eq!(message.parent, at.checked_sub(1).map(|before| messages[before].id.clone()));
        assert!(at == 0 || message.ts > messages[at - 1].ts, "message {at}");
        length += 1;
        if message.ends_turn {
            assert_eq!(message.kind, "assistant_item", "message {at}");
            lengths.push(std::mem::take(&mut length));
        }
    }
    assert!(lengths.iter().all(|length| (7..=20).contains(length)), "{lengths:?}");
    let mean = (messages.len() - length) as f64 / lengths.len() as f64;
    assert!((12.0..14.0).contains(&mean), "{mean} messages a turn");
    let ids: BTreeSet<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids.len(), messages.len());
    assert!(ids.iter().all(|id| is_uuid(id)));
}

fn is_uuid(id: &str) -> bool {
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

#[test]
fn items_are_json_as_stringify_prints_it() {
    for message in messages(4, 2000) {
        let _: Value = serde_json::from_str(&message.item).expect("valid JSON");
        check_strings(&message.item);
        let draft: Value = serde_json::from_str(&message.draft()).expect("valid JSON");
        assert_eq!(draft["kind"], message.kind);
        assert_eq!(draft["id"], message.id);
        assert_eq!(draft["parent"].as_str(), message.parent.as_deref());
    }
}

/// No white space between tokens, and no string that would be printed in another way.
fn check_strings(json: &str) {
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        assert!(!rest[..start].contains([' ', '\n', '\t']), "white space in {json}");
        let literal = &rest[start..=start + string_len(&rest[start..])];
        let text: String = serde_json::from_str(literal).expect("a string");
        assert_eq!(serde_json::to_string(&text).unwrap(), literal);
        rest = &rest[start + literal.len()..];
    }
}

/// Where the string that starts here ends.
fn string_len(json: &str) -> usize {
    let mut escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.expect("an end of the string") + 1
}

#[test]
fn every_tool_call_has_its_result() {
    let mut open = Vec::new();
    for message in messages(5, 1000) {
        let item: Value = serde_json::from_str(&message.item).unwrap();
        let parts = item["content"].as_array().expect("parts");
        match message.kind {
            "tool_result" => assert_eq!(parts[0]["tool_use_id"], open.remove(0)),
            _ => assert!(open.is_empty()),
        }
        open.extend(
            parts.iter().filter(|part| part["type"] == "tool_use").map(|part| part["id"].clone()),
        );
        let stops = item["stop_reason"] == "end_turn";
        assert_eq!(stops, message.ends_turn);
    }
}

/// The bounds are what transcripts of real sessions measure, give or take a tenth (the extremes: a
/// fifth).
#[test]
fn lines_are_as_long_as_real_ones() {
    let mut sizes: Vec<usize> = lines(6, 10_000).iter().map(String::len).collect();
    sizes.sort_unstable();
    let quantile = |percent: usize| sizes[sizes.len() * percent / 100];
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((860..1050).contains(&quantile(50)), "p50 is {}", quantile(50));
    assert!((1700..2100).contains(&mean), "the mean is {mean}");
    assert!((3800..4700).contains(&quantile(90)), "p90 is {}", quantile(90));
    assert!((9600..14_400).contains(&quantile(99)), "p99 is {}", quantile(99));
}

#[test]
fn text_has_the_escapes_of_real_text() {
    let text = lines(7, 5000).join("\n");
    let per_kib = |what: &str| text.matches(what).count() as f64 * 1024.0 / text.len() as f64;
    assert!((14.0..18.0).contains(&per_kib("\\n")), "{} line breaks", per_kib("\\n"));
    assert!((2.0..4.0).contains(&per_kib("\\\"")), "{} quotes", per_kib("\\\""));
    assert!((8.0..13.0).contains(&per_kib("\\t")), "{} tabs", per_kib("\\t"));
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count() as f64 / text.len() as f64;
    assert!((0.0003..0.0008).contains(&foreign), "{foreign} beyond ASCII");
}

#[test]
fn text_compresses_like_real_text() {
    let text = lines(8, 5000).join("\n");
    let ratio = |level| {
        let packed = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), level);
        text.len() as f64 / packed.len() as f64
    };
    assert!((3.6..4.3).contains(&ratio(6)), "level 6: {}", ratio(6));
}

#[test]
fn turns_are_whole() {
    let turns = turns(9, 100);
    let count: usize = turns.iter().map(Vec::len).sum();
    let last = turns.last().map_or(0, Vec::len);
    assert!(count >= 100 && count - last < 100);
    assert_eq!(turns.concat(), lines(9, count));
    assert!(turns.iter().all(|turn| turn[0].starts_with("{\"kind\":\"user_input\"")));
}
