//! Batches and torn tails (§3.3).

use super::Case;
use crate::build::{Log, entry, envelope, start};

pub(super) fn cases() -> Vec<Case> {
    [whole(), torn(), wrong()].concat()
}

fn user(seq: u64, more: u64) -> String {
    envelope(seq, "user_input", more) + &format!(r#","item":{seq}}}"#)
}

/// A start, then lines with these `more`.
fn log(mores: &[u64]) -> Log {
    let lines = mores.iter().zip(1..).map(|(more, seq)| user(seq, *more));
    Log::of(&[start("")].into_iter().chain(lines).collect::<Vec<_>>())
}

fn first_line(more: u64) -> String {
    envelope(0, "session_start", more)
        .replace("\"seq\":0", "\"seq\":0,\"format\":1,\"session\":\"demo\"")
        + "}"
}

fn whole() -> Vec<Case> {
    let with_start = Log::of(&[first_line(2), user(1, 1), user(2, 0)]);
    let last = (0..4096_u64).map(|at| user(at + 1, 4095 - at));
    let largest = Log::of(&[start("")].into_iter().chain(last).collect::<Vec<_>>());
    vec![
        Case::new("batch-of-two", log(&[1, 0])),
        Case::new("batches-one-after-the-other", log(&[2, 1, 0, 1, 0, 0, 3, 2, 1, 0])),
        Case::new("batch-with-the-start", with_start.clone()),
        Case::new("batch-with-the-start-torn", with_start.cut(with_start.offset(3))).empty(),
        // Too long to keep whole; its tail is torn as well, so that both are seen at once.
        Case::new("batch-of-4096-torn", Log::from_lines(&largest.lines()[..40])).head(0).torn(),
    ]
}

/// Every place at which a write can stop.
fn torn() -> Vec<Case> {
    let sample = Log::sample(); // the batch is lines 3 to 5
    let line_7 = sample.offset(7);
    let (line_3, line_5, line_6) = (sample.offset(3), sample.offset(5), sample.offset(6));
    let cut = |name: &str, end: u64, head: u64| {
        Case::new(format!("torn-{name}"), sample.cut(end)).head(head).torn()
    };
    let none = |name: &str, end: u64| Case::new(format!("torn-{name}"), sample.cut(end)).empty();
    vec![
        cut("after-one-byte", line_7 + 1, 5),
        cut("in-key", line_7 + 5, 5),
        cut("in-hash", line_7 + 40, 5),
        cut("between-hashes", line_7 + 80, 5),
        cut("in-prev-hash", line_7 + 120, 5),
        cut("after-the-prefix", line_7 + 154, 5),
        cut("in-envelope", line_7 + 180, 5),
        cut("before-the-brace", sample.0.len() as u64 - 2, 5),
        cut("before-the-line-break", sample.0.len() as u64 - 1, 5),
        cut("batch-in-first-line", line_3 + 99, 1),
        cut("batch-after-first-line", sample.offset(4), 1),
        cut("batch-in-second-line", sample.offset(4) + 99, 1),
        cut("batch-after-second-line", line_5, 1),
        cut("batch-in-last-line", line_5 + 99, 1),
        cut("batch-before-last-line-break", line_6 - 1, 1),
        Case::new("torn-nothing-after-batch", sample.cut(line_6)),
        none("first-line-in-prefix", 50),
        none("first-line-in-body", 130),
        none("first-line-before-line-break", sample.offset(2) - 1),
        cut("second-line", sample.offset(2) + 10, 0),
        Case::new("torn-in-a-character", torn_character()).head(0).torn(),
        Case::new("torn-batch-open-at-the-end", log(&[0, 1])).head(1).torn(),
        Case::new("torn-batch-and-half-a-line", log(&[0, 3, 2]).and(b"{\"hash\":\""))
            .head(1)
            .torn(),
    ]
}

/// A write that stopped within a character: what is torn is not looked at.
fn torn_character() -> Log {
    let log = Log::of(&[start(""), entry(1, "user_input", r#","item":"é""#)]);
    let at = log.0.iter().rposition(|byte| *byte == 0xa9).unwrap_or_default();
    log.cut(at as u64)
}

/// `more` that does not count down to the end.
fn wrong() -> Vec<Case> {
    let start_again = Log::of(&[start(""), user(1, 2), user(2, 1), start("")]);
    let of_rest = |name: &str, more: &str| {
        let rest = user(1, 7).replace("\"more\":7", &format!("\"more\":{more}"));
        Case::new(format!("more-{name}"), Log::of(&[start(""), rest])).fails("bad_entry", 2)
    };
    vec![
        Case::new("more-does-not-count-down", log(&[2, 2, 1, 0])).fails("bad_entry", 3).head(0),
        Case::new("more-skips", log(&[3, 1, 0])).fails("bad_entry", 3).head(0),
        Case::new("more-ends-early", log(&[2, 0])).fails("bad_entry", 3).head(0),
        Case::new("more-grows", log(&[1, 2, 1, 0])).fails("bad_entry", 3).head(0),
        Case::new("more-absent-within", log(&[1, 0, 2, 0])).fails("bad_entry", 5).head(2),
        Case::new("more-start-within", start_again).fails("bad_entry", 4).head(0),
        Case::new("more-largest", log(&[4095])).head(0).torn(),
        of_rest("0", "0"),
        of_rest("4096", "4096"),
        of_rest("01", "01"),
        of_rest("negative", "-1"),
        of_rest("null", "null"),
        of_rest("text", "\"1\""),
        of_rest("fraction", "1.0"),
        of_rest("huge", "99999999999999999999"),
    ]
}
