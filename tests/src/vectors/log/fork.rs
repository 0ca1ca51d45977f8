//! Forks (§3.5).

use super::Case;
use crate::build::{Log, after_fork, entry, envelope, point, start};

pub(super) fn cases() -> Vec<Case> {
    let cases = [good(), bad_parents(), bad_forks()];
    let numbers = [later(), redacted(), wrong_numbers(), no_fork_before()];
    [cases.concat(), numbers.concat(), in_a_batch()].concat()
}

/// A log followed by a fork of it.
fn forked(log: &Log, of: &str, into: &str) -> Log {
    forked_and(log, of, into, 0)
}

/// The same, where the fork is followed by more of its batch.
fn forked_and(log: &Log, of: &str, into: &str, more: u64) -> Log {
    let last = log.lines().len() as u64 - 1;
    let parent = point(of, last, &log.hash(last));
    let fields = format!(r#","session":"{into}","parent":{parent}}}"#);
    then(log, &(envelope(last + 1, "fork", more) + &fields))
}

/// A log followed by that entry, in which its last fork is numbered where it has one.
fn then(log: &Log, rest: &str) -> Log {
    let is_fork = |rest: &&[u8]| rest.starts_with(br#""kind":"fork""#);
    match log.rests().iter().rposition(is_fork) {
        Some(fork) => with(log, &after_fork(fork as u64, rest)),
        None => with(log, rest),
    }
}

fn turn(seq: u64) -> String {
    entry(seq, "turn_end", r#","turn":2"#)
}

fn with(log: &Log, rest: &str) -> Log {
    let mut rests: Vec<_> = log.rests().into_iter().map(<[u8]>::to_vec).collect();
    rests.push(rest.as_bytes().to_vec());
    Log::of(&rests)
}

fn good() -> Vec<Case> {
    let sample = Log::sample();
    let child = forked(&sample, "demo", "child");
    let grandchild = forked(&then(&child, &turn(8)), "child", "grand");
    let twice = forked(&child, "child", "again");
    let start_only = forked(&Log::of(&[start("")]), "demo", "early");
    let parent = point("demo", 6, &sample.hash(6)).replace(',', " , ").replace(':', " : ");
    let spaced = with(
        &sample,
        &entry(7, "fork", &format!(r#", "parent" : {parent} ,"session":"\u0063hild""#)),
    );
    let escaped = parent_of(
        &sample,
        &format!(r#"{{"hash":"{}","seq":6,"session":"\u0064emo"}}"#, sample.hash(6)),
    );
    let (batch, torn) = batches(&sample);
    let end = twice.0.len() as u64;
    vec![
        Case::new("fork", child.clone()).session("child"),
        Case::new("fork-of-a-fork", grandchild).session("grand"),
        Case::new("fork-right-after-a-fork", twice.clone()).session("again"),
        Case::new("fork-of-a-start", start_only).session("early"),
        Case::new("fork-into-the-same-id", forked(&sample, "demo", "demo")),
        Case::new("fork-back-into-the-first-id", forked(&child, "child", "demo")),
        Case::new("fork-spelled-with-spaces", spaced).session("child"),
        Case::new("fork-parent-in-another-order", escaped).session("child"),
        Case::new("fork-in-a-batch", batch).session("second"),
        Case::new("fork-in-a-torn-batch", torn).head(6).torn(),
        Case::new("fork-torn", child.cut(child.0.len() as u64 - 1)).head(6).torn(),
        Case::new("fork-of-a-fork-torn", twice.cut(end - 3)).head(7).torn().session("child"),
        Case::new("fork-expected", child.clone()).session("child").expecting_session("child"),
        Case::new("fork-parent-expected", child.clone())
            .session("child")
            .expecting_session("demo")
            .end_fails("wrong_session"),
        Case::new("fork-torn-expected", child.cut(child.0.len() as u64 - 1))
            .head(6)
            .torn()
            .expecting_session("child")
            .end_fails("wrong_session"),
        Case::new("fork-parents-head-expected", child)
            .session("child")
            .expecting_head(6, &sample.hash(6)),
    ]
}

/// Two forks in one batch, whole and torn: the second one's parent is the first one's session.
fn batches(sample: &Log) -> (Log, Log) {
    let one = forked_and(sample, "demo", "first", 1);
    (forked(&one, "first", "second"), one)
}

fn parent_of(log: &Log, parent: &str) -> Log {
    with(log, &entry(7, "fork", &format!(r#","session":"child","parent":{parent}"#)))
}

fn bad_parents() -> Vec<Case> {
    let sample = Log::sample();
    let right = point("demo", 6, &sample.hash(6));
    let child = forked(&sample, "demo", "child");
    let of = |name: &str, parent: &str| {
        let log = parent_of(&sample, parent);
        Case::new(format!("fork-parent-{name}"), log).fails("bad_entry", 8)
    };
    let twice = forked(&child, "demo", "again");
    let edited = |from: &str, to: &str| right.replace(from, to);
    let (hash, upper) = (sample.hash(6), sample.hash(6).to_uppercase());
    vec![
        of("of-another-session", &point("other", 6, &hash)),
        of("of-another-hash", &point("demo", 6, &"ab".repeat(32))),
        of("of-another-seq", &point("demo", 5, &hash)),
        of("before-the-last", &point("demo", 5, &sample.hash(5))),
        of("itself", &point("demo", 7, &hash)),
        of("null", "null"),
        of("text", "\"demo\""),
        of("array", "[]"),
        of("empty", "{}"),
        of("with-a-field-more", &edited("{", "{\"x\":1,")),
        of("with-a-field-twice", &edited("\"seq\":6", "\"seq\":6,\"seq\":6")),
        of("without-hash", r#"{"session":"demo","seq":6}"#),
        of("with-an-escaped-key", &edited("\"seq\"", r#""\u0073eq""#)),
        of("with-upper-case-hash", &edited(&hash, &upper)),
        of("with-a-short-hash", &edited(&hash, &hash[1..])),
        of("with-a-fraction", &edited("\"seq\":6", "\"seq\":6.0")),
        of("with-seq-as-text", &edited("\"seq\":6", "\"seq\":\"6\"")),
        of("with-null-session", &edited("\"demo\"", "null")),
        Case::new("fork-of-a-fork-names-the-first-session", twice)
            .fails("bad_entry", 9)
            .session("child"),
    ]
}

fn bad_forks() -> Vec<Case> {
    let sample = Log::sample();
    let right = point("demo", 6, &sample.hash(6));
    let of = |name: &str, fields: &str, code: &'static str| {
        let fields = fields.replace("PARENT", &right);
        let log = with(&sample, &entry(7, "fork", &fields));
        Case::new(format!("fork-{name}"), log).fails(code, 8)
    };
    let deep =
        format!(r#","session":"child","parent":PARENT,"x":{}{}"#, "[".repeat(64), "]".repeat(64));
    let long = format!(r#","session":"{}","parent":PARENT"#, "a".repeat(129));
    let first = start("").replace("session_start", "fork");
    vec![
        of("without-session", r#","parent":PARENT"#, "bad_entry"),
        of("without-parent", r#","session":"child""#, "bad_entry"),
        of("without-fields", "", "bad_entry"),
        of("with-null-session", r#","session":null,"parent":PARENT"#, "bad_entry"),
        of("with-empty-session", r#","session":"","parent":PARENT"#, "bad_entry"),
        of("with-a-control-character", r#","session":"a\u0000","parent":PARENT"#, "bad_entry"),
        of("with-a-lone-surrogate", r#","session":"\ud800","parent":PARENT"#, "bad_entry"),
        of("with-a-long-session", &long, "bad_entry"),
        of("with-a-number-as-session", r#","session":7,"parent":PARENT"#, "bad_entry"),
        of(
            "with-a-session-twice",
            r#","session":"a","parent":PARENT,"session":"b""#,
            "duplicate_key",
        ),
        of("with-a-reserved-field", r#","session":"a","parent":PARENT,"seq":1"#, "duplicate_key"),
        of("with-an-escaped-key", r#","session":"a","parent":PARENT,"\u0078":1"#, "bad_entry"),
        of("not-json", r#","session":"a","parent":PARENT,"x":01"#, "bad_json"),
        of("too-deep", &deep, "too_deep"),
        Case::new("fork-on-the-first-line", Log::of(&[first])).fails("bad_entry", 1),
    ]
}

/// What follows a fork numbers it, and what follows another the other.
fn later() -> Vec<Case> {
    let child = forked(&Log::sample(), "demo", "child"); // the fork is entry 7
    let item =
        |log: &Log, seq, more| then(log, &(envelope(seq, "user_input", more) + r#","item":1}"#));
    let longer = then(&item(&item(&child, 8, 1), 9, 0), &turn(10));
    let grand = then(&forked(&longer, "child", "grand"), &turn(12));
    let unsalted = [
        r#""kind":"session_start","seq":0,"format":1,"session":"demo","ts":1}"#,
        r#""kind":"fork","seq":1,"ts":1,"session":"child","parent":PARENT}"#,
        r#""kind":"turn_end","seq":2,"ts":1,"fork":1,"turn":1}"#,
    ];
    let parent = point("demo", 0, &Log::of(&unsalted[..1]).hash(0));
    let unsalted = unsalted.map(|rest| rest.replace("PARENT", &parent));
    let with_fields = then(&child, &entry(8, "x", r#","fork_of":1,"more_or_less":2"#));
    vec![
        Case::new("fork-and-entries", longer.clone()).session("child"),
        Case::new("fork-and-entries-torn", longer.cut(longer.offset(10) + 99))
            .head(7)
            .torn()
            .session("child"),
        Case::new("fork-of-a-fork-and-entries", grand).session("grand"),
        Case::new("fork-and-entries-unsalted", Log::of(&unsalted)).session("child"),
        Case::new("fork-and-fields-of-similar-names", with_fields).session("child"),
        Case::new("fork-of-a-start-and-entries", {
            let early = forked(&Log::of(&[start("")]), "demo", "early");
            then(&early, &entry(2, "turn_end", r#","turn":1"#))
        })
        .session("early"),
    ]
}

/// Redacted entries do not number the fork; those around them do.
fn redacted() -> Vec<Case> {
    let child = forked(&Log::sample(), "demo", "child");
    let longer = (8..12).fold(child.clone(), |log, seq| then(&log, &turn(seq)));
    let grand = then(&forked(&longer, "child", "grand"), &turn(13));
    let of = |name: &str, log: &Log, entries: &[u64]| {
        let case = Case::new(format!("fork-and-redacted-{name}"), log.redact(entries));
        case.withheld(entries.len() as u64).session("child")
    };
    let unnumbered = with(&then(&child, &turn(8)), &turn(9)).redact(&[8]);
    let of_parents = with(&grand, &after_fork(7, &turn(14))).redact(&[13]);
    vec![
        of("next", &longer, &[8]),
        of("inside", &longer, &[9, 10]),
        of("tail", &longer, &[10, 11]),
        of("all", &longer, &[8, 9, 10, 11]),
        of("all-but-the-last", &longer, &[8, 9, 10]),
        of("before-it-too", &longer, &[2, 6, 8]),
        of("tail-of-a-fork-of-a-fork", &grand, &[8, 11, 13]).session("grand"),
        Case::new("fork-missing-after-a-redacted-entry", unnumbered)
            .fails("bad_entry", 10)
            .withheld(1)
            .session("child"),
        Case::new("fork-of-its-parent-after-a-redacted-entry", of_parents)
            .fails("bad_entry", 15)
            .withheld(1)
            .session("grand"),
        // A fork that was redacted is found out by the next entry that is not.
        Case::new("fork-redacted", child.redact(&[7])).withheld(1),
        Case::new("fork-redacted-and-entries", longer.redact(&[7]))
            .fails("bad_entry", 9)
            .withheld(1),
        Case::new("fork-redacted-and-all-after-it", longer.redact(&[7, 8, 9, 10, 11])).withheld(5),
    ]
}

/// The entry after a fork numbers it in another way than it must.
fn wrong_numbers() -> Vec<Case> {
    let child = forked(&Log::sample(), "demo", "child");
    let grand = forked(&then(&child, &turn(8)), "child", "grand");
    let right = after_fork(7, &turn(8));
    let edit = |name: &str, from: &str, to: &str| {
        let log = with(&child, &right.replacen(from, to, 1));
        Case::new(format!("fork-number-{name}"), log).fails("bad_entry", 9).session("child")
    };
    let number = |name: &str, number: &str| edit(name, ":7", &format!(":{number}"));
    let last = |name: &str, rest: &str| {
        let log = with(&grand, rest);
        Case::new(format!("fork-number-{name}"), log).fails("bad_entry", 11).session("grand")
    };
    let again = with(&child, &{
        let parent = point("child", 7, &child.hash(7));
        entry(8, "fork", &format!(r#","session":"again","parent":{parent}"#))
    });
    let own = with(&Log::sample(), &{
        let parent = point("demo", 6, &Log::sample().hash(6));
        after_fork(7, &entry(7, "fork", &format!(r#","session":"child","parent":{parent}"#)))
    });
    vec![
        edit("missing", ",\"fork\":7", ""),
        number("of-the-entry-before", "6"),
        number("of-this-entry", "8"),
        number("0", "0"),
        number("null", "null"),
        number("07", "07"),
        number("text", "\"7\""),
        number("negative", "-7"),
        number("fraction", "7.0"),
        number("exponent", "7e0"),
        number("empty", ""),
        number("beyond-integers", "9007199254740992"),
        edit("after-a-space", ",\"fork\"", ", \"fork\""),
        edit("before-a-space", "\"fork\":7", "\"fork\": 7"),
        edit("after-the-salt", &right, &turn(8).replace(",\"turn\"", ",\"fork\":7,\"turn\"")),
        last("of-the-fork-before", &after_fork(7, &turn(10))),
        last("missing-after-two-forks", &turn(10)),
        last("before-seq", &after_fork(7, &turn(11))),
        Case::new("fork-number-missing-on-a-fork", again).fails("bad_entry", 9).session("child"),
        Case::new("fork-number-of-itself", own).fails("bad_entry", 8),
        Case::new("fork-number-missing-in-a-torn-batch", {
            let torn = envelope(8, "user_input", 1) + r#","item":1}"#;
            with(&child, &torn)
        })
        .fails("bad_entry", 9)
        .session("child"),
        Case::new("fork-number-twice", with(&child, &right.replace("}", ",\"fork\":7}")))
            .entry_fails("duplicate_key", 8)
            .session("child"),
        Case::new("fork-number-right-and-seq-wrong", with(&child, &after_fork(7, &turn(9))))
            .fails("bad_seq", 9)
            .session("child"),
    ]
}

/// A number where no fork is.
fn no_fork_before() -> Vec<Case> {
    let of = |name: &str, number: &str| {
        let rest = turn(1).replace(",\"salt\"", &format!(",\"fork\":{number},\"salt\""));
        let log = Log::of(&[start("").as_str(), &rest]);
        Case::new(format!("fork-number-without-a-fork-{name}"), log).fails("bad_entry", 2)
    };
    let bare = |name: &str, members: &str| {
        let rest = format!(r#""kind":"x","seq":1,"ts":1{members}}}"#);
        Case::new(format!("fork-number-without-a-fork-{name}"), Log::of(&[start(""), rest]))
    };
    let first = start("").replace(",\"salt\"", ",\"fork\":0,\"salt\"");
    vec![
        of("0", "0"),
        of("1", "1"),
        of("null", "null"),
        bare("after-the-salt", r#","salt":"AAAAAAAAAAA","fork":0"#).entry_fails("duplicate_key", 1),
        bare("after-more", r#","more":1,"fork":0"#).head(0).torn(),
        bare("after-a-field", r#","a":1,"fork":0"#).entry_fails("duplicate_key", 1),
        bare("after-a-space", r#", "fork":0"#).entry_fails("duplicate_key", 1),
        Case::new("fork-number-on-the-first-line", Log::of(&[first]))
            .entry_fails("duplicate_key", 0),
    ]
}

/// The sample's batch is entries 2 to 4: a fork may cut it short, nothing else may.
fn in_a_batch() -> Vec<Case> {
    let sample = Log::sample();
    let up_to = |seq: u64| sample.cut(sample.offset(seq + 2));
    let (two, three) = (forked(&up_to(2), "demo", "child"), forked(&up_to(3), "demo", "child"));
    let item =
        |log: &Log, seq, more| then(log, &(envelope(seq, "user_input", more) + r#","item":1}"#));
    let open = forked_and(&up_to(2), "demo", "child", 3); // longer than what it cut
    let longer = (4..7).fold(open.clone(), |log, seq| item(&log, seq, 6 - seq));
    let twice = forked(&item(&two, 4, 2), "child", "grand");
    let bad = |name: &str, rest: &str| {
        Case::new(format!("batch-cut-by-{name}"), with(&up_to(2), rest))
            .fails("bad_entry", 4)
            .head(1)
    };
    let of_fork = |name: &str, log: Log| Case::new(format!("fork-within-a-batch{name}"), log);
    vec![
        of_fork("", two.clone()).session("child"),
        of_fork("-before-its-last", three.clone()).session("child"),
        of_fork("-and-entries", then(&item(&two, 4, 0), &turn(5))).session("child"),
        of_fork("-and-a-longer-one", longer).session("child"),
        of_fork("-and-again", twice).session("grand"),
        of_fork("-that-is-redacted", two.redact(&[2])).withheld(1).session("child"),
        of_fork("-whose-last-is-redacted", three.redact(&[3])).withheld(1).session("child"),
        of_fork("-torn", two.cut(two.0.len() as u64 - 1)).head(1).torn(),
        // What it cut is complete with its own batch, and not before.
        of_fork("-and-torn", open.clone()).head(1).torn(),
        of_fork("-and-a-longer-one-torn", item(&open, 4, 2)).head(1).torn(),
        of_fork("-that-does-not-count-down", item(&open, 4, 1)).fails("bad_entry", 5).head(1),
        of_fork("-redacted-itself", two.redact(&[3])).withheld(0).head(1).torn(),
        of_fork("-of-another-parent", forked(&up_to(2), "other", "child"))
            .fails("bad_entry", 4)
            .head(1),
        bad("a-turn", &turn(3)),
        bad("an-item", &(envelope(3, "user_input", 0) + r#","item":1}"#)),
        bad("an-unknown-kind", &entry(3, "forked", "")),
        bad("a-longer-one", &(envelope(3, "user_input", 2) + r#","item":1}"#)),
    ]
}
