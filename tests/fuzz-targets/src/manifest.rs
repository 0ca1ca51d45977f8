//! Manifests and anchors: what a tier's stores say of a session.

use std::sync::OnceLock;

use turnkeep::{MemoryStore, Store};
use turnkeep_core::log::Draft;
use turnkeep_core::session::tier::{self, Flush};
use turnkeep_core::session::{self, Create, Range, View};
use turnkeep_core::store::{Condition, Key, Part};
use turnkeep_core::{SessionId, sha256};

use crate::check::stable;
use crate::host::{Contents, Host, contents, store_of};
use crate::make;

/// The session that manifests here are of.
pub const SESSION: &str = "fuzzed";
/// Length of a line's start that an anchor's hash is of.
const IDENTITY: usize = 73;

/// A manifest's text after its hashes, in a cold store with the segments of a true one; and as the
/// anchor of a log. Whoever reads the session then gets entries that hold, or an error.
pub fn manifest(data: &[u8]) {
    let rest = make::rest(data.trim_ascii_end());
    let number = number(rest);
    let id = SessionId::new(SESSION).expect("an id");
    for prev in [None, Some(sha256(b"the one before"))] {
        let line = make::line(prev, rest);
        let mut host = host();
        let (key, log) = (Key::manifest(&id, number), Key::of(&id, Part::Log));
        host.cold.put(&key, &[&line[..], b"\n"].concat(), &Condition::Any).expect("a put");
        look(&mut host, &id);
        host.hot.put(&log, &anchor(&line), &Condition::Any).expect("a put");
        look(&mut host, &id);
    }
}

/// A host of the true session's segments and manifest.
fn host() -> Host {
    Host::of([MemoryStore::new(), store_of(&world().1), MemoryStore::new()])
}

/// The number that the manifest gives itself.
fn number(rest: &[u8]) -> u64 {
    let at = make::find(rest, br#""seq":"#).map_or(rest.len(), |at| at + 6);
    let digits = rest[at..].iter().take_while(|byte| byte.is_ascii_digit()).take(9);
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// An anchor that holds such a manifest, at the place it says its head is.
fn anchor(manifest: &[u8]) -> Vec<u8> {
    let after = |name: &[u8]| {
        let at = make::find(manifest, name).map_or(manifest.len(), |at| at + name.len());
        let digits = manifest[at..].iter().take_while(|byte| byte.is_ascii_digit()).take(15);
        digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    };
    let (seq, bytes) = (after(br#""head":{"seq":"#) + 1, after(br#","bytes":"#));
    let place = format!("{{\"seq\":{seq},\"bytes\":{bytes},\"nonce\":\"0000000000000007\"}}");
    let start = &manifest[..IDENTITY.min(manifest.len())];
    let hash = sha256(&[place.as_bytes(), start].concat());
    let start = format!("{{\"hash\":\"{hash}\",\"anchor\":{place},\"manifest\":");
    [start.as_bytes(), manifest, b"}\n"].concat()
}

/// Everything that reads a session; whether it could be read whole.
fn look(host: &mut Host, id: &SessionId) -> bool {
    for is_back in [false, true] {
        let range = Range::last(5);
        let range = if is_back { range.newest_first() } else { range };
        match host.run(session::read(id.clone(), range)) {
            Err(error) => stable(&error),
            Ok(page) => {
                assert_eq!(page.seqs.len() as u64, page.entries);
                chained(&page.lines, is_back);
            }
        }
    }
    let verified = host.run(session::verify(id.clone(), None, true));
    let folded = host.run(session::state(id.clone(), View::default()));
    let is_whole = verified.as_ref().is_ok_and(|report| report.fault.is_none());
    let is_sound = is_whole && verified.as_ref().is_ok_and(|report| report.entry_fault.is_none());
    assert!(folded.is_err() || is_sound, "it folds and does not verify: {verified:?}");
    _ = host.run(session::summary(id.clone())).inspect_err(stable);
    _ = host.run(tier::slice(id.clone())).inspect_err(stable);
    _ = host.run(tier::sessions(None, 10)).inspect_err(stable);
    _ = host.run(tier::pull(id.clone())).inspect_err(stable);
    if let Ok(hydrated) = host.run(tier::hydrate(id.clone())).inspect_err(stable) {
        let append = session::Append::from([Draft::user_input("\"on\"")]);
        _ = host.run(session::append(hydrated.session, append)).inspect_err(stable);
        _ = host.run(tier::flush(id.clone(), Flush::default())).inspect_err(stable);
    }
    is_whole
}

/// Each line's hash is right, and follows the one before it.
fn chained(lines: &[u8], is_back: bool) {
    let mut lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    lines.pop();
    if is_back {
        lines.reverse();
    }
    let mut before: Option<String> = None;
    for line in lines {
        let text = std::str::from_utf8(line).expect("UTF-8");
        let prev = text[87..].strip_prefix('"').map(|rest| &rest[..64]);
        if before.is_some() {
            assert_eq!(prev, before.as_deref());
        }
        let known = prev.map(|prev| prev.parse().expect("a hash"));
        before = Some(make::hash(known, make::rest(line)).to_string());
        assert_eq!(text.get(9..73), before.as_deref());
    }
}

/// A flushed session's objects: the rest of its manifest, and all there is.
///
/// # Panics
///
/// Never: nothing in it fails.
pub fn world() -> &'static (Vec<u8>, Contents) {
    static WORLD: OnceLock<(Vec<u8>, Contents)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut host = Host::default();
        let id = SessionId::new(SESSION).expect("an id");
        let mut session = host.done(session::create(Create::default().with_id(id.clone())));
        for turn in 0..3 {
            let text = "a tool's output ".repeat(1000);
            let drafts = [
                Draft::user_input("\"Hi\"").with_text("id", &format!("m{turn}")),
                Draft::assistant_item(&format!("\"{text}\"")),
                Draft::state(&format!("{{\"turn\":{turn}}}")),
            ];
            session = host.done(session::append(session, drafts)).session;
        }
        host.done(session::set_about(
            id.clone(),
            session::About::new(Some("T".into()), Vec::new()),
        ));
        host.done(tier::flush(id.clone(), Flush::default()));
        let session = host.done(tier::hydrate(id.clone())).session;
        host.done(session::append(session, [Draft::user_input("\"more\"")]));
        host.done(tier::flush(id.clone(), Flush::default()));
        let newest = host.cold.list(&Key::manifests(&id), None, 1).expect("a listing");
        let key = &newest.objects.first().expect("a manifest").0;
        let manifest = host.cold.get(key, None).expect("a manifest").bytes;
        let rest = make::rest(manifest.trim_ascii_end()).to_vec();
        (rest, contents(&host.cold))
    })
}

/// The true session is read whole, which shows that others fail for what they say.
///
/// # Panics
///
/// Where it cannot.
pub fn sound() {
    let mut host = host();
    let id = SessionId::new(SESSION).expect("an id");
    assert!(look(&mut host, &id), "the true manifest is believed");
}
