//! The store cases: what every store has to do, as data that every host's runner reads
//! (`tests/store-cases.json`).
//!
//! The file is an array of cases, each for a fresh store:
//!
//! | member | means |
//! |---|---|
//! | `name` | unique |
//! | `needs` | capabilities (`append`, `staging`, `create_if_absent`, `replace_if_version`, `range`) without which the case does not apply |
//! | `steps` | what is done, one after the other |
//! | `race` | after the steps: `writers` do the same step `do` at once. Exactly `wins` of them succeed, the others fail with one of the codes in `loses`. The writers' numbers, from 0, are put after their `text`, and in place of a `#` in their `stage` |
//! | `then` | steps after the race |
//!
//! A step has `do` (`put`, `get`, `append`, `sync`, `holder`, `delete`, `list`, `info`, `stage`,
//! `part`, `staged`, `commit` or `abort`) and what belongs to it: `key`, `text` (a string, or
//! `{text, repeat}`), `range` (`[from, to]`), `if` (`"any"`, `"absent"` or `{"version": NAME}`; absent: any), `at`, `torn` (absent: 0), `mark` (absent: empty) and `markAt` (absent: 0), `tornStart` (the same),
//! `prefix`, `after`, `limit` (absent: 1000), `stage` (a NAME), `number`. `save` keeps the version
//! or stage it gives under a NAME; a NAME that nobody saved stands for itself.
//!
//! `expect` tells what it gives: `text` of a get or staged; `bytes`, the length of the whole object,
//! of a get, put, append, info, staged or commit; `keys` and `more` of a list; `holder`: `"nobody"`,
//! or `"nobody else"` where the store may say that it is this process; `done` of a sync, delete, part
//! or abort; or the `code` it fails with. Without `code` it succeeds. Of a store whose durability is not `disk` a sync
//! is expected to be `not_supported`, whatever `expect` says.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use serde_json::{Map, Value};
use turnkeep::core::store::{After, Condition, Info, StageId};
use turnkeep::{Capabilities, Durability, Error, Holder, Key, Result as StoreResult, Store};

/// What went wrong in a case, as text.
pub type Outcome<T = ()> = Result<T, String>;

/// All cases of `tests/store-cases.json`.
///
/// # Panics
///
/// Where the file is not what this module describes.
#[must_use]
pub fn all() -> Vec<Case> {
    let text = include_str!("../store-cases.json");
    let cases: Vec<Value> = serde_json::from_str(text).expect("store-cases.json is JSON");
    cases.into_iter().map(|case| Case(object(case))).collect()
}

/// Runs every case by `run`, which tells what a case lacks that does not apply, and prints those.
///
/// # Panics
///
/// Where a case fails, or too few apply.
pub fn run_all(store: &str, mut run: impl FnMut(&Case) -> Outcome<Option<String>>) {
    let (mut passed, mut failures, mut gated) = (0, Vec::new(), Vec::new());
    for case in all() {
        match run(&case) {
            Ok(None) => passed += 1,
            Ok(Some(lacks)) => gated.push(format!("{} (lacks {lacks})", case.name())),
            Err(why) => failures.push(format!("{}: {why}", case.name())),
        }
    }
    println!("{store}: {passed} cases passed, {} do not apply", gated.len());
    for case in &gated {
        println!("{store} does not apply: {case}");
    }
    assert!(failures.is_empty(), "{store}:\n{}", failures.join("\n"));
    assert!(passed >= 60, "{store}: only {passed} cases applied");
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case(Map<String, Value>);

impl Case {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap_or_default()
    }

    /// The first capability it needs that is not there.
    #[must_use]
    pub fn lacks(&self, capabilities: &Capabilities) -> Option<String> {
        let has = |need: &str| match need {
            "append" => capabilities.append,
            "staging" => capabilities.staging,
            "create_if_absent" => capabilities.create_if_absent,
            "replace_if_version" => capabilities.replace_if_version,
            "range" => capabilities.range,
            _ => panic!("{}: no capability {need:?}", self.name()),
        };
        let needs = self.0.get("needs").and_then(Value::as_array).into_iter().flatten();
        needs.filter_map(Value::as_str).find(|need| !has(need)).map(str::to_owned)
    }

    /// Whether a step of it deletes an object of a certain version, which S3 cannot do.
    #[must_use]
    pub fn deletes_by_version(&self) -> bool {
        let steps = |name: &str| self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        let raced = self.0.get("race").and_then(|race| race.get("do"));
        let mut all = steps("steps").chain(steps("then")).chain(raced);
        all.any(|step| step["do"] == "delete" && step["if"]["version"].is_string())
    }

    /// Runs it on a fresh store, or tells the capability that it needs and the store lacks.
    pub fn run_if_it_applies(&self, store: &dyn Store) -> Outcome<Option<String>> {
        if let Some(lacks) = self.lacks(&store.capabilities()) {
            return Ok(Some(lacks));
        }
        self.run(store).map(|()| None)
    }

    /// Runs it on a fresh store.
    pub fn run(&self, store: &dyn Store) -> Outcome {
        let known = ["name", "needs", "steps", "race", "then"];
        only(&self.0, &known)?;
        let mut names = Names::default();
        run_steps(self.0.get("steps"), store, &mut names)?;
        if let Some(race) = self.0.get("race") {
            run_race(&object(race.clone()), store, &names).map_err(|why| format!("race: {why}"))?;
        }
        run_steps(self.0.get("then"), store, &mut names).map_err(|why| format!("then: {why}"))
    }
}

