//! Transcripts of AI agents that no agent wrote, for benchmarks and tests.
//!
//! A transcript is made from its seed alone and is the same on every platform. Its text comes from a
//! small grammar (`pool/`), and the sizes of its messages, its escapes and how well it compresses are
//! those of real sessions: the agent reads, searches and edits the same files again and again, and
//! files come and go.

mod lines;
mod names;
mod pool;
mod project;
mod rng;
mod scene;
mod shell;
mod talk;
mod template;
mod time;
mod tools;

use std::collections::VecDeque;

use crate::lines::push_number;
use crate::project::Project;
use crate::rng::Rng;
use crate::scene::push_hex;
use crate::tools::Call;

/// One message of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `user_input`, `assistant_item` or `tool_result`.
    pub kind: &'static str,
    /// A UUID, by its looks.
    pub id: String,
    /// The id of the message before.
    pub parent: Option<String>,
    /// The message as JSON, on one line, as `JSON.stringify` would print it.
    pub item: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ts: u64,
    /// Whether this is the last message of a user turn.
    pub ends_turn: bool,
}

impl Message {
    /// The message as a draft of an entry: `{"kind":…,"id":…,"parent":…,"item":…}`.
    pub fn draft(&self) -> String {
        let mut draft = String::with_capacity(self.item.len() + 140);
        draft.push_str("{\"kind\":\"");
        draft.push_str(self.kind);
        draft.push_str("\",\"id\":\"");
        draft.push_str(&self.id);
        draft.push_str("\",\"parent\":");
        match &self.parent {
            Some(parent) => {
                draft.push('"');
                draft.push_str(parent);
                draft.push('"');
            }
            None => draft.push_str("null"),
        }
        draft.push_str(",\"item\":");
        draft.push_str(&self.item);
        draft.push('}');
        draft
    }
}

/// The messages of one transcript without end, always the same for the same seed.
pub struct Corpus {
    rng: Rng,
    project: Project,
    now: u64,
    parent: Option<String>,
    /// How many tokens the agent remembers.
    context: u64,
    /// The rest of the turn.
    pending: VecDeque<Message>,
}

