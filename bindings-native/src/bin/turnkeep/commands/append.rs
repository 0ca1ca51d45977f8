//! `turnkeep append`

use std::io::IsTerminal;
use std::sync::Arc;

use serde_json::value::RawValue;
use turnkeep::core::limits::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX};
use turnkeep::{
    Create, Draft, Durability, Error, ErrorKind, Hash, Range, Session, SessionId, Store,
};

use crate::exit::Exit;
use crate::input::{InputLine, Lines};
use crate::json::{Object, head_object};
use crate::output::{Context, write_stderr};
use crate::report::torn_text;
use crate::visible::visible;
use crate::{Failure, Outcome};

const ITEM_KINDS: [&str; 4] = ["user_input", "assistant_item", "tool_result", "system_item"];

/// Append entries to a session, which is created where it is missing
///
/// Reads standard input: one draft a line, a JSON object with a kind and its fields; an item may
/// go without kind, its content tells it. Writes one line for each entry, after it was stored: its
/// number and its hash. A line that cannot be appended ends the command with 1, or with 3 where
/// entries before it were appended; they stay.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The session; a new one, with an id made from the time, where none is given
    #[arg(value_parser = super::session_id)]
    id: Option<SessionId>,
    /// The session must not exist
    #[arg(long)]
    new: bool,
    /// Take each line for an item's JSON, and append it as this kind
    #[arg(long, value_parser = ITEM_KINDS)]
    kind: Option<String>,
    /// What an entry survives once it is acknowledged: nothing, the end of the process, loss of
    /// power
    #[arg(long, value_name = "LEVEL", default_value = "os", value_parser = ["memory", "os", "disk"])]
    durability: String,
    /// Append all lines together, all or nothing
    #[arg(long)]
    batch: bool,
    /// Do not salt a new session's entries
    #[arg(long)]
    no_salt: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let mut appender = Appender::open(args, context)?;
    if std::io::stdin().is_terminal() {
        appender.context.note("reading drafts from the terminal, one a line");
    }
    let lines = Lines::of_stdin();
    let appended = if args.batch { appender.batch(lines) } else { appender.each(lines) };
    let is_stored = appender.acknowledged > 0;
    appended.map_err(|failure| if is_stored { failure.after_some() } else { failure })?;
    appender.finish()?;
    Ok(Exit::Ok)
}

struct Appender<'a> {
    args: &'a Args,
    context: &'a mut Context,
    store: Arc<dyn Store>,
    /// `None` until it is created.
    session: Option<Session>,
    /// Entries that are stored, heard of or not.
    acknowledged: u64,
    /// Whether anybody still reads the acknowledgements.
    is_heard: bool,
}

impl<'a> Appender<'a> {
    fn open(args: &'a Args, context: &'a mut Context) -> Outcome<Self> {
        let store = context.globals.store_for_writing()?;
        let session = match &args.id {
            Some(id) => open(&store, id)?,
            None => None,
        };
        if let (true, Some(session)) = (args.new, &session) {
            let error = Error::new(ErrorKind::AlreadyExists, "the session exists");
            return Err(error.in_session(&session.id()).into());
        }
        let session = session.map(|session| session.with_durability(args.durability()));
        Ok(Self { args, context, store, session, acknowledged: 0, is_heard: true })
    }

    fn each(&mut self, lines: Lines) -> Outcome<()> {
        for line in lines {
            self.append(&[line?])?;
        }
        Ok(())
    }