/// A member that the runner does not know would not be checked.
fn only(members: &Map<String, Value>, known: &[&str]) -> Outcome {
    let unknown = members.keys().find(|name| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(format!("unknown member {name:?}")))
}

/// Versions and stages by the names a case gave them.
#[derive(Debug, Clone, Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn get(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}

fn run_steps(steps: Option<&Value>, store: &dyn Store, names: &mut Names) -> Outcome {
    let steps = steps.and_then(Value::as_array).into_iter().flatten();
    for (index, step) in steps.enumerate() {
        let step = Step::new(step, None).map_err(|why| format!("step {index}: {why}"))?;
        let answer = step.perform(store, names);
        step.check(&answer, store, names)
            .map_err(|why| format!("step {index}, {:?}: {why}", step.0))?;
    }
    Ok(())
}

fn run_race(race: &Map<String, Value>, store: &dyn Store, names: &Names) -> Outcome {
    only(race, &["writers", "do", "wins", "loses"])?;
    let writers = race["writers"].as_u64().and_then(|count| usize::try_from(count).ok());
    let steps: Outcome<Vec<_>> =
        (0..writers.unwrap_or(0)).map(|number| Step::new(&race["do"], Some(number))).collect();
    let steps = steps?;
    let start = Barrier::new(steps.len());
    let answers: Vec<StoreResult<Answer>> = thread::scope(|scope| {
        let write = |step| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                Step::perform(step, store, names)
            })
        };
        let writers: Vec<_> = steps.iter().map(write).collect();
        writers.into_iter().map(|writer| writer.join().expect("a writer panicked")).collect()
    });
    let wins = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
    if Some(wins) != race["wins"].as_u64() {
        return Err(format!("{wins} writers won: {answers:?}"));
    }
    let loses = |error: &Error| {
        race["loses"].as_array().is_some_and(|codes| codes.iter().any(|code| code == error.code()))
    };
    match answers.iter().filter_map(|answer| answer.as_ref().err()).find(|error| !loses(error)) {
        Some(error) => Err(format!("a writer lost with {error}")),
        None => winner_is_kept(&steps, &answers, store),
    }
}

/// What the winner wrote is what there is.
fn winner_is_kept(steps: &[Step], answers: &[StoreResult<Answer>], store: &dyn Store) -> Outcome {
    let winner = steps.iter().zip(answers).find(|(_, answer)| answer.is_ok());
    let Some((step, _)) = winner.filter(|(step, _)| step.0.contains_key("text")) else {
        return Ok(());
    };
    let key = step.key().map_err(|error| error.to_string())?;
    let bytes = store.get(&key, None).map_err(|error| error.to_string())?.bytes;
    let text = step.bytes();
    if bytes.ends_with(&text) { Ok(()) } else { Err("another wrote than won".into()) }
}

/// One step.
#[derive(Debug)]
struct Step(Map<String, Value>);

/// What a step gave.
#[derive(Debug)]
enum Answer {
    Object(Vec<u8>, Info),
    Info(Info),
    Keys(Vec<String>, bool),
    Holder(Option<Holder>),
    Stage(String),
    Done,
}

impl Step {
    /// A step, in a race as the writer of that number does it.
    fn new(step: &Value, writer: Option<usize>) -> Outcome<Self> {
        let mut step = object(step.clone());
        let known = [
            "do",
            "key",
            "text",
            "range",
            "if",
            "at",
            "torn",
            "mark",
            "markAt",
            "tornStart",
            "prefix",
            "after",
            "limit",
            "stage",
            "number",
            "save",
            "expect",
        ];
        only(&step, &known)?;
        if let Some(writer) = writer {
            if let Some(Value::String(text)) = step.get_mut("text") {
                text.push_str(&writer.to_string());
            }
            if let Some(Value::String(stage)) = step.get_mut("stage") {
                *stage = stage.replace('#', &writer.to_string());
            }
        }
        Ok(Self(step))
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or_default()
    }

    fn key(&self) -> StoreResult<Key> {
        Key::parse(self.text("key"))
    }

    fn bytes(&self) -> Vec<u8> {
        expand(self.0.get("text"))
    }

    fn range(&self) -> Option<std::ops::Range<u64>> {
        let bounds: Vec<u64> =
            self.0.get("range")?.as_array()?.iter().filter_map(Value::as_u64).collect();
        Some(*bounds.first()?..*bounds.get(1)?)
    }

    fn condition(&self, names: &Names) -> Condition {
        match self.0.get("if") {
            None => Condition::Any,
            Some(Value::String(word)) if word == "any" => Condition::Any,
            Some(Value::String(word)) if word == "absent" => Condition::Absent,
            Some(other) => {
                let name = other["version"].as_str().expect("a condition");
                Condition::Version(names.get(name))
            }
        }
    }

