//! Operations of the core under way: one task, or some that follow one another.

use turnkeep_core::import::{self, File, Format};
use turnkeep_core::log::Draft;
use turnkeep_core::session::tier::{self, Collect, Flush, Hot};
use turnkeep_core::session::{
    self, Append, At, Compact, Create, Fork, Import, Policy, Range, Session,
};
use turnkeep_core::store::{Durability, Reply, Request};
use turnkeep_core::task::{RequestId, Step, Task};
use turnkeep_core::{Error, ErrorKind, Result, SessionId, sha256};

use crate::plan::{DAY_MS, IMPORTED_BYTES, Kept, SESSIONS, What};
use crate::text::{text_of, texts_in};

/// What an operation ended with.
#[derive(Debug, Clone, Default)]
pub(crate) struct End {
    /// Why it failed.
    pub(crate) error: Option<Error>,
    /// The session as it is afterwards, for whoever goes on with it.
    pub(crate) session: Option<Session>,
    /// What was said in it, where it was read.
    pub(crate) texts: Option<Vec<String>>,
}

/// An operation under way.
pub(crate) trait Operation {
    /// Goes on; the requests that are new. Empty while others are out, or it is over.
    fn next(&mut self) -> Vec<(RequestId, Request)>;
    /// Answers one.
    fn reply(&mut self, id: RequestId, reply: Reply);
    /// How it ended, once it did.
    fn end(&mut self) -> Option<End>;
}

type Then<T> = Box<dyn FnOnce(T) -> Next>;

/// What follows a task.
pub(crate) enum Next {
    Ended(Box<End>),
    Goes(Box<dyn Operation>),
}

struct Of<T> {
    task: Option<Task<T>>,
    then: Option<Then<T>>,
    goes_on: Option<Box<dyn Operation>>,
    end: Option<End>,
    /// What replies name: those to an earlier task are for nobody.
    base: RequestId,
}

/// Requests of one task have numbers below that.
const IDS: RequestId = 1 << 16;

/// A task, and what follows it.
#[must_use]
pub(crate) fn of<T: 'static>(
    task: Task<T>,
    then: impl FnOnce(T) -> Next + 'static,
) -> Box<dyn Operation> {
    let (then, task): (Option<Then<T>>, _) = (Some(Box::new(then)), Some(task));
    Box::new(Of { task, then, goes_on: None, end: None, base: 0 })
}

impl<T> Operation for Of<T> {
    fn next(&mut self) -> Vec<(RequestId, Request)> {
        if let Some(task) = &mut self.task {
            let result = match task.next() {
                Step::Requests(requests) => return requests,
                Step::Done(result) => result,
            };
            self.task = None;
            match (result, self.then.take()) {
                (Ok(value), Some(then)) => match then(value) {
                    Next::Ended(end) => self.end = Some(*end),
                    Next::Goes(operation) => {
                        self.goes_on = Some(operation);
                        self.base = IDS;
                    }
                },
                (Err(error), _) => self.end = Some(End { error: Some(error), ..End::default() }),
                (Ok(_), None) => self.end = Some(End::default()),
            }
        }
        let base = self.base;
        let requests = self.goes_on.as_mut().map(|operation| operation.next());
        requests.unwrap_or_default().into_iter().map(|(id, request)| (id + base, request)).collect()
    }

    fn reply(&mut self, id: RequestId, reply: Reply) {
        match (&mut self.task, &mut self.goes_on) {
            (Some(task), _) => task.reply(id, reply),
            (None, Some(operation)) if id >= self.base => operation.reply(id - self.base, reply),
            _ => {}
        }
    }

    fn end(&mut self) -> Option<End> {
        match &mut self.goes_on {
            Some(operation) => operation.end(),
            None => self.end.clone(),
        }
    }
}

/// It is over.
#[must_use]
pub(crate) fn ended(end: End) -> Next {
    Next::Ended(Box::new(end))
}

/// Nothing follows.
pub(crate) fn done<T>(_: T) -> Next {
    ended(End::default())
}

fn with_session(session: Session) -> Next {
    ended(End { session: Some(session), ..End::default() })
}

/// An id of [`SESSIONS`].
///
/// # Panics
///
/// Where there is no such session.
#[must_use]
pub(crate) fn id(session: usize) -> SessionId {
    SESSIONS[session].parse().unwrap_or_else(|error| panic!("{error}"))
}

