//! Thread snapshots of zeitlich (version 1): one JSON object of a whole thread, gzipped or not.
//!
//! A thread's messages are strings, mostly JSON, and come back byte for byte. In a session each is an
//! item; one that is not JSON on one line is wrapped.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::entry::utf8;
use crate::field;
use crate::gzip::deflate::Deflater;
use crate::gzip::{Bound, Reader, crc32};
use crate::item::kind_of;
use crate::json::{self, Object, push_text};
use crate::kind::Kind;
use crate::limits::{ITEM_ID_BYTES_MAX, SNAPSHOT_BYTES_MAX};
use crate::log::Draft;
use crate::state::{Item, State};
use crate::{Error, ErrorKind, Result, SessionId};

/// What a wrapped message starts with.
const WRAPPED: &str = r#"{"zeitlich_text":"#;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The members of a snapshot.
pub(crate) const MEMBERS: [&str; 4] = ["v", "messages", "state", "dedupIds"];

/// A thread as zeitlich keeps it in its cold store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The messages as they stood in its Redis list.
    pub messages: Vec<String>,
    /// Its state slice, as JSON.
    pub state: Option<String>,
    /// The messages' ids, in their order; none where it did not know them.
    pub dedup_ids: Vec<String>,
}

impl Snapshot {
    /// Reads a snapshot; whether it is gzipped, its first bytes tell. `unsupported_version` where it
    /// is not of version 1, `bad_entry` or `bad_json` where it is none.
    ///
    /// ```
    /// use turnkeep_core::zeitlich::Snapshot;
    /// let json = br#"{"v":1,"messages":["{\"id\":\"m1\"}"],"state":null,"dedupIds":["m1"]}"#;
    /// let snapshot = Snapshot::read(json)?;
    /// assert_eq!(snapshot.messages, [r#"{"id":"m1"}"#]);
    /// assert_eq!(Snapshot::read(&snapshot.write(true))?, snapshot);
    /// # Ok::<_, turnkeep_core::Error>(())
    /// ```
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let json = match bytes.starts_with(&GZIP_MAGIC) {
            true => Cow::Owned(inflated(bytes)?),
            false => Cow::Borrowed(bytes),
        };
        Self::parse(&json, usize::MAX).map(|(snapshot, _)| snapshot)
    }

    /// The same of its JSON, with the names of members that a snapshot has not. `too_large` where it
    /// has more messages than `most`.
    pub(crate) fn parse(json: &[u8], most: usize) -> Result<(Self, Vec<String>)> {
        // Line breaks stand between values only: in strings they are escaped.
        let text = utf8(json)?.replace(['\n', '\r'], " ");
        let not_json = || Error::new(ErrorKind::BadJson, "the snapshot is no JSON object");
        let object = Object::of(&text).ok_or_else(not_json)?;
        match object.get("v") {
            Some("1") => {}
            Some(version) => {
                let message =
                    format!("the file is of a newer zeitlich: it has version {version:.20}, not 1");
                return Err(Error::new(ErrorKind::UnsupportedVersion, message));
            }
            None => return Err(bad("the snapshot has no version")),
        }
        let state = object.get("state").filter(|state| *state != "null");
        if state.is_some_and(|state| !state.starts_with('{')) {
            return Err(bad("state is not an object"));
        }
        let snapshot = Self {
            messages: texts(&object, "messages", most)?,
            state: state.map(ToString::to_string),
            dedup_ids: texts(&object, "dedupIds", most)?,
        };
        let mut known = MEMBERS.to_vec();
        let others = object.iter().filter(|(name, _)| {
            let place = known.iter().position(|known| known == name);
            place.map(|place| known.swap_remove(place)).is_none()
        });
        Ok((snapshot, others.map(|(name, _)| name.to_string()).collect()))
    }

    /// The snapshot as zeitlich writes it, gzipped or not.
    #[must_use]
    pub fn write(&self, gzipped: bool) -> Vec<u8> {
        let mut json = String::from(r#"{"v":1,"messages":"#);
        push_texts(&mut json, &self.messages);
        json.push_str(r#","state":"#);
        json.push_str(self.state.as_deref().unwrap_or("null"));
        json.push_str(r#","dedupIds":"#);
        push_texts(&mut json, &self.dedup_ids);
        json.push('}');
        let json = json.into_bytes();
        if gzipped { gzip(&json) } else { json }
    }

    /// The snapshot of a session that holds a thread.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let messages = state.history.iter().map(|item| message_of(&item.item).into_owned());
        let ids: Option<Vec<_>> = state.history.iter().map(|item| item.id.clone()).collect();
        Self {
            messages: messages.collect(),
            state: state.slice.clone(),
            dedup_ids: ids.unwrap_or_default(),
        }
    }

    /// What has to be appended to a session for it to hold this snapshot: messages that are there
    /// already are not among it. `bad_entry` where the ids are not those of the messages.
    pub fn changes(&self, state: &State) -> Result<Vec<Draft>> {
        if !self.dedup_ids.is_empty() && self.dedup_ids.len() != self.messages.len() {
            return Err(bad("there are not as many ids as messages"));
        }
        let is_same = |(index, item): &(usize, &Item)| {
            self.messages.get(*index).is_some_and(|message| message_of(&item.item) == *message)
                && self.dedup_ids.get(*index).is_none_or(|id| is_known_as(item, id))
        };
        let kept = state.history.iter().enumerate().take_while(is_same).count();
        let mut drafts = Vec::new();
        if kept < state.history.len() {
            drafts.push(Draft::new("truncated").with_count("keep", kept as u64));
        }
        for (index, message) in self.messages.iter().enumerate().skip(kept) {
            let draft = draft_of(message);
            let id = self.dedup_ids.get(index).filter(|id| fits(id));
            drafts.push(match id {
                Some(id) => draft.with_text("id", id),
                None => draft,
            });
        }
        if self.state != state.slice {
            drafts.push(Draft::state(self.state.as_deref().unwrap_or("null")));
        }
        Ok(drafts)
    }
}

/// The session that holds a thread. No two threads share one.
///
/// ```
/// use turnkeep_core::zeitlich::session_id;
/// assert_ne!(session_id("a", "b/c")?, session_id("a/b", "c")?);
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
pub fn session_id(thread_key: &str, thread_id: &str) -> Result<SessionId> {
    let key = thread_key.replace('%', "%25").replace('/', "%2f");
    SessionId::new(format!("{key}/{thread_id}"))
}

/// Two GiB are too many for tests.
pub(crate) const INFLATED_BYTES_MAX: u64 =
    if cfg!(test) { SNAPSHOT_BYTES_MAX >> 7 } else { SNAPSHOT_BYTES_MAX };

/// What a gzipped snapshot holds. What tools print may shrink to nothing: no ratio bounds it.
fn inflated(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let bound = Bound { output_bytes: INFLATED_BYTES_MAX };
    let mut reader = Reader::new(bound).of_any_ratio();
    reader.push(bytes, |piece| {
        out.extend_from_slice(piece);
        Ok(())
    })?;
    reader.finish()?;
    Ok(out)
}

/// The texts that a member lists.
fn texts(object: &Object<'_>, name: &str, most: usize) -> Result<Vec<String>> {
    let list = object.get(name).filter(|list| list.starts_with('['));
    let list = list.ok_or_else(|| bad(&format!("{name} is not a list")))?;
    let too_many = || {
        let message = format!("{name} has more than {most} elements");
        Error::new(ErrorKind::TooLarge, message)
    };
    let list = json::elements_up_to(list, most).ok_or_else(too_many)?;
    let text = |(index, value): (usize, &str)| {
        let text = field::text(value).map(Cow::into_owned);
        text.ok_or_else(|| bad(&format!("{name}[{index}] is not a string")))
    };
    list.into_iter().enumerate().map(text).collect()
}

fn bad(message: &str) -> Error {
    Error::new(ErrorKind::BadEntry, message)
}

fn push_texts(json: &mut String, texts: &[String]) {
    json.push('[');
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_text(json, text);
    }
    json.push(']');
}