impl Corpus {
    /// The transcript of this seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let project = Project::new(&mut rng);
        let pending = VecDeque::new();
        Self { rng, project, now: 1_793_520_000_000, parent: None, context: 0, pending }
    }

    /// A user's message, tools and what they gave, and the agent's last word: 7 to 19 messages.
    fn turn(&mut self) {
        let text = talk::request(&self.project, self.now, &mut self.rng);
        let item = format!(r#"{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}"#);
        self.push("user_input", item);
        let mut left = 6 + self.rng.below(13);
        while left > 1 {
            // One call takes two messages, two calls take three, and the last word one.
            let two = left == 4 || (left > 5 && self.rng.chance(4));
            self.step(if two { 2 } else { 1 });
            left -= if two { 3 } else { 2 };
        }
        self.last_word();
    }

    /// The agent uses tools.
    fn step(&mut self, calls: usize) {
        let calls: Vec<(String, Call)> = (0..calls)
            .map(|_| {
                let call = tools::call(&mut self.project, self.now, &mut self.rng);
                (self.token("toolu_01"), call)
            })
            .collect();
        let mut content = String::new();
        if self.rng.chance(64) {
            push_text(&mut content, &talk::remark(&self.project, self.now, &mut self.rng));
            content.push(',');
        }
        for (id, call) in &calls {
            push_tool_use(&mut content, id, call);
            content.push(',');
        }
        content.pop();
        self.assistant(&content, "tool_use");
        for (id, call) in calls {
            self.push("tool_result", tool_result(&id, &call));
        }
    }

    fn last_word(&mut self) {
        let mut content = String::new();
        push_text(&mut content, &talk::report(&self.project, self.now, &mut self.rng));
        self.assistant(&content, "end_turn");
        self.pending.back_mut().expect("a turn has messages").ends_turn = true;
    }

    fn assistant(&mut self, content: &str, stop_reason: &str) {
        let mut item = String::with_capacity(content.len() + 340);
        item.push_str(r#"{"id":""#);
        item.push_str(&self.token("msg_01"));
        item.push_str(r#"","role":"assistant","model":"example-large-4-5-20260929","content":["#);
        item.push_str(content);
        item.push_str(r#"],"stop_reason":""#);
        item.push_str(stop_reason);
        item.push_str(r#"","usage":{"input_tokens":"#);
        push_number(&mut item, 100 + self.rng.below(300) as u64);
        let (old, new) = self.remember(content.len());
        item.push_str(r#","cache_creation_input_tokens":"#);
        push_number(&mut item, new);
        item.push_str(r#","cache_read_input_tokens":"#);
        push_number(&mut item, old);
        item.push_str(r#","output_tokens":"#);
        push_number(&mut item, content.len() as u64 / 4 + self.rng.below(40) as u64);
        item.push_str("}}");
        self.push("assistant_item", item);
    }

    /// What the context held and what is new in it; a full one is emptied first.
    fn remember(&mut self, bytes: usize) -> (u64, u64) {
        if self.context > 160_000 {
            self.context = 4000 + self.rng.below(4000) as u64;
        }
        let old = self.context;
        let new = bytes as u64 / 4 + 300 + self.rng.below(2000) as u64;
        self.context += new;
        (old, new)
    }

    fn push(&mut self, kind: &'static str, item: String) {
        self.now += 200 + self.rng.below(8800) as u64;
        let id = self.uuid();
        let parent = self.parent.replace(id.clone());
        self.pending.push_back(Message { kind, id, parent, item, ts: self.now, ends_turn: false });
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.rng.next(), self.rng.next());
        let mut id = String::with_capacity(36);
        push_hex(&mut id, high >> 32, 8);
        id.push('-');
        push_hex(&mut id, high >> 16, 4);
        id.push_str("-4");
        push_hex(&mut id, high, 3);
        id.push('-');
        push_hex(&mut id, 8 | (low >> 62), 1);
        push_hex(&mut id, low >> 48, 3);
        id.push('-');
        push_hex(&mut id, low, 12);
        id
    }

    /// An opaque id as model APIs hand them out.
    fn token(&mut self, prefix: &str) -> String {
        const LETTERS: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut token = String::from(prefix);
        token.extend((0..22).map(|_| char::from(*self.rng.pick(LETTERS))));
        token
    }
}

impl Iterator for Corpus {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        if self.pending.is_empty() {
            self.turn();
        }
        self.pending.pop_front()
    }
}

fn push_text(content: &mut String, text: &str) {
    content.push_str(r#"{"type":"text","text":""#);
    content.push_str(text);
    content.push_str("\"}");
}

fn push_tool_use(content: &mut String, id: &str, call: &Call) {
    content.push_str(r#"{"type":"tool_use","id":""#);
    content.push_str(id);
    content.push_str(r#"","name":""#);
    content.push_str(call.tool);
    content.push_str(r#"","input":"#);
    content.push_str(&call.input);
    content.push('}');
}

fn tool_result(id: &str, call: &Call) -> String {
    let mut item = String::with_capacity(call.result.len() + 140);
    item.push_str(r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":""#);
    item.push_str(id);
    item.push_str(r#"","content":""#);
    item.push_str(&call.result);
    item.push_str(r#"","is_error":"#);
    item.push_str(if call.failed { "true" } else { "false" });
    item.push_str("}]}");
    item
}

/// The first turns of a transcript as draft lines: whole turns, until they hold at least `messages`.
pub fn turns(seed: u64, messages: usize) -> Vec<Vec<String>> {
    let mut corpus = Corpus::new(seed);
    let mut turns = Vec::new();
    let mut count = 0;
    while count < messages {
        let mut turn = Vec::new();
        for message in corpus.by_ref() {
            turn.push(message.draft());
            if message.ends_turn {
                break;
            }
        }
        count += turn.len();
        turns.push(turn);
    }
    turns
}
