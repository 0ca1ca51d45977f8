//! Forged logs whose chains hold: who knows the head refuses every one of them.

use std::collections::BTreeMap;

use turnkeep::core::archive::archive;
use turnkeep::core::log::{Expectation, Report};
use turnkeep::core::session::{self, FileVerifier};
use turnkeep::core::store::Condition;
use turnkeep::{Head, MemoryStore, SessionId, Store, drive};
use turnkeep_tests::build::{Log, Random};
use turnkeep_tests::sessions::{id, log_key};

use crate::forging::{Part, Sort, fork_of, log, message, name, rests, session};
use crate::logs::deep;

const FORGERIES: usize = 10_000;
/// So many are made of the same two sessions.
const OF_ONE: usize = 10;

/// A session, and another one that entries may be taken from.
struct Scene {
    own: Vec<Part>,
    other: Vec<Part>,
    log: Log,
    head: Head,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        // One in two was forked.
        let fork = (seed.is_multiple_of(2)).then_some("alpha-2");
        let own = session(&mut random, "alpha", fork);
        let other = session(&mut random, "beta", None);
        let log = log(&own);
        let report = deep(&log.0, &Expectation::default());
        assert!(report.is_whole(), "{report:?}");
        let head = report.head.expect("a head");
        assert!(
            deep(&log.0, &expectation(&own, Some(head), true)).is_whole(),
            "the true one holds"
        );
        Self { own, other, log, head }
    }
}

fn expectation(own: &[Part], head: Option<Head>, knows_session: bool) -> Expectation {
    let session = knows_session.then(|| SessionId::new(name(own)).expect("an id"));
    Expectation { session, head: head.map(|head| (head.seq, head.hash)) }
}

