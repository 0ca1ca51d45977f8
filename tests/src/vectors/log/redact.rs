//! Entries whose content was withheld (§3.4).

use super::Case;
use crate::build::{Log, entry, envelope, point, start};

pub(super) fn cases() -> Vec<Case> {
    let sample = Log::sample();
    let all: Vec<u64> = (1..7).collect();
    let unsalted = Log::of(&[
        r#""kind":"session_start","seq":0,"format":1,"session":"demo","ts":1}"#,
        r#""kind":"user_input","seq":1,"ts":1,"item":"a secret"}"#,
        r#""kind":"turn_end","seq":2,"ts":1,"turn":1}"#,
    ]);
    let mut cases = vec![
        Case::new("redacted-one", sample.redact(&[5])).withheld(1),
        Case::new("redacted-last", sample.redact(&[6])).withheld(1),
        Case::new("redacted-two-in-turn", sample.redact(&[5, 6])).withheld(2),
        Case::new("redacted-all-but-the-first", sample.redact(&all)).withheld(6),
        Case::new("redacted-unsalted", unsalted.redact(&[1])).withheld(1),
        Case::new("redacted-in-batch", sample.redact(&[3])).withheld(1),
        Case::new("redacted-last-of-batch", sample.redact(&[4])).withheld(1),
        Case::new("redacted-first-of-batch", sample.redact(&[2])).withheld(1),
        Case::new("redacted-whole-batch", sample.redact(&[2, 3, 4])).withheld(3),
        Case::new("redacted-first", sample.redact(&[0])).fails("bad_entry", 1),
        Case::new("redacted-head-expected", sample.redact(&[6]))
            .withheld(1)
            .expecting_head(6, &sample.hash(6)),
    ];
    cases.extend(torn());
    cases.extend(wrong());
    cases.extend(partial_history());
    cases
}

/// A redacted entry does not tell that more of its batch follow; the entry before it does.
fn torn() -> Vec<Case> {
    let sample = Log::sample();
    let after = |line: u64, redacted: &[u64]| sample.redact(redacted).cut_lines(line);
    vec![
        Case::new("redacted-in-torn-batch", after(4, &[3])).head(1).torn(),
        Case::new("redacted-first-of-torn-batch", after(3, &[2])).withheld(1),
        Case::new("redacted-last-of-batch-is-its-end", after(5, &[4])).withheld(1),
        Case::new("redacted-torn-line", after(6, &[5]).and(b"{\"hash\""))
            .withheld(1)
            .head(5)
            .torn(),
    ]
}

fn wrong() -> Vec<Case> {
    let sample = Log::sample();
    let redacted = sample.redact(&[5]);
    let digest = {
        let line = redacted.lines()[5];
        String::from_utf8_lossy(&line[line.len() - 67..line.len() - 3]).into_owned()
    };
    let changed = |name: &str, from: &str, to: &str| {
        Case::new(format!("redacted-{name}"), redacted.replace(from, to)).fails("bad_hash", 6)
    };
    let hashed = |name: &str, rest: String| {
        Case::new(format!("redacted-{name}"), Log::of(&[start(""), rest])).fails("bad_entry", 2)
    };
    let some = "ab".repeat(32);
    vec![
        changed("wrong-digest", &digest, &some),
        changed("upper-case-digest", &digest, &digest.to_uppercase()),
        changed("short-digest", &digest, &digest[1..]),
        changed("space-inside", "\"digest\":", "\"digest\": "),
        changed("field-after", &digest, &format!("{digest}\",\"why\":\"asked to")),
        hashed("hashed-with-a-field", format!(r#""kind":"redacted","digest":"{some}","why":1}}"#)),
        hashed("hashed-without-digest", r#""kind":"redacted"}"#.into()),
        hashed("hashed-with-an-envelope", entry(1, "redacted", &format!(r#","digest":"{some}""#))),
        hashed(
            "hashed-upper-case",
            format!(r#""kind":"redacted","digest":"{}"}}"#, some.to_uppercase()),
        ),
        hashed("hashed-short", format!(r#""kind":"redacted","digest":"{}"}}"#, &some[2..])),
        Case::new("redacted-swapped", sample.redact(&[5, 6]).swap_digests()).fails("bad_hash", 6),
        Case::new(
            "digest-field-elsewhere",
            Log::of(&[
                start(""),
                envelope(1, "user_input", 0) + &format!(r#","item":1,"digest":"{some}"}}"#),
            ]),
        )
        .entry_fails("duplicate_key", 1),
    ]
}

/// Once an item is missing, nobody can say how many there were.
fn partial_history() -> Vec<Case> {
    let rests = |keep: &str| {
        vec![
            start(""),
            entry(1, "user_input", r#","item":1"#),
            entry(2, "user_input", r#","item":2"#),
            entry(3, "truncated", keep),
        ]
    };
    let fork = {
        let log = Log::of(&rests(r#","keep":2"#)[..3]).redact(&[1]);
        let parent = point("demo", 2, &log.hash(2));
        let rests =
            [&rests("")[..3], &[entry(3, "fork", &format!(r#","session":"b","parent":{parent}"#))]];
        Log::of(&rests.concat()).redact(&[1])
    };
    vec![
        Case::new("truncated-to-all", Log::of(&rests(r#","keep":2"#))),
        Case::new("truncated-beyond", Log::of(&rests(r#","keep":3"#))).entry_fails("bad_entry", 3),
        Case::new("truncated-to-all-of-a-redacted", Log::of(&rests(r#","keep":2"#)).redact(&[1]))
            .withheld(1),
        Case::new("truncated-beyond-a-redacted", Log::of(&rests(r#","keep":9"#)).redact(&[2]))
            .withheld(1),
        Case::new("redacted-before-a-fork", fork).withheld(1).session("b"),
    ]
}

impl Log {
    fn cut_lines(&self, lines: u64) -> Self {
        self.cut(self.offset(lines + 1))
    }

    /// Exchanges the digests of the last two lines.
    fn swap_digests(&self) -> Self {
        let lines = self.lines();
        let (before, last) = lines.split_at(lines.len() - 2);
        let digest = |line: &[u8]| line[line.len() - 67..line.len() - 3].to_vec();
        let with = |line: &[u8], digest: &[u8]| {
            [&line[..line.len() - 67], digest, &line[line.len() - 3..]].concat()
        };
        let one = with(last[0], &digest(last[1]));
        let other = with(last[1], &digest(last[0]));
        Self([before.concat(), one, other].concat())
    }
}
