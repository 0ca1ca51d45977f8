//! The store that lies.

use turnkeep_core::store::{Key, Listing, Object, Reply, Request, StageId};
use turnkeep_core::{Error, ErrorKind};

use super::world::host;
use crate::host::Host;
use crate::input::Input;

/// How often it goes on as it last did: an operation that does not end by then never does.
const REPEATED_MAX: u32 = 2_000;

/// Answers requests, as some bytes decide.
#[derive(Debug)]
pub(super) struct Liar<'a> {
    host: Host,
    choices: Input<'a>,
    ending: Ending,
    /// The last choice, where it is made for ever.
    last: Option<(u8, Input<'a>)>,
    repeated: u32,
    has_lied: bool,
    told: Vec<(Wrote, Key)>,
    given: Vec<Key>,
    stages: Vec<(StageId, Key)>,
}

/// What becomes of the answers once nothing decides any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    True,
    Failing,
    Repeating,
}

/// What the store said that it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    Bytes,
    Sync,
    Removal,
}

impl<'a> Liar<'a> {
    pub(super) fn new(mut choices: Input<'a>) -> Self {
        let ending = [Ending::True, Ending::Failing, Ending::Repeating][choices.below(3)];
        let (told, given, stages) = (Vec::new(), Vec::new(), Vec::new());
        let (last, repeated, has_lied) = (None, 0, false);
        Self { host: host(), choices, ending, last, repeated, has_lied, told, given, stages }
    }

    /// Whether any answer was not what a sound store would give.
    pub(super) fn has_lied(&self) -> bool {
        self.has_lied
    }

    /// Whether it said that it did that to this object.
    pub(super) fn told(&self, what: Wrote, key: &Key) -> bool {
        self.told.iter().any(|(told, of)| *told == what && of == key)
    }

    /// Whether it said that it did that to any object.
    pub(super) fn told_any(&self, what: Wrote) -> bool {
        self.told.iter().any(|(told, _)| *told == what)
    }

    /// Whether it gave bytes of this object.
    pub(super) fn has_given(&self, key: &Key) -> bool {
        self.given.contains(key)
    }

    /// Whether it gave bytes of an object whose key starts so, or said that it wrote one.
    pub(super) fn has_seen(&self, start: &str) -> bool {
        let told = self.told.iter().map(|(_, key)| key);
        self.given.iter().chain(told).any(|key| key.as_str().starts_with(start))
    }

    pub(super) fn answer(&mut self, request: Request) -> Reply {
        let key = self.key_of(&request);
        let reply = self.choose(request.clone());
        self.note(request, key, &reply);
        reply
    }

    /// The object that a request is about.
    fn key_of(&self, request: &Request) -> Option<Key> {
        match request {
            Request::Put { key, .. }
            | Request::Append { key, .. }
            | Request::Sync { key }
            | Request::Delete { key, .. }
            | Request::Stage { key }
            | Request::Get { key, .. } => Some(key.clone()),
            Request::Commit { stage, .. } => {
                let stages = self.stages.iter().rev();
                stages.clone().find(|(known, _)| known == stage).map(|(_, key)| key.clone())
            }
            Request::Cold(request) | Request::Bundle(request) => self.key_of(request),
            _ => None,
        }
    }

    /// Takes note of what the store said.
    fn note(&mut self, request: Request, key: Option<Key>, reply: &Reply) {
        let Some(key) = key else { return };
        match (request, reply) {
            (Request::Cold(request) | Request::Bundle(request), _) => {
                self.note(*request, Some(key), reply);
            }
            (Request::Get { .. }, Reply::Object(_)) => self.given.push(key),
            (Request::Stage { .. }, Reply::Stage(stage)) => self.stages.push((stage.clone(), key)),
            (Request::Sync { .. }, Reply::Done) => self.told.push((Wrote::Sync, key)),
            (Request::Delete { .. }, Reply::Done) => self.told.push((Wrote::Removal, key)),
            (_, Reply::Info(_)) => self.told.push((Wrote::Bytes, key)),
            _ => {}
        }
    }