/// An id that an item can have.
fn fits(id: &str) -> bool {
    (1..=ITEM_ID_BYTES_MAX).contains(&id.len())
}

fn is_known_as(item: &Item, id: &str) -> bool {
    item.id.as_deref() == Some(id) || !fits(id) && item.id.is_none()
}

/// A message as an item: as it is where it is JSON on one line.
fn draft_of(message: &str) -> Draft {
    let is_plain = message.trim() == message && !message.starts_with(WRAPPED);
    let plain = Some(item_of(message)).filter(|_| is_plain);
    let plain = plain.filter(|draft| draft.as_str().parse::<Draft>().is_ok());
    plain.unwrap_or_else(|| {
        let mut item = String::from(WRAPPED);
        push_text(&mut item, message);
        item.push('}');
        Draft::system_item(&item)
    })
}

/// The draft of an item. Where it is an envelope, the message in it tells the kind.
fn item_of(message: &str) -> Draft {
    let inner = Object::of(message).filter(|_| kind_of(message) == Kind::SystemItem);
    let inner = inner.and_then(|envelope| {
        let inner = ["message", "content"].iter().find_map(|name| envelope.get(name));
        inner.filter(|inner| inner.starts_with('{'))
    });
    match inner.map(inner_kind) {
        Some(kind) if kind != Kind::SystemItem => Draft::new(kind.name()).with("item", message),
        _ => Draft::item(message),
    }
}

