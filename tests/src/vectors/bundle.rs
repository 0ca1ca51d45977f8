//! Area `bundle`: whole ones, and what is wrong with others (§7.5).

use serde_json::{Value, json};

use super::Vector;
use crate::build::{Bundle, Log, Member, SESSION, entry, start, start_of};

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    let mut vectors = whole();
    vectors.extend(wrong_frames());
    vectors.extend(wrong_content());
    vectors
}

fn vector(name: &str, bundle: Vec<u8>, expected: Value) -> Vector {
    Vector::new("bundle", name, bundle, expected)
}

fn refused(name: &str, bundle: Vec<u8>, code: &str) -> Vector {
    vector(name, bundle, json!({ "code": code }))
}

fn demo() -> String {
    format!("\"{SESSION}\"")
}

fn other() -> Log {
    Log::of(&[start_of("\"Über/1\"", ""), entry(1, "user_input", ",\"item\":\"Hi\"")])
}

fn sample() -> Bundle {
    Bundle::default().session(&demo(), &Log::sample(), "", b"")
}

fn session(id: &str, log: &Log) -> Value {
    let last = log.lines().len() as u64 - 1;
    let head = json!({ "seq": last, "hash": log.hash(last), "bytes": log.0.len() });
    json!({ "id": id, "head": head })
}

fn whole() -> Vec<Vector> {
    let told = |sessions: &[Value], cache: u64| json!({ "code": null, "sessions": sessions, "cache": cache });
    let both = [session(SESSION, &Log::sample()), session("Über/1", &other())];
    let about = ",\"about\":{\"version\":1,\"title\":\"A talk\",\"kind\":null,\"tags\":[]}";
    let trace = b"{\"ts\":1}\nnot even JSON";
    let trace_bytes = format!("{about},\"trace_bytes\":{}", trace.len());
    let full = Bundle::default()
        .session(&demo(), &Log::sample(), &trace_bytes, trace)
        .session("\"Über/1\"", &other(), "", b"")
        .value("\"key\":\"a\",\"value\":{\"n\":9007199254740993}")
        .value("\"key\":\"b\\n\",\"bytes\":\"AP8=\",\"expires\":4000000000000")
        .indexed();
    let redacted = Log::sample().redact(&[2, 3]);
    let no_salt = Log::of(&[start("").replace(",\"salt\":\"AAAAAAAAAAA\"", "")]);
    let long = Log::text(300, 3000, 10);
    vec![
        vector("empty", Bundle::default().bytes(), told(&[], 0)),
        vector("one-session", sample().bytes(), told(&both[..1], 0)),
        vector("everything", full.bytes(), told(&both, 2)),
        vector(
            "redacted",
            Bundle::default().session(&demo(), &redacted, "", b"").bytes(),
            told(&[session(SESSION, &redacted)], 0),
        ),
        vector(
            "unsalted",
            Bundle::default().session(&demo(), &no_salt, "", b"").bytes(),
            told(&[session(SESSION, &no_salt)], 0),
        ),
        vector(
            "long",
            Bundle::default().session(&demo(), &long, "", b"").indexed().bytes(),
            told(&[session(SESSION, &long)], 0),
        ),
    ]
}

fn wrong_frames() -> Vec<Vector> {
    let whole = sample().bytes();
    let end = sample().end();
    let flipped = |at: usize| {
        let mut file = whole.clone();
        file[at] ^= 1;
        file
    };
    let ended = |from: &str, to: &str| sample().ending(&end.replace(from, to));
    let anew = Member::of(&[&sample().content[..], end.as_bytes()].concat()).bytes();
    vec![
        refused("no-gzip", b"no bundle at all".to_vec(), "not_gzip"),
        refused("no-bytes", Vec::new(), "bad_bundle"),
        refused("cut-off", whole[..whole.len() - 1].to_vec(), "bad_bundle"),
        refused("cut-in-half", whole[..whole.len() / 2].to_vec(), "bad_bundle"),
        refused("a-byte-more", [&whole[..], b"\n"].concat(), "bad_bundle"),
        refused("twice", whole.repeat(2), "bad_bundle"),
        refused("time-in-the-header", flipped(4), "gzip_checksum"),
        refused("system-in-the-header", flipped(9), "gzip_checksum"),
        refused("wrong-checksum", flipped(whole.len() - 8), "gzip_checksum"),
        refused("wrong-length", flipped(whole.len() - 1), "gzip_checksum"),
        refused("compressed-anew", anew, "bad_bundle"),
        refused("an-archive", Member::of(&Log::sample().0).bytes(), "bad_bundle"),
        refused(
            "end-counts-more-sessions",
            ended("\"sessions\":1", "\"sessions\":2"),
            "bad_bundle",
        ),
        refused("end-counts-more-values", ended("\"cache\":0", "\"cache\":1"), "bad_bundle"),
        refused(
            "end-has-another-digest",
            ended("\"digest\":\"", "\"digest\":\"0").to_vec(),
            "bad_bundle",
        ),
        refused("end-is-no-json", ended("{\"kind\"", "{ \"kind\""), "bad_bundle"),
        refused("newer", newer(), "unsupported_version"),
    ]
}