/// A forged log, whose it says it is, and the fault that its chain has all the same: code and line.
struct Forged {
    log: Log,
    name: &'static str,
    fault: Option<(&'static str, usize)>,
}

impl Forged {
    /// One whose chain holds.
    fn of(parts: &[Part]) -> Self {
        Self { log: log(parts), name: name(parts), fault: None }
    }
}

type Forge = fn(&Scene, &mut Random) -> Forged;

const FORGES: [(&str, Forge); 12] = [
    ("an entry is edited", edited),
    ("an entry is left out", deleted),
    ("an entry is put in", inserted),
    ("two entries change places", reordered),
    ("entries go on as another session's", spliced),
    ("it is another session's log", swapped),
    ("it is another session's log under its name", renamed),
    ("it is an older head", rolled_back),
    ("a withheld entry is another one", withheld),
    ("its start is withheld", start_withheld),
    ("its fork is withheld", fork_withheld),
    ("entries are numbered otherwise", renumbered),
];

fn edited(scene: &Scene, random: &mut Random) -> Forged {
    let mut parts = scene.own.clone();
    let at = random.below(parts.len());
    match parts[at].sort {
        // A fork has nothing but its place and name.
        Sort::Fork(_) => parts[0].fields = format!(r#","turns":{}"#, random.below(1000)),
        Sort::Start(_) => parts[at].fields = format!(r#","turns":{}"#, random.below(1000)),
        Sort::Other(_) => parts[at].fields = message(random).fields,
    }
    Forged::of(&parts)
}

fn deleted(scene: &Scene, random: &mut Random) -> Forged {
    let mut parts = scene.own.clone();
    parts.remove(1 + random.below(parts.len() - 1));
    Forged::of(&parts)
}

fn inserted(scene: &Scene, random: &mut Random) -> Forged {
    let mut parts = scene.own.clone();
    // Not after the end: that would be an append, and the head would still be there.
    parts.insert(1 + random.below(parts.len() - 1), message(random));
    Forged::of(&parts)
}

fn reordered(scene: &Scene, random: &mut Random) -> Forged {
    let mut parts = scene.own.clone();
    let at = 1 + random.below(parts.len() - 2);
    parts.swap(at, at + 1);
    Forged::of(&parts)
}

fn spliced(scene: &Scene, random: &mut Random) -> Forged {
    let own = 1 + random.below(scene.own.len() - 1);
    let other = 1 + random.below(scene.other.len() - 1);
    Forged::of(&[&scene.own[..own], &scene.other[other..]].concat())
}

fn swapped(scene: &Scene, random: &mut Random) -> Forged {
    Forged::of(&scene.other[..1 + random.below(scene.other.len())])
}

fn renamed(scene: &Scene, _: &mut Random) -> Forged {
    let mut parts = scene.other.clone();
    parts[0].sort = Sort::Start(name(&scene.own));
    Forged::of(&parts)
}

fn rolled_back(scene: &Scene, random: &mut Random) -> Forged {
    let parts = &scene.own[..1 + random.below(scene.own.len() - 1)];
    let log = log(parts);
    // Where no batch was cut it is byte for byte what was there before.
    if !parts.last().is_some_and(|part| part.is_joined) {
        assert!(scene.log.0.starts_with(&log.0));
    }
    Forged { log, name: name(parts), fault: None }
}

/// What was withheld was something else.
fn withheld(scene: &Scene, random: &mut Random) -> Forged {
    let others: Vec<usize> =
        (1..scene.own.len()).filter(|at| matches!(scene.own[*at].sort, Sort::Other(_))).collect();
    let at = others[random.below(others.len())];
    let mut parts = scene.own.clone();
    parts[at].fields = message(random).fields;
    let forged = Forged::of(&parts);
    Forged { log: forged.log.redact(&[at as u64]), ..forged }
}

fn start_withheld(scene: &Scene, _: &mut Random) -> Forged {
    let (log, name) = (scene.log.redact(&[0]), name(&scene.own));
    Forged { log, name, fault: Some(("bad_entry", 0)) }
}

/// The entry after it tells; where there is none, whose log it says it is.
fn fork_withheld(scene: &Scene, random: &mut Random) -> Forged {
    let Some(fork) = fork_of(&scene.own) else { return start_withheld(scene, random) };
    let parts = &scene.own[..=fork + random.below(scene.own.len() - fork)];
    let log = log(parts).redact(&[fork as u64]);
    let is_last = fork + 1 == parts.len();
    let fault = (!is_last).then_some(("bad_entry", fork + 1));
    Forged { log, name: name(&parts[..fork]), fault }
}

fn renumbered(scene: &Scene, random: &mut Random) -> Forged {
    let mut rests = rests(&scene.own);
    let from = 1 + random.below(rests.len() - 1);
    let by = 1 + random.below(5);
    for (seq, rest) in rests.iter_mut().enumerate().skip(from) {
        *rest = rest.replacen(&format!(r#""seq":{seq},"#), &format!(r#""seq":{},"#, seq + by), 1);
    }
    Forged { log: Log::of(&rests), name: name(&scene.own), fault: Some(("bad_seq", from)) }
}

fn code(report: &Report) -> Option<&'static str> {
    report.fault.as_ref().map(|fault| fault.code())
}

#[test]
fn every_forgery_is_refused_by_who_knows_the_head() {
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for first in (0..FORGERIES).step_by(OF_ONE) {
        let scene = Scene::new((first / OF_ONE) as u64);
        let mut random = Random::new(first as u64);
        for number in first..first + OF_ONE {
            let (what, forge) = FORGES[number % FORGES.len()];
            let forged = forge(&scene, &mut random);
            assert!(forged.log != scene.log, "{number}, {what}: nothing was forged");
            let code = check(&scene, &forged, &format!("{number}, {what}"));
            if number % 10 == 0 {
                check_elsewhere(&scene, &forged, code, &format!("{number}, {what}"));
            }
            *counts.entry((what, code)).or_default() += 1;
        }
    }
    counts.iter().for_each(|((what, code), count)| println!("{what}: {count} × {code}"));
    println!("proof: {FORGERIES} forgeries refused");
    assert_eq!(counts.values().sum::<usize>(), FORGERIES);
    let is_refused = |(what, _): &(&str, Forge)| counts.keys().any(|(found, _)| found == what);
    assert!(FORGES.iter().all(is_refused));
}

/// The code it is refused with.
fn check(scene: &Scene, forged: &Forged, what: &str) -> &'static str {
    let Scene { own, head, .. } = scene;
    let Forged { log, name: forged_name, fault } = forged;
    let is_foreign = *forged_name != name(own);
    // The control: who knows nothing finds nothing wrong, and says how far it goes, not against what.
    let alone = deep(&log.0, &Expectation::default());
    match fault {
        None => {
            assert!(alone.is_whole(), "{what}: the forgery holds by itself: {alone:?}");
            let last = log.lines().len() as u64 - 1;
            assert_eq!(alone.head.map(|head| head.seq), Some(last), "{what}");
            assert_eq!(alone.session.as_ref().map(SessionId::as_str), Some(*forged_name), "{what}");
        }
        Some((code, line)) => {
            let fault = alone.fault.as_ref().unwrap_or_else(|| panic!("{what}: it holds"));
            let found = (fault.code(), fault.place().line, fault.place().offset);
            let (number, offset) = (*line as u64 + 1, log.offset(*line as u64 + 1));
            assert_eq!(found, (*code, Some(number), Some(offset)), "{what}: {fault}");
        }
    }
    let expected = match fault {
        Some((code, _)) => *code,
        None if is_foreign => "wrong_session",
        None => "head_mismatch",
    };
    let known = deep(&log.0, &expectation(own, Some(*head), true));
    assert_eq!(code(&known), Some(expected), "{what}: {known:?}");
    // Who knows the head alone. (A fork that was withheld as the last entry is still the head.)
    let by_head = deep(&log.0, &expectation(own, Some(*head), false));
    let is_head = alone.head.is_some_and(|found| found.hash == head.hash);
    let by_head_code = fault.map_or("head_mismatch", |(code, _)| code);
    assert!(code(&by_head) == Some(by_head_code) || is_head && alone.withheld == 1, "{what}");
    // Who knows the session alone hears of other sessions.
    let by_name = deep(&log.0, &expectation(own, None, true));
    let by_name_code = fault.map(|(code, _)| code).or(is_foreign.then_some("wrong_session"));
    assert_eq!(code(&by_name), by_name_code, "{what}");
    expected
}

/// The same as an archive, and in a store.
fn check_elsewhere(scene: &Scene, forged: &Forged, expected: &str, what: &str) {
    let known = expectation(&scene.own, Some(scene.head), true);
    if let Ok(archived) = archive(&forged.log.0) {
        let mut file = FileVerifier::new(known.clone());
        file.push(&archived);
        assert_eq!(code(&file.finish()), Some(expected), "{what}: archived");
    }
    let store = MemoryStore::new();
    let own = name(&scene.own);
    store.put(&log_key(own), &forged.log.0, &Condition::Absent).expect("a put");
    let report = drive(session::verify(id(own), known.head, true), &store).expect("a report");
    assert_eq!(code(&report), Some(expected), "{what}: in a store");
}
