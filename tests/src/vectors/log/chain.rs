//! Checks 1 to 6: the shape of a line, its link, its hash, its encoding.

use super::Case;
use crate::build::{Log, TS, entry, prefixed, salt, start, start_of};

pub(super) fn cases() -> Vec<Case> {
    [shapes(), moved(), changed(), endings(), noise(), versions(), encodings()].concat()
}

/// Check 2. The sample's fourth line is spelled otherwise.
fn shapes() -> Vec<Case> {
    let sample = Log::sample();
    let line = |name: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        let mut lines: Vec<Vec<u8>> = sample.lines().iter().map(|line| line.to_vec()).collect();
        lines[3] = change(&lines[3]);
        Case::new(format!("shape-{name}"), Log(lines.concat())).fails("bad_line", 4).head(1)
    };
    let text = |name: &str, from: &'static str, to: &'static str| {
        line(name, &move |line| Log(line.to_vec()).replace(from, to).0)
    };
    let upper = |range: std::ops::Range<usize>| {
        move |line: &[u8]| {
            let mut line = line.to_vec();
            line[range.clone()].make_ascii_uppercase();
            line
        }
    };
    vec![
        text("space-first", "{\"hash\"", " {\"hash\""),
        text("space-before-a-key", ",\"prev_hash\"", ", \"prev_hash\""),
        text("space-after-a-colon", "\"prev_hash\":", "\"prev_hash\": "),
        text("other-key", "\"prev_hash\"", "\"prevhash\""),
        text("keys-in-another-order", "{\"hash\":\"", "{\"prev_hash\":\""),
        text("space-last", "}\n", "} \n"),
        text("no-closing-brace", "}\n", "\n"),
        text("a-bracket-last", "}\n", "]\n"),
        line("upper-case-hash", &upper(9..73)),
        line("upper-case-prev-hash", &upper(88..152)),
        line("short-hash", &|line| [&line[..9], &line[10..]].concat()),
        line("hash-of-other-digits", &|line| [&line[..9], b"g", &line[10..]].concat()),
        line("rest-of-one-byte", &|line| [&line[..154], b"}\n"].concat()),
        line("rest-of-nothing", &|line| [&line[..154], b"\n"].concat()),
        line("cut-prefix", &|line| [&line[..100], b"}\n"].concat()),
        line("empty-object", &|_| b"{}\n".to_vec()),
        line("other-json", &|_| b"{\"type\":\"message\",\"content\":\"not a log\"}\n".to_vec()),
        line("blank", &|_| b"\n".to_vec()),
        line("blank-inserted", &|line| [b"\n", line].concat()),
        line("line-cut-in-two", &|line| [&line[..200], b"\n", &line[200..]].concat()),
        line("prev-hash-of-another-type", &|line| [&line[..87], b"0,", &line[154..]].concat()),
    ]
}

