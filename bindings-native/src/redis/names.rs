//! What Redis calls things (`scripts/README.md`).

use turnkeep_core::store::{Key, Part, StageId};

/// In the order of the README.
const PARTS: [Part; 6] =
    [Part::Log, Part::Archive, Part::Recovery, Part::About, Part::Trace, Part::Retention];

/// The names of one store.
#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// An object's name. What stands in braces decides a cluster's slot: all objects of a session
    /// have the same.
    pub(super) fn object(&self, key: &Key) -> String {
        let (tag, rest) = key.as_str().split_at(tag_length(key));
        format!("{}{{{tag}}}{rest}", self.prefix)
    }

    /// An object's name and its version's.
    pub(super) fn pair(&self, key: &Key) -> Vec<String> {
        let object = self.object(key);
        let version = format!("{object}:v");
        vec![object, version]
    }

    /// What expires together with an object of a session: the pairs of all of that session's.
    pub(super) fn session(&self, key: &Key) -> Vec<String> {
        let Some((session, _)) = key.session() else { return Vec::new() };
        PARTS.iter().flat_map(|part| self.pair(&Key::of(&session, *part))).collect()
    }

    /// The name of a stage for an object.
    pub(super) fn stage(&self, key: &Key, nonce: &str) -> String {
        format!("{}:stage:{nonce}", self.object(key))
    }

    /// The index of all keys, and when each was last about to be created.
    pub(super) fn index(&self) -> [String; 2] {
        let index = format!("{}{{#index}}", self.prefix);
        let seen = format!("{index}:seen");
        [index, seen]
    }
}

fn tag_length(key: &Key) -> usize {
    key.session().map_or(key.as_str().len(), |(session, _)| session.encoded().len())
}

/// A stage's id tells whose it is.
pub(super) fn stage_id(key: &Key, nonce: &str) -> StageId {
    StageId(format!("{key}:{nonce}"))
}

/// What [`stage_id`] put together.
pub(super) fn of_stage(stage: &StageId) -> Option<(Key, &str)> {
    let (key, nonce) = stage.0.rsplit_once(':')?;
    Some((Key::parse(key).ok()?, nonce))
}

/// A name's slot in a cluster: of what stands in its first braces, or of all of it.
pub(super) fn slot(name: &str) -> u16 {
    let braced = name.split_once('{').and_then(|(_, rest)| Some(rest.split_once('}')?.0));
    crc16(braced.filter(|tag| !tag.is_empty()).unwrap_or(name).as_bytes()) % 16384
}

/// CRC-16/XMODEM, which Redis takes.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let crc = crc ^ (u16::from(*byte) << 8);
        (0..8).fold(crc, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use turnkeep_core::SessionId;

    use super::*;

    #[test]
    fn a_session_has_one_slot_and_each_object_a_name() {
        let names = Names::new("p".into());
        let id = SessionId::new("Über/1").unwrap();
        let key = Key::of(&id, Part::Archive);
        assert_eq!(names.object(&key), format!("p{{{}}}.jsonl.gz", id.encoded()));
        let all = names.session(&key);
        assert_eq!(all.len(), 12);
        assert!(all.iter().all(|name| slot(name) == slot(&all[0])));
        let other = Key::parse("a/b.json").unwrap();
        assert_eq!(names.object(&other), "p{a/b.json}");
        assert!(names.session(&other).is_empty());
    }

    #[test]
    fn slots_are_those_of_redis() {
        // From the specification of Redis Cluster, and CLUSTER KEYSLOT.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot("foo"), 12182);
        assert_eq!(slot("x{foo}y{bar}"), 12182);
        assert_eq!(slot("{}foo"), crc16(b"{}foo") % 16384);
    }

    #[test]
    fn a_stage_tells_whose_it_is() {
        let key = Key::parse("a.jsonl.gz").unwrap();
        let stage = stage_id(&key, "ff");
        assert_eq!(of_stage(&stage), Some((key, "ff")));
        assert_eq!(of_stage(&StageId("nothing".into())), None);
    }
}
