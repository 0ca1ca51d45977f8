//! `turnkeep log`

use serde_json::Value;
use turnkeep::{Entry, Kind, Range, Session, SessionId};

use super::graph;
use crate::content::content;
use crate::exit::Exit;
use crate::json::Object;
use crate::location::sessions;
use crate::output::Context;
use crate::time::rfc3339;
use crate::visible::visible;
use crate::{Failure, Outcome};

/// How much of what the user said is shown, in characters.
const INPUT_CHARS: usize = 60;

/// Tell what happened, a line for each turn
///
/// Its number, its entries, its time, the first words of what the user said, the tools that were
/// called, how the run ended.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id, required_unless_present = "all")]
    id: Option<SessionId>,
    /// Of every session of the store
    #[arg(long, conflicts_with = "id")]
    all: bool,
    /// Draw the sessions, and what was forked or compacted from them, as a tree
    #[arg(long)]
    graph: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.store()?;
    if args.graph {
        return graph::run(args.id.as_ref(), &*store, context);
    }
    let ids = match &args.id {
        Some(id) => vec![id.clone()],
        None => sessions(&*store)?.into_iter().map(|listed| listed.id).collect(),
    };
    let mut unread = 0;
    for id in &ids {
        if args.all && !context.globals.json {
            context.out.text(&format!("{}\n", visible(id.as_str())))?;
        }
        let told = Session::open(store.clone(), id)
            .map_err(Failure::from)
            .and_then(|session| turns(&session, context));
        match told {
            Err(Failure::Failed(failed)) if args.all => {
                context.out.flush()?;
                context.tell(&failed);
                unread += 1;
            }
            told => told?,
        }
    }
    Ok(if unread > 0 { Exit::Partial } else { Exit::Ok })
}

/// What happened in a turn.
#[derive(Debug, Default)]
struct Turn {
    /// `None`: it did not end.
    number: Option<u64>,
    first_seq: u64,
    last_seq: u64,
    time: Option<u64>,
    input: Option<String>,
    tools: Vec<String>,
    result: Option<String>,
    /// Whether anything happened that belongs to a turn.
    is_begun: bool,
}

/// Tells of each turn. How a run ended is said after its last turn, and belongs to it.
fn turns(session: &Session, context: &mut Context) -> Outcome<()> {
    let id = session.id();
    let mut turn = Turn::default();
    for (seq, line) in (0..).zip(session.entries(Range::all())) {
        let line = line?;
        let entry = line.parse()?;
        let ends_run = matches!(entry.kind(), Kind::RunCompleted | Kind::RunErrored);
        if turn.number.is_some() && !ends_run {
            turn.tell(&id, context)?;
            turn = Turn { first_seq: seq, ..Turn::default() };
        }
        turn.add(seq, line.as_bytes(), &entry);
    }
    if turn.number.is_some() || turn.is_begun { turn.tell(&id, context) } else { Ok(()) }
}

impl Turn {
    fn add(&mut self, seq: u64, line: &[u8], entry: &Entry<'_>) {
        self.last_seq = seq;
        self.time = self.time.or(entry.ts());
        match entry.kind() {
            Kind::UserInput => {
                let words = content(line, entry);
                let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
                self.input.get_or_insert_with(|| shortened(&words));
            }
            Kind::AssistantItem => {
                let item = entry.field("item").and_then(|item| serde_json::from_str(item).ok());
                self.tools.extend(item.as_ref().map(tools).unwrap_or_default());
            }
            Kind::TurnEnd => self.number = entry.count("turn"),
            Kind::RunCompleted => self.result = entry.text("result").map(|text| text.into_owned()),
            Kind::RunErrored => self.result = Some("errored".to_owned()),
            Kind::ToolResult | Kind::RunStarted => {}
            _ => return,
        }
        self.is_begun = true;
    }

    fn tell(&self, id: &SessionId, context: &mut Context) -> Outcome<()> {
        if context.globals.json {
            let document = Object::document()
                .put("session", id.as_str())
                .put("turn", self.number)
                .put("first_seq", self.first_seq)
                .put("last_seq", self.last_seq)
                .put("time", self.time.map(rfc3339))
                .put("input", self.input.as_deref())
                .put("tools", self.tools.clone())
                .put("result", self.result.as_deref());
            return context.out.json(document);
        }
        let number = self.number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let seqs = format!("{}-{}", self.first_seq, self.last_seq);
        let time = self.time.map_or_else(|| "-".to_owned(), rfc3339);
        let tools = self.tools.join(" ");
        let tools = if tools.is_empty() { tools } else { format!("  [{tools}]") };
        let result = self.result.as_ref().map(|result| format!("  ({result})"));
        let (input, result) = (self.input.clone().unwrap_or_default(), result.unwrap_or_default());
        let said = format!("{input}{tools}{result}");
        context.out.text(&format!("{number:>4}  {seqs:>9}  {time:24}  {}\n", visible(&said)))
    }
}

fn shortened(words: &str) -> String {
    match words.char_indices().nth(INPUT_CHARS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// The names of the tools that an item calls.
fn tools(item: &Value) -> Vec<String> {
    let list = |name: &str| item[name].as_array().into_iter().flatten();
    let calls = list("tool_calls").map(|call| &call["function"]["name"]);
    let parts = std::iter::once(item).chain(list("content")).filter(|part| is_call(part));
    let parts =
        parts.map(|part| if part["name"].is_string() { &part["name"] } else { &part["toolName"] });
    calls.chain(parts).filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn is_call(part: &Value) -> bool {
    let tag = part["type"].as_str().or_else(|| part["kind"].as_str());
    let calls =
        ["tool_use", "tool-call", "toolCall", "tool_call", "function_call", "custom_tool_call"];
    tag.is_some_and(|tag| calls.contains(&tag))
}