fn newer() -> Vec<u8> {
    let mut bundle = sample();
    let text = b"{\"bundle\":2,\"whatever\":true}\n";
    bundle.content.splice(.., text.iter().copied());
    bundle.bytes()
}

fn wrong_content() -> Vec<Vector> {
    let log = Log::sample();
    let mut damaged = log.clone();
    let middle = damaged.0.len() / 2;
    damaged.0[middle] ^= 1;
    let lying = |from: &str, to: &str| {
        let mut bundle = sample();
        let text = String::from_utf8(bundle.content).expect("text").replacen(from, to, 1);
        bundle.content = text.into_bytes();
        bundle.bytes()
    };
    let hash = log.hash(6);
    let twice = sample().session(&demo(), &log, "", b"");
    let renamed = Bundle::default().session("\"other\"", &log, "", b"");
    let late = Bundle::default().value("\"key\":\"a\",\"value\":1");
    let unfinished = "{\"hash\":\"00";
    let mut torn = sample();
    let (bytes, longer) = (log.0.len(), log.0.len() + unfinished.len());
    let text = String::from_utf8(torn.content).expect("text") + unfinished;
    let said = text.replacen(&format!("\"bytes\":{bytes}"), &format!("\"bytes\":{longer}"), 1);
    torn.content = said.into_bytes();
    vec![
        refused("damaged-session", lying_log(&log, &damaged), "bad_hash"),
        refused("another-head", lying(&hash, &"0".repeat(64)), "head_mismatch"),
        refused("longer-than-it-is", lying("\"bytes\":", "\"bytes\":1"), "bad_bundle"),
        refused("twice-the-same", twice.bytes(), "bad_bundle"),
        refused("another-id", renamed.bytes(), "wrong_session"),
        refused("no-id", Bundle::default().session("\"\"", &log, "", b"").bytes(), "bad_bundle"),
        refused("session-after-value", late.session(&demo(), &log, "", b"").bytes(), "bad_bundle"),
        refused("unknown-kind", sample().line("{\"kind\":\"news\"}").bytes(), "bad_bundle"),
        refused("no-json", sample().line("news").bytes(), "bad_bundle"),
        refused(
            "value-of-two",
            sample().value("\"key\":\"a\",\"value\":1,\"bytes\":\"\"").bytes(),
            "bad_bundle",
        ),
        refused("value-of-none", sample().value("\"key\":\"a\"").bytes(), "bad_bundle"),
        refused("value-without-key", sample().value("\"value\":1").bytes(), "bad_bundle"),
        refused(
            "bytes-that-are-none",
            sample().value("\"key\":\"a\",\"bytes\":\"=\"").bytes(),
            "bad_bundle",
        ),
        refused(
            "expires-never",
            sample().value("\"key\":\"a\",\"value\":1,\"expires\":-1").bytes(),
            "bad_bundle",
        ),
        refused(
            "value-after-index",
            sample()
                .line("{\"kind\":\"index\",\"blocks\":[]}")
                .value("\"key\":\"a\",\"value\":1")
                .bytes(),
            "bad_bundle",
        ),
        refused("torn-session", torn.bytes(), "head_mismatch"),
    ]
}

/// A bundle whose session is damaged, in a file that is whole.
fn lying_log(log: &Log, damaged: &Log) -> Vec<u8> {
    let mut bundle = Bundle::default().session(&demo(), log, "", b"");
    let start = bundle.content.len() - log.0.len();
    bundle.content.splice(start.., damaged.0.iter().copied());
    bundle.bytes()
}