/// Check 4: lines that are not where they were.
fn moved() -> Vec<Case> {
    let sample = Log::sample();
    let lines = sample.lines();
    let pick = |name: &str, order: &[usize], code: &'static str, line: u64| {
        let picked: Vec<_> = order.iter().map(|number| lines[number - 1]).collect();
        Case::new(name, Log::from_lines(&picked)).fails(code, line)
    };
    let other = Log::of(&[start_of("\"other\"", ""), entry(1, "turn_end", r#","turn":1"#)]);
    let foreign = Log::from_lines(&[lines[0], other.lines()[1], lines[2]]);
    let null = Log::from_lines(&[lines[0], &prefixed(&sample.hash(1), None, sample.rests()[1])]);
    let hash = "cd".repeat(32);
    let linked = Log(prefixed(&sample.hash(0), Some(&hash), start("").as_bytes()));
    vec![
        pick("reordered", &[1, 3, 2, 4, 5, 6, 7], "broken_link", 2),
        pick("reordered-last", &[1, 2, 3, 4, 5, 7, 6], "broken_link", 6),
        pick("duplicated", &[1, 2, 2, 3, 4, 5, 6, 7], "broken_link", 3),
        pick("duplicated-last", &[1, 2, 3, 4, 5, 6, 7, 7], "broken_link", 8),
        pick("removed", &[1, 3, 4, 5, 6, 7], "broken_link", 2),
        pick("removed-before-last", &[1, 2, 3, 4, 5, 7], "broken_link", 6),
        pick("removed-first", &[2, 3, 4, 5, 6, 7], "broken_link", 1),
        pick("removed-in-batch", &[1, 2, 3, 5, 6, 7], "broken_link", 4).head(1),
        pick("first-line-again", &[1, 1], "broken_link", 2),
        pick("reversed", &[7, 6, 5, 4, 3, 2, 1], "broken_link", 1),
        Case::new("concatenated", sample.and(&sample.0)).fails("broken_link", 8),
        Case::new("concatenated-with-another", sample.and(&other.0)).fails("broken_link", 8),
        Case::new("line-of-another-session", foreign).fails("broken_link", 2),
        Case::new("null-on-another-line", null).fails("broken_link", 2),
        Case::new("prev-hash-on-the-first-line", linked).fails("broken_link", 1),
        pick("inserted", &[1, 2, 7, 3, 4, 5, 6], "broken_link", 3),
    ]
}

/// Check 5: bytes that are not what was hashed. Bits flip in line 6.
fn changed() -> Vec<Case> {
    let sample = Log::sample();
    let start = usize::try_from(sample.offset(6)).unwrap_or_default();
    let flip = |name: &str, at: usize, bit: u8, code: &'static str| {
        let mut log = sample.clone();
        log.0[start + at] ^= 1 << bit;
        Case::new(format!("flip-{name}"), log).fails(code, 6)
    };
    // A bit that makes one hex digit another: `0` to `7` and `1` to `0` and so on by bit 0; where
    // that leaves the digits (`9` to `8` is fine, `f` to `g` is not), bit 1.
    let digit = |at: usize| match sample.0[start + at] {
        b'f' | b'a' => 1, // f -> d, a -> c
        _ => 0,
    };
    let edit = |name: &str, from: &str, to: &str, line: u64| {
        Case::new(format!("edited-{name}"), sample.replace(from, to)).fails("bad_hash", line)
    };
    let hash = sample.hash(5);
    let other = if hash.starts_with('0') { "1" } else { "0" };
    let mut rests: Vec<_> = sample.rests().into_iter().map(<[u8]>::to_vec).collect();
    rests[5] = entry(5, "turn_end", r#","turn":2"#).into_bytes();
    let rehashed = Log::of(&rests);
    let rehashed = [&rehashed.lines()[..6], &sample.lines()[6..]].concat();
    vec![
        flip("brace", 0, 0, "bad_line"),
        flip("key", 3, 2, "bad_line"),
        flip("first-digit-of-hash", 9, digit(9), "bad_hash"),
        flip("last-digit-of-hash", 72, digit(72), "bad_hash"),
        flip("high-bit-of-hash", 20, 7, "bad_line"),
        flip("first-digit-of-prev-hash", 88, digit(88), "broken_link"),
        flip("last-digit-of-prev-hash", 151, digit(151), "broken_link"),
        flip("quote-after-prev-hash", 152, 0, "bad_line"),
        flip("kind", 164, 0, "bad_hash"),
        flip("high-bit-of-body", 164, 7, "bad_hash"),
        edit("text", "multiply", "multiplY", 4).head(1),
        edit("number", "\"turn\":1", "\"turn\":2", 6),
        edit("time", &format!("\"ts\":{}", TS + 5), &format!("\"ts\":{}", TS + 6), 6),
        edit("seq", "\"seq\":5", "\"seq\":6", 6),
        edit("salt", &salt(5), &salt(6), 6),
        edit("session", "\"session\":\"demo\"", "\"session\":\"dem0\"", 1),
        edit("spelling-of-the-same-text", "6 × 7", r"6 \u00d7 7", 3),
        edit("space-after-the-envelope", "\"turn\":1", "\"turn\": 1", 6),
        edit("field-added", "\"turn\":1", "\"turn\":1,\"x\":1", 6),
        edit("kind", "\"kind\":\"turn_end\"", "\"kind\":\"turn_enD\"", 6),
        edit("hash", &hash, &hash.replacen(|_| true, other, 1), 6),
        Case::new("rehashed-line", Log::from_lines(&rehashed)).fails("broken_link", 7),
    ]
}

/// How a file may end that is not a log's end.
fn endings() -> Vec<Case> {
    let sample = Log::sample();
    let end = sample.0.len() as u64;
    let flipped = |bit: u8| {
        let mut log = sample.clone();
        if let Some(last) = log.0.last_mut() {
            *last ^= 1 << bit;
        }
        Case::new(format!("flip-last-line-break-bit-{bit}"), log).head(5).torn()
    };
    let inner = usize::try_from(sample.offset(6)).unwrap_or_default() - 1;
    let mut joined = sample.clone();
    joined.0[inner] ^= 4; // `\n` becomes 0x0e: two lines are one
    vec![
        Case::new("end-blank-line", sample.and(b"\n")).fails("bad_line", 8),
        Case::new("end-two-blank-lines", sample.and(b"\n\n")).fails("bad_line", 8),
        Case::new("end-space", sample.and(b" ")).torn().head(6),
        Case::new("end-carriage-return", sample.and(b"\r")).torn().head(6),
        Case::new("end-garbage", sample.and(b"garbage")).torn().head(6),
        Case::new("end-garbage-line", sample.and(b"garbage\n")).fails("bad_line", 8),
        Case::new("end-nul-run", sample.and(&[0; 4096])).torn().head(6),
        Case::new("end-nul-run-and-line-break", sample.and(&[0; 4096]).and(b"\n"))
            .fails("bad_line", 8),
        Case::new("end-no-line-break", sample.cut(end - 1)).torn().head(5),
        Case::new("flip-line-break-inside", joined).fails("bad_hash", 5).head(1),
        flipped(0),
        flipped(7),
    ]
}

/// What editors, transports and broken disks do to text.
fn noise() -> Vec<Case> {
    let sample = Log::sample();
    let text = String::from_utf8_lossy(&sample.0).into_owned();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut zeroed = sample.clone();
    let hole = usize::try_from(sample.offset(4)).unwrap_or_default() + 10;
    zeroed.0[hole..hole + 512].fill(0);
    vec![
        Case::new("carriage-returns", Log(text.replace('\n', "\r\n").into_bytes()))
            .fails("bad_line", 1),
        Case::new("carriage-returns-only", Log(text.replace('\n', "\r").into_bytes())).empty(),
        Case::new("byte-order-mark", Log([b"\xef\xbb\xbf", &sample.0[..]].concat()))
            .fails("bad_line", 1),
        Case::new("utf-16", Log(utf16)).fails("bad_line", 1),
        Case::new("indented", Log(text.replace("{\"hash\"", "  {\"hash\"").into_bytes()))
            .fails("bad_line", 1),
        Case::new("blank-first-line", Log([b"\n", &sample.0[..]].concat())).fails("bad_line", 1),
        Case::new("nul-run-inside", zeroed).fails("bad_line", 4).head(1),
        Case::new("nothing", Log(Vec::new())).empty(),
        Case::new("one-line-break", Log(b"\n".to_vec())).fails("bad_line", 1),
        Case::new("line-breaks", Log(b"\n\n\n".to_vec())).fails("bad_line", 1),
        Case::new("nul-only", Log(vec![0; 64])).empty(),
        Case::new("plain-text", Log(b"Dear diary,\n".to_vec())).fails("bad_line", 1),
        Case::new("json-array", Log(b"[{\"kind\":\"user_input\"}]\n".to_vec()))
            .fails("bad_line", 1),
    ]
}

/// Check 3: newer formats are told apart before anything else of them is believed.
fn versions() -> Vec<Case> {
    let hash = "ab".repeat(32);
    let bare = |name: &str, rest: &str| {
        let log = Log(prefixed(&hash, None, rest.as_bytes())).and(b"whatever follows\n");
        Case::new(format!("version-{name}"), log).fails("unsupported_version", 1)
    };
    let newer = start("").replace("\"format\":1", "\"format\":2");
    let hashed = |name: &str, format: &str| {
        let rest = start("").replace("\"format\":1", &format!("\"format\":{format}"));
        Case::new(format!("version-{name}"), Log::of(&[rest])).fails("bad_entry", 1)
    };
    let linked = Log(prefixed(&hash, Some(&hash), newer.as_bytes()));
    let upper = Log(prefixed(&hash.to_uppercase(), None, newer.as_bytes()));
    let second = Log::of(&[start(""), newer.clone()]);
    let later = start("").replace("\"format\":1,\"session\"", "\"session\"");
    vec![
        bare("2", &newer),
        bare("2-and-nothing-else", r#""kind":"session_start","seq":0,"format":2}"#),
        bare("2-and-another-shape", r#""kind":"session_start","seq":0,"format":2.5,"id":7}"#),
        bare("10", r#""kind":"session_start","seq":0,"format":10,"session":"demo"}"#),
        bare("highest", r#""kind":"session_start","seq":0,"format":9007199254740991}"#),
        Case::new("version-2-hashed", Log::of(&[newer])).fails("unsupported_version", 1),
        Case::new("version-2-with-a-link", linked).fails("unsupported_version", 1),
        Case::new("version-2-with-upper-case-hash", upper).fails("bad_line", 1),
        Case::new("version-2-on-the-second-line", second).fails("bad_entry", 2),
        Case::new("version-missing", Log::of(&[later])).fails("bad_entry", 1),
        hashed("0", "0"),
        hashed("01", "01"),
        hashed("02", "02"),
        hashed("negative", "-2"),
        hashed("text", "\"2\""),
        hashed("beyond-integers", "9007199254740992"),
        hashed("1-and-a-fraction", "1.0"),
        Case::new(
            "version-0-not-hashed",
            Log(prefixed(
                &hash,
                None,
                start("").replace("\"format\":1", "\"format\":0").as_bytes(),
            )),
        )
        .fails("bad_hash", 1),
    ]
}

/// Check 6: after the hash, before the envelope.
fn encodings() -> Vec<Case> {
    let rest = |bad: &[u8]| {
        let entry = entry(1, "user_input", r#","item":"?""#).into_bytes();
        let at = entry.iter().position(|byte| *byte == b'?').unwrap_or_default();
        [&entry[..at], bad, &entry[at + 1..]].concat()
    };
    let of = |name: &str, bad: &[u8]| {
        let log = Log::of(&[start("").into_bytes(), rest(bad)]);
        Case::new(format!("utf8-{name}"), log).fails("invalid_utf8", 2)
    };
    let kind = [&entry(1, "a", "").into_bytes()[..8], b"\xff\"}"].concat();
    let unhashed = Log::of(&[start("").into_bytes(), rest(b"x")]).replace("\"x\"", "\"?\"");
    let mut unhashed = unhashed;
    if let Some(at) = unhashed.0.iter().rposition(|byte| *byte == b'?') {
        unhashed.0[at] = 0xff;
    }
    vec![
        of("ff", b"\xff"),
        of("cut", b"\xe2\x82"),
        of("continuation", b"\x80"),
        of("overlong", b"\xc0\x80"),
        of("overlong-slash", b"\xe0\x80\xaf"),
        of("surrogate", b"\xed\xa0\x80"),
        of("beyond", b"\xf4\x90\x80\x80"),
        of("latin-1", b"caf\xe9"),
        Case::new("utf8-in-kind", Log::of(&[start("").into_bytes(), kind]))
            .fails("invalid_utf8", 2),
        Case::new("utf8-not-hashed", unhashed).fails("bad_hash", 2),
    ]
}