    fn batch(&mut self, lines: Lines) -> Outcome<()> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for line in lines {
            let line = line?;
            bytes += line.text.len();
            if batch.len() == BATCH_ENTRIES_MAX || bytes > BATCH_BYTES_MAX {
                let message = "a batch has at most 4,096 entries and 64 MiB";
                return Err(Failure::input(Error::new(ErrorKind::TooLarge, message), line.number));
            }
            batch.push(line);
        }
        if batch.is_empty() { Ok(()) } else { self.append(&batch) }
    }

    /// Appends lines together, then acknowledges each.
    fn append(&mut self, lines: &[InputLine]) -> Outcome<()> {
        let drafts = lines.iter().map(|line| self.args.draft(line)).collect::<Outcome<Vec<_>>>()?;
        let stored = match &self.session {
            Some(session) => {
                let torn = session.torn();
                let appended = session.append(&drafts).map_err(Failure::from);
                if let (Ok(_), Some(torn)) = (&appended, torn) {
                    self.context.note(&format!("cut off {}", torn_text(torn)));
                }
                appended.map(|_| ())
            }
            None => self.create(drafts),
        };
        stored.map_err(|failure| blame_line(failure, lines))?;
        self.acknowledge(lines.len() as u64)
    }

    fn create(&mut self, entries: Vec<String>) -> Outcome<()> {
        let mut options = Create::default();
        options.id = self.args.id.clone();
        options.is_salted = !self.args.no_salt;
        options.durability = self.args.durability();
        options.entries = entries;
        let session = Session::create(self.store.clone(), options)?;
        self.announce(&session)?;
        self.session = Some(session);
        Ok(())
    }

    fn announce(&mut self, session: &Session) -> Outcome<()> {
        if self.context.globals.json {
            let document = Object::document()
                .put("session", session.id().as_str())
                .put("created", true)
                .object("head", session.head().map(head_object));
            let written = self.context.out.json(document);
            return self.heard(written);
        }
        // An id that was made is told nowhere else.
        if self.args.id.is_none() || !self.context.globals.quiet {
            write_stderr(&format!("created session {}\n", visible(session.id().as_str())));
        }
        Ok(())
    }

    fn acknowledge(&mut self, count: u64) -> Outcome<()> {
        self.acknowledged += count;
        for (seq, hash) in self.last(count)? {
            let hash = hash.to_string();
            let written = if self.context.globals.json {
                self.context.out.json(Object::document().put("seq", seq).put("hash", hash))
            } else {
                self.context.out.text(&format!("{seq} {hash}\n"))
            };
            self.heard(written)?;
        }
        let flushed = if self.is_heard { self.context.out.flush() } else { Ok(()) };
        self.heard(flushed)
    }

    /// The last entries' numbers and hashes.
    fn last(&self, count: u64) -> Outcome<Vec<(u64, Hash)>> {
        let head = self.session.as_ref().and_then(|session| Some((session, session.head()?)));
        let Some((session, head)) = head.filter(|_| self.is_heard) else { return Ok(Vec::new()) };
        if count == 1 {
            return Ok(vec![(head.seq, head.hash)]);
        }
        let entries = session.entries(Range::between(head.seq + 1 - count, Some(head.seq)));
        let hashes = entries.map(|line| Ok(line?.parse()?.hash()));
        let hashes = hashes.collect::<turnkeep::Result<Vec<_>>>()?;
        Ok((head.seq + 1 - count..).zip(hashes).collect())
    }

    /// Entries are to be stored even if nobody wants to know.
    fn heard(&mut self, written: Outcome<()>) -> Outcome<()> {
        match written {
            Err(Failure::Closed) => {
                self.is_heard = false;
                Ok(())
            }
            written => written,
        }
    }

    fn finish(&mut self) -> Outcome<()> {
        if self.session.is_some() { Ok(()) } else { self.create(Vec::new()) }
    }
}

impl Args {
    fn draft(&self, line: &InputLine) -> Outcome<String> {
        let Some(kind) = &self.kind else { return Ok(line.text.clone()) };
        if serde_json::from_str::<&RawValue>(&line.text).is_err() {
            let error = Error::new(ErrorKind::BadJson, "an item is JSON on one line");
            return Err(Failure::input(error, line.number));
        }
        Ok(Draft::new(kind).with("item", &line.text).as_str().to_owned())
    }

    fn durability(&self) -> Durability {
        Durability::of(&self.durability).unwrap_or_default()
    }
}

/// Opens a session; `None` where there is none.
fn open(store: &Arc<dyn Store>, id: &SessionId) -> Outcome<Option<Session>> {
    match Session::open(store.clone(), id) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

/// Where a draft is at fault, its line of standard input is.
fn blame_line(failure: Failure, lines: &[InputLine]) -> Failure {
    let Failure::Failed(failed) = failure else { return failure };
    let draft = failed.error.place().draft.and_then(|draft| usize::try_from(draft).ok());
    match draft.and_then(|draft| lines.get(draft)) {
        Some(line) => Failure::input(failed.error, line.number),
        None => Failure::Failed(failed),
    }
}
