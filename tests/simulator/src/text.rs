//! What is said in sessions: texts that tell who said them.

use std::fmt::Write as _;

/// The text of an act's entry, so many bytes long or a little longer.
#[must_use]
pub(crate) fn text_of(act: u64, entry: u64, bytes: u64) -> String {
    let mut text = format!("{act}-{entry}");
    // Not to be compressed away.
    let mut state = act.wrapping_mul(31).wrapping_add(entry) | 1;
    while (text.len() as u64) < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let _never_fails = write!(text, " {:x}", state >> 20);
    }
    text
}

/// Which act said a text, and which of its entries it is.
#[must_use]
pub(crate) fn said_by(text: &str) -> Option<(u64, u64)> {
    let (act, entry) = text.split(' ').next()?.split_once('-')?;
    Some((act.parse().ok()?, entry.parse().ok()?))
}

/// The texts in some lines; a line that is no entry is told as it is.
#[must_use]
pub(crate) fn texts_in(lines: &[u8]) -> Vec<String> {
    let text = |line: &[u8]| {
        let Ok(entry) = serde_json::from_slice::<serde_json::Value>(line) else {
            return Some(String::from_utf8_lossy(line).into_owned());
        };
        let is_said = entry["kind"] == "user_input";
        is_said.then(|| entry["item"].as_str().map(str::to_owned)).flatten()
    };
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).filter_map(text).collect()
}
