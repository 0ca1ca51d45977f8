//! What hosts hand in: drafts and items.

use turnkeep_core::log::{Batch, Draft, Expectation, Stamp, Verifier, Writer};
use turnkeep_core::view::{Lines, Place, parts};
use turnkeep_core::{Entry, Result, SessionId, State, export};

use crate::check::{is_json, stable};

/// Drafts, one a line: what is written verifies and folds or is refused, and holds what was given.
pub fn draft(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let drafts: Vec<&str> = text.split('\n').collect();
    for is_salted in [false, true] {
        match write(&drafts, is_salted) {
            Err(error) => {
                stable(&error);
                let place = error.place().draft;
                assert!(place.is_none_or(|place| place < drafts.len() as u64));
            }
            Ok(batch) => written(&batch, &drafts),
        }
    }
}

fn write(drafts: &[&str], is_salted: bool) -> Result<Batch> {
    let writer = Writer::create(SessionId::new("fuzzed")?, is_salted);
    let random = vec![7; writer.random_bytes(drafts.len())];
    writer.write(drafts, &Stamp { now_ms: 1_760_000_000_000, random })
}

fn written(batch: &Batch, drafts: &[&str]) {
    let mut verifier = Verifier::new(Expectation::default()).deep();
    verifier.push(&batch.bytes);
    let report = verifier.finish();
    assert!(report.fault.is_none() && report.torn.is_none(), "{report:?}");
    assert_eq!(report.head, Some(batch.head));
    // A batch may keep more of the history than there is, which only those who know it can tell.
    assert_eq!(State::fold(&batch.bytes).is_ok(), report.entry_fault.is_none());
    let lines: Vec<&[u8]> = batch.bytes.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len() as u64, batch.head.seq + 2);
    let own = &lines[usize::try_from(batch.first_seq).expect("fits")..];
    for (draft, line) in drafts.iter().zip(own) {
        let entry = Entry::parse(line).expect("it was written");
        for name in ["item", "payload", "state", "config", "history", "message"] {
            let value = entry.field(name);
            assert!(value.is_none_or(|value| draft.contains(value)), "another value: {draft}");
        }
    }
}

/// An item of any framework: kept byte for byte, and told in every form.
pub fn item(data: &[u8]) {
    let item = String::from_utf8_lossy(data);
    let drafts = [Draft::item(&item), Draft::tool_result(&item), Draft::assistant_item(&item)];
    for draft in drafts {
        let Ok(batch) = write(&[draft.as_str()], false).inspect_err(stable) else { continue };
        written(&batch, &[draft.as_str()]);
        let Ok(state) = State::fold(&batch.bytes) else { continue };
        is_json(&state.to_json());
        export::messages(&state).lines().for_each(is_json);
        let calls = state.open_calls().len();
        let closed = state.with_calls_closed();
        assert!(closed.open_calls().is_empty(), "{calls} calls were open");
        is_json(&closed.to_json());
        shown(&batch.bytes);
    }
}

/// What the page shows.
fn shown(log: &[u8]) {
    let lines = Lines::new(log.to_vec());
    is_json(&lines.entries(Place::default(), 0..lines.len()));
    let count = Entry::parse(lines.line(1)).map_or(0, |entry| parts(&entry).len());
    let texts: Vec<String> = (0..count).map(|part| lines.part_text(1, part)).collect();
    _ = lines.markdown(1);
    for text in texts.iter().filter(|text| !text.is_empty()) {
        let start: String = text.chars().take(9).collect();
        // An image's bytes are not searched.
        _ = lines.search(&start, true);
        _ = lines.search(&start, false);
    }
}