/// The kind of a message in an envelope. Google's results of tools are parts of the user's message.
fn inner_kind(inner: &str) -> Kind {
    let parts = Object::of(inner).map(|inner| inner.elements("parts")).unwrap_or_default();
    let mut parts = parts.into_iter().filter_map(Object::of);
    match parts.any(|part| part.get("functionResponse").is_some()) {
        true => Kind::ToolResult,
        false => kind_of(inner),
    }
}

/// The message that an item is.
fn message_of(item: &str) -> Cow<'_, str> {
    let wrapped = item.strip_prefix(WRAPPED).and_then(|rest| rest.strip_suffix('}'));
    wrapped.and_then(field::text).unwrap_or(Cow::Borrowed(item))
}

/// One gzip member, whose header is that of zeitlich's own.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].to_vec();
    Deflater::default().block(content, &mut bytes);
    // An empty last block ends the stream.
    bytes.extend_from_slice(&[3, 0]);
    bytes.extend_from_slice(&crc32(0, content).to_le_bytes());
    bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionId;
    use crate::log::{Stamp, Writer};

    fn state_of(drafts: &[Draft], log: &mut Vec<u8>, writer: &mut Writer) -> State {
        if !drafts.is_empty() || log.is_empty() {
            let batch = writer.write(drafts, &Stamp::default()).unwrap();
            writer.advance(batch.head);
            log.extend(batch.bytes);
        }
        State::fold(log).unwrap()
    }

    fn snapshot(messages: &[&str], ids: &[&str], state: Option<&str>) -> Snapshot {
        Snapshot {
            messages: messages.iter().map(ToString::to_string).collect(),
            state: state.map(ToString::to_string),
            dedup_ids: ids.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn every_message_comes_back_byte_for_byte_and_only_changes_are_written() {
        let odd = [
            r#"{"id":"m1","message":{"role":"user","content":"hi"}}"#,
            "not json",
            " {\"padded\":1} ",
            "{\n  \"pretty\": true\n}",
            r#"{"zeitlich_text":"already"}"#,
            "",
            "7",
            "\"text\"",
            "null",
            r#"{"a":1,"a":2,"n":9007199254740993,"x":"\ud800"}"#,
        ];
        let mut writer = Writer::create(SessionId::new("t").unwrap(), false);
        let mut log = Vec::new();
        let mut state = state_of(&[], &mut log, &mut writer);
        for count in [0, 1, 3, 10, 10, 4, 10] {
            let ids: Vec<_> = (0..count).map(|n| format!("m{n}")).collect();
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            let slice = format!("{{\"count\":{count}}}");
            let wanted = snapshot(&odd[..count], &ids, (count > 0).then_some(&*slice));
            let drafts = wanted.changes(&state).unwrap();
            state = state_of(&drafts, &mut log, &mut writer);
            assert_eq!(Snapshot::of(&state), wanted, "{count}");
            assert_eq!(wanted.changes(&state).unwrap(), [], "{count}");
            for gzipped in [false, true] {
                assert_eq!(Snapshot::read(&wanted.write(gzipped)).unwrap(), wanted);
            }
        }
        let longer = snapshot(&[&odd[..], &["new"]].concat(), &[], Some("{\"count\":10}"));
        assert_eq!(longer.changes(&state).unwrap().len(), 1);
    }

    #[test]
    fn the_message_in_an_envelope_tells_its_kind() {
        for (message, kind) in [
            (r#"{"id":"a","message":{"role":"user","content":"x"}}"#, "user_input"),
            (r#"{"id":"a","message":{"role":"assistant","content":[]}}"#, "assistant_item"),
            (
                r#"{"id":"a","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}}"#,
                "tool_result",
            ),
            (r#"{"id":"a","content":{"role":"user","parts":[{"text":"x"}]}}"#, "user_input"),
            (r#"{"id":"a","content":{"role":"model","parts":[]}}"#, "assistant_item"),
            (
                r#"{"id":"a","content":{"role":"user","parts":[{"functionResponse":{"name":"f"}}]}}"#,
                "tool_result",
            ),
            (r#"{"id":"a","message":{"role":"system"}}"#, "system_item"),
            (r#"{"id":"a","message":"x"}"#, "system_item"),
        ] {
            let wanted = snapshot(&[message], &["a"], None);
            let mut writer = Writer::create(SessionId::new("t").unwrap(), false);
            let drafts = wanted.changes(&State::default()).unwrap();
            let state = state_of(&drafts, &mut Vec::new(), &mut writer);
            assert_eq!((state.history[0].kind, &*state.history[0].item), (kind, message));
            assert_eq!(Snapshot::of(&state), wanted);
            assert_eq!(wanted.changes(&state).unwrap(), []);
            // One that was written before kinds were told so is the same message.
            let mut writer = Writer::create(SessionId::new("t").unwrap(), false);
            let before = [Draft::system_item(message).with_text("id", "a")];
            let state = state_of(&before, &mut Vec::new(), &mut writer);
            assert_eq!(wanted.changes(&state).unwrap(), []);
        }
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_its_place() {
        for (json, code) in [
            ("", "bad_json"),
            ("[]", "bad_json"),
            ("{}", "bad_entry"),
            (r#"{"v":2,"messages":[],"state":null,"dedupIds":[]}"#, "unsupported_version"),
            (r#"{"v":1,"messages":{},"state":null,"dedupIds":[]}"#, "bad_entry"),
            (r#"{"v":1,"messages":["a",7],"state":null,"dedupIds":[]}"#, "bad_entry"),
            (r#"{"v":1,"messages":[],"state":7,"dedupIds":[]}"#, "bad_entry"),
            (r#"{"v":1,"messages":[],"state":null}"#, "bad_entry"),
        ] {
            assert_eq!(Snapshot::read(json.as_bytes()).unwrap_err().code(), code, "{json}");
        }
        let mut gzipped = snapshot(&["a"], &[], None).write(true);
        gzipped.truncate(gzipped.len() - 3);
        assert_eq!(Snapshot::read(&gzipped).unwrap_err().code(), "gzip_truncated");
        let two = snapshot(&["a", "b"], &["m1"], None);
        assert_eq!(two.changes(&State::default()).unwrap_err().code(), "bad_entry");
    }
}