    fn choose(&mut self, request: Request) -> Reply {
        if !self.choices.is_empty() {
            let choice = self.choices.byte();
            self.last = Some((choice, self.choices.clone()));
            let mut choices = self.choices.clone();
            let reply = self.reply(request, choice, &mut choices);
            self.choices = choices;
            return reply;
        }
        match (self.ending, self.last.clone()) {
            (Ending::Failing, _) => {
                self.has_lied = true;
                Reply::Failed(Error::new(ErrorKind::StoreFailed, "it fails from here on"))
            }
            (Ending::Repeating, Some((choice, mut choices))) => {
                self.repeated += 1;
                assert!(self.repeated < REPEATED_MAX, "it asks for ever: {request:?}");
                self.reply(request, choice, &mut choices)
            }
            _ => self.host.answer(request),
        }
    }

    fn reply(&mut self, request: Request, choice: u8, choices: &mut Input<'_>) -> Reply {
        if choice < 128 {
            return self.host.answer(request);
        }
        self.has_lied = true;
        match choice % 16 {
            0 => Reply::Failed(failure(choices)),
            1 => Reply::Done,
            2 => Reply::Failed(Error::new(ErrorKind::NotFound, "there is none")),
            3 => Reply::Failed(Error::new(ErrorKind::Conflict, "someone else wrote")),
            // It was done, and is said not to be.
            4 => {
                self.host.answer(request);
                Reply::Failed(failure(choices))
            }
            // It was not done, and is said to be.
            5 => match Host::default().answer(request) {
                Reply::Failed(_) => Reply::Done,
                reply => reply,
            },
            6 => self.another(request, choices),
            _ => changed(self.host.answer(request), choices),
        }
    }

    /// The bytes of another object, or of another range.
    fn another(&mut self, request: Request, choices: &mut Input<'_>) -> Reply {
        match request {
            Request::Cold(request) => self.host.answer(*request),
            Request::Get { key, range } if choices.byte() & 1 == 0 => {
                let start = choices.number();
                let range = range.map(|range| start..start.saturating_add(range.end - range.start));
                self.host.answer(Request::Get { key, range })
            }
            // The same listing again, from its start.
            Request::List { prefix, limit, .. } => {
                let reply = self.host.answer(Request::List { prefix, after: None, limit });
                match reply {
                    Reply::Listing(listing) => Reply::Listing(Listing { more: true, ..listing }),
                    other => other,
                }
            }
            Request::Get { range, .. } => {
                let keys = super::world::keys();
                let key = keys[choices.below(keys.len())].clone();
                self.host.answer(Request::Get { key, range })
            }
            request => self.host.answer(Request::Cold(Box::new(request))),
        }
    }
}

fn failure(choices: &mut Input<'_>) -> Error {
    let kind = ErrorKind::ALL[choices.below(ErrorKind::ALL.len())];
    let error = Error::new(kind, "as the fuzzer wants it");
    if choices.byte() & 1 == 0 { error } else { error.retryable() }
}

/// A true answer, with something else in it.
fn changed(reply: Reply, choices: &mut Input<'_>) -> Reply {
    match reply {
        Reply::Object(mut object) => {
            change(&mut object, choices);
            Reply::Object(object)
        }
        Reply::Info(mut info) => {
            match choices.below(3) {
                0 => info.bytes = choices.number(),
                1 => info.version = choices.number().to_string(),
                _ => info.modified_ms = Some(choices.number()),
            }
            Reply::Info(info)
        }
        Reply::Listing(mut listing) => {
            match choices.below(5) {
                0 => listing.more = !listing.more,
                1 => listing.objects.reverse(),
                2 => listing.objects.truncate(choices.below(4)),
                3 => listing.objects.iter_mut().for_each(|(_, info)| info.bytes = choices.number()),
                _ => {
                    let keys = super::world::keys();
                    let key = keys[choices.below(keys.len())].clone();
                    listing.objects.push((key, Default::default()));
                }
            }
            Reply::Listing(listing)
        }
        Reply::Stamp(mut stamp) => {
            match choices.byte() & 1 {
                0 => stamp.now_ms = choices.number(),
                _ => stamp.random.truncate(choices.below(20)),
            }
            Reply::Stamp(stamp)
        }
        other => other,
    }
}

fn change(object: &mut Object, choices: &mut Input<'_>) {
    let length = object.bytes.len();
    let at = choices.below(length.max(1));
    match choices.below(6) {
        0 if length > 0 => object.bytes[at] ^= 1 << choices.below(8),
        1 => object.bytes.truncate(at),
        2 => object.bytes.extend_from_slice(choices.bytes(20)),
        3 => {
            let piece = choices.bytes(8);
            object.bytes.splice(at..at, piece.iter().copied());
        }
        4 => object.info.bytes = choices.number(),
        _ => object.info.version = choices.number().to_string(),
    }
}