    fn stage(&self, names: &Names) -> StageId {
        StageId(names.get(self.text("stage")))
    }

    fn perform(&self, store: &dyn Store, names: &Names) -> StoreResult<Answer> {
        let condition = self.condition(names);
        match self.text("do") {
            "put" => store.put(&self.key()?, &self.bytes(), &condition).map(Answer::Info),
            "get" => {
                let object = store.get(&self.key()?, self.range())?;
                Ok(Answer::Object(object.bytes, object.info))
            }
            "append" => {
                let after = After::new(self.number("at"), self.number("torn"));
                let after = after.marked(self.number("markAt"), self.text("mark"));
                let after = after.replacing(self.text("tornStart"));
                let appended = store.append(&self.key()?, &self.bytes(), &after, Durability::Os);
                appended.map(Answer::Info)
            }
            "sync" => store.sync(&self.key()?).map(|()| Answer::Done),
            "holder" => store.holder(&self.key()?).map(Answer::Holder),
            "delete" => store.delete(&self.key()?, &condition).map(|()| Answer::Done),
            "list" => self.list(store),
            "info" => store.info(&self.key()?).map(Answer::Info),
            "stage" => store.stage(&self.key()?).map(|stage| Answer::Stage(stage.0)),
            "part" => {
                let number = u32::try_from(self.number("number")).unwrap_or(u32::MAX);
                let written = store.stage_part(&self.stage(names), number, &self.bytes());
                written.map(|()| Answer::Done)
            }
            "staged" => {
                let object = store.get_staged(&self.stage(names), self.range())?;
                Ok(Answer::Object(object.bytes, object.info))
            }
            "commit" => store.commit(&self.stage(names), &condition).map(Answer::Info),
            "abort" => store.abort(&self.stage(names)).map(|()| Answer::Done),
            other => panic!("no verb {other:?}"),
        }
    }

    fn list(&self, store: &dyn Store) -> StoreResult<Answer> {
        let after = self.0.contains_key("after").then(|| Key::parse(self.text("after")));
        let limit = self.0.get("limit").and_then(Value::as_u64).unwrap_or(1000);
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let listing = store.list(self.text("prefix"), after.transpose()?.as_ref(), limit)?;
        let keys = listing.objects.iter().map(|(key, _)| key.to_string()).collect();
        Ok(Answer::Keys(keys, listing.more))
    }

    /// What it should give.
    fn expected(&self, store: &dyn Store) -> Map<String, Value> {
        let is_durable = store.capabilities().durability == Durability::Disk;
        if self.text("do") == "sync" && !is_durable {
            return Map::from_iter([("code".to_owned(), "not_supported".into())]);
        }
        self.0.get("expect").cloned().map(object).unwrap_or_default()
    }

    fn check(&self, answer: &StoreResult<Answer>, store: &dyn Store, names: &mut Names) -> Outcome {
        let expect = self.expected(store);
        only(&expect, &["text", "bytes", "keys", "more", "holder", "done", "code"])?;
        let answer = match (answer, expect.get("code")) {
            (Err(error), Some(code)) if code == error.code() => return Ok(()),
            (Ok(answer), None) => answer,
            (Ok(answer), Some(_)) => return Err(format!("it gave {answer:?}")),
            (Err(error), _) => return Err(format!("it failed: {error}")),
        };
        for (name, expected) in &expect {
            if !answer.fits(name, expected) {
                return Err(format!("it gave {answer:?}"));
            }
        }
        if let Some(name) = self.0.get("save").and_then(Value::as_str) {
            let saved = answer.to_save().ok_or("it gave nothing to save")?;
            names.0.insert(name.to_owned(), saved);
        }
        Ok(())
    }
}

impl Answer {
    fn fits(&self, name: &str, expected: &Value) -> bool {
        match (name, self) {
            ("text", Self::Object(bytes, _)) => *bytes == expand(Some(expected)),
            ("bytes", Self::Object(_, info) | Self::Info(info)) => {
                Some(info.bytes) == expected.as_u64()
            }
            ("keys", Self::Keys(keys, _)) => Value::from(keys.clone()) == *expected,
            ("more", Self::Keys(_, more)) => *more == *expected,
            ("holder", Self::Holder(holder)) => match holder {
                None => true,
                Some(holder) => *expected == "nobody else" && holder.is_self && holder.is_alive,
            },
            ("done", Self::Done) => *expected == true,
            _ => false,
        }
    }

    fn to_save(&self) -> Option<String> {
        match self {
            Self::Object(_, info) | Self::Info(info) => Some(info.version.clone()),
            Self::Stage(stage) => Some(stage.clone()),
            _ => None,
        }
    }
}

/// A text, or one repeated.
fn expand(text: Option<&Value>) -> Vec<u8> {
    match text {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(Value::Object(piece)) => {
            let repeat = piece["repeat"].as_u64().and_then(|count| usize::try_from(count).ok());
            piece["text"].as_str().unwrap_or_default().repeat(repeat.unwrap_or(1)).into_bytes()
        }
        _ => Vec::new(),
    }
}
