//! The Node side: one child process that carries out what it is told and says how long it took.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Options;
use crate::data::{BATCH, drafts, log};
use crate::measure::{Contender, Table};

/// A running `peer.mjs`.
#[derive(Clone)]
pub struct Node(Rc<RefCell<Process>>);

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Node {
    /// Starts it.
    pub fn start() -> Self {
        let mut child = Command::new("node")
            .arg("tests/bench/peer.mjs")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self(Rc::new(RefCell::new(Process { child, input, output })))
    }

    /// Has something done, and gives the answer.
    pub fn call(&self, request: &Value) -> Value {
        let mut process = self.0.borrow_mut();
        writeln!(process.input, "{request}").expect("node listens");
        let mut line = String::new();
        process.output.read_line(&mut line).expect("node answers");
        let answer: Value = serde_json::from_str(&line).expect("an answer");
        assert!(answer["error"].is_null(), "node: {}", answer["error"]);
        answer
    }

    /// Something done to a file, as a contender.
    pub fn contender(
        &self,
        name: &str,
        operation: &str,
        file: &Path,
        bytes: usize,
    ) -> Contender<'static> {
        let node = self.clone();
        let request = json!({ "do": operation, "file": file });
        Contender::timed(name, bytes, move || {
            let milliseconds = node.call(&request)["ms"].as_f64().expect("a time");
            Duration::from_secs_f64(milliseconds / 1e3)
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Appending turns from Node through wasm, beside `appendFileSync` of the same turn.
pub fn append(options: &Options, table: &mut Table) {
    let drafts = drafts(10_000 + 60 * BATCH);
    let file = options.folder.join("drafts.jsonl");
    std::fs::write(&file, drafts.join("\n")).expect("written");
    let node = Node::start();
    let mut first = f64::NAN;
    for size in [10, 100, 1000, 10_000] {
        let request = json!({
            "do": "append", "file": file, "folder": options.folder.join("node"),
            "size": size, "batch": BATCH, "rounds": options.rounds,
        });
        let answer = node.call(&request);
        let number = |name: &str| answer[name].as_f64().expect("a number");
        let turn = number("turnkeep");
        first = if first.is_nan() { turn } else { first };
        let note = format!(
            "{:.0} µs a turn, appendFileSync {:.0} µs: {:.2} x; {:.2} x of that at 10",
            turn * 1e3,
            number("plain") * 1e3,
            number("ratio"),
            turn / first,
        );
        table.note(
            "append: a turn of 13 at n messages, Node, wasm (os)",
            &format!("n = {size}"),
            note,
        );
    }
}

/// Verifying in wasm beside SHA-256 in wasm.
pub fn verify(options: &Options, table: &mut Table) {
    let log = log(&drafts(10_000));
    let file = options.folder.join("verify.jsonl");
    std::fs::write(&file, &log).expect("written");
    let node = Node::start();
    table.group(
        "verify 10,000 messages, Node, wasm",
        options.rounds,
        vec![
            node.contender("SHA-256 in wasm over the log's bytes", "sha256", &file, log.len()),
            node.contender("verify in wasm", "verify", &file, log.len()),
        ],
    );
}

/// How large the wasm is.
pub fn sizes(_: &Options, table: &mut Table) {
    for (name, path) in [("core.wasm", "npm/src/wasm/turnkeep_bg.wasm")] {
        let Ok(bytes) = std::fs::read(path) else { continue };
        let answer = Node::start().call(&json!({ "do": "size", "file": path }));
        let note = format!("{} B raw, {} B gzipped", bytes.len(), answer["gzip"]);
        table.note("size", name, note);
    }
}