/// Begins what an act is; `at_hand`: the session as the host knows it from before.
#[must_use]
pub(crate) fn begin(
    number: u64,
    what: What,
    kept: Kept,
    at_hand: Option<Session>,
) -> Option<Box<dyn Operation>> {
    let is_tier = kept == Kept::Tier;
    Some(match what {
        What::Create(session) => {
            let create = Create::default().with_id(id(session)).with_durability(Durability::Disk);
            of(cold(is_tier, session::create(create)), with_session)
        }
        What::Append { session, says, shares, entries, bytes, durability, anew, once } => {
            let draft = |entry| {
                let id_of = shares.filter(|_| entry == 0).unwrap_or(says);
                Draft::new("user_input")
                    .with_text("item", &text_of(says, entry, bytes))
                    .with_text("id", &format!("{id_of}-{entry}"))
            };
            let drafts: Vec<Draft> = (0..entries).map(draft).collect();
            let mut append = Append::from(drafts).with_durability(durability);
            append.once = once;
            let appending = move |opened: Session| {
                let task = cold(is_tier, session::append(opened, append));
                of(task, |appended| with_session(appended.session))
            };
            match at_hand {
                Some(opened) if !anew => appending(opened),
                _ => of(cold(is_tier, session::open(id(session))), |opened| {
                    Next::Goes(appending(opened))
                }),
            }
        }
        What::Sync(_) => of(session::sync(&at_hand?), done),
        What::Archive(session) => of(cold(is_tier, session::archive(id(session))), done),
        What::Restore(session) => of(cold(is_tier, session::restore(id(session))), done),
        What::Prune(session) => {
            of(cold(is_tier, session::prune(id(session), "to make room")), done)
        }
        What::Sweep { prunes } => {
            let most = prunes.then_some(0);
            let policy = Policy::default().inactive_for(DAY_MS).at_most(most);
            of(cold(is_tier, session::sweep(policy)), done)
        }
        What::Import { session, says } => imports(is_tier, session, says),
        What::Delete(session) => of(cold(is_tier, session::delete(id(session))), done),
        What::Fork { from, to, at_head } => {
            let unknown = sha256(&number.to_be_bytes());
            let at = if at_head { At::Head } else { At::Hash(unknown) };
            let fork = Fork::at(at).with_id(id(to));
            of(cold(is_tier, session::fork(id(from), fork)), with_session)
        }
        What::Compact(session) => of(cold(is_tier, session::open(id(session))), move |opened| {
            let compact = Compact::new(vec![r#"{"role":"user","content":"so far"}"#.to_owned()], 1);
            Next::Goes(of(cold(is_tier, session::compact(opened, compact)), |appended| {
                with_session(appended.session)
            }))
        }),
        What::Read(session) => read(id(session), is_tier),
        What::Flush { session, hot } => {
            let hot = [Hot::Keep, Hot::Clear, Hot::Leave][hot as usize % 3];
            of(tier::flush(id(session), Flush::default().hot(hot)).with_cold_store(), done)
        }
        What::Hydrate(session) => of(tier::hydrate(id(session)).with_cold_store(), |hydrated| {
            with_session(hydrated.session)
        }),
        What::Pull(session) => of(tier::pull(id(session)).with_cold_store(), done),
        What::Collect => of(tier::collect(Collect::default()).with_cold_store(), done),
        _ => return None,
    })
}

/// Keeps a file of another system and writes its session.
fn imports(is_tier: bool, session: usize, says: u64) -> Box<dyn Operation> {
    let file = text_of(says, 0, IMPORTED_BYTES).into_bytes();
    let bytes = file.len() as u64;
    of(session::keep_import(file), move |sha256| {
        let name = format!("{says}.jsonl");
        let files = vec![session::OriginFile { name, sha256, bytes }];
        let origin = session::Origin { format: Format::Agentmux, files };
        Next::Goes(of(cold(is_tier, session::import(foreign(session, says), origin)), |import| {
            let error = match import {
                Import::Exists(_) => Some(Error::new(ErrorKind::AlreadyExists, "another one")),
                _ => None,
            };
            ended(End { error, ..End::default() })
        }))
    })
}

/// A session as it is read from such a file.
fn foreign(session: usize, says: u64) -> import::Session {
    let bytes = br#"{"type":"user","message":{"role":"user","content":"hello"}}"#;
    let read = import::read(&[File { name: "a.jsonl", bytes }], Some(Format::Agentmux));
    let sessions = read.unwrap_or_else(|error| panic!("{error}")).sessions;
    let mut foreign = sessions.into_iter().next().unwrap_or_else(|| panic!("no session"));
    foreign.id = id(session);
    foreign.drafts = vec![
        Draft::new("user_input")
            .with_text("item", &text_of(says, 0, IMPORTED_BYTES))
            .with_text("id", &format!("{says}-0")),
    ];
    foreign
}

fn cold<T>(is_tier: bool, task: Task<T>) -> Task<T> {
    if is_tier { task.with_cold_store() } else { task }
}

/// Reads a session from its start to its head, as it stands when each page is read.
#[must_use]
pub(crate) fn read(id: SessionId, is_tier: bool) -> Box<dyn Operation> {
    page(id, is_tier, Range::all(), Vec::new())
}

fn page(id: SessionId, is_tier: bool, range: Range, mut lines: Vec<u8>) -> Box<dyn Operation> {
    of(cold(is_tier, session::read(id.clone(), range.clone())), move |page| {
        lines.extend_from_slice(&page.lines);
        match page.next {
            Some(cursor) => Next::Goes(self::page(id, is_tier, range.after(cursor), lines)),
            None => ended(End { texts: Some(texts_in(&lines)), ..End::default() }),
        }
    })
}

/// Verifies a session: fails with what is wrong with it.
#[must_use]
pub(crate) fn verify(id: SessionId, is_tier: bool) -> Box<dyn Operation> {
    of(cold(is_tier, session::verify(id, None, true)), |report| {
        let sound: Result<()> = report.sound();
        ended(End { error: sound.err(), ..End::default() })
    })
}
