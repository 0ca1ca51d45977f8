//! Shell commands and what they print.

use crate::lines::Lines;
use crate::pool::{Command, POOL};
use crate::project::{File, Project};
use crate::rng::{Rng, Sizes};
use crate::scene::{Scene, push_hex};
use crate::template::{Bound, Template};
use crate::tools::Call;

const OUTPUT_BYTES: Sizes = Sizes([60, 380, 740, 1500, 3050, 5400, 13_900, 14_200]);

/// How often each of [`Pool::commands`](crate::pool::Pool::commands) is run, then `git diff`.
const WEIGHTS: [usize; 11] = [18, 15, 12, 12, 14, 10, 6, 4, 3, 2, 10];

pub(crate) fn call(project: &Project, now: u64, rng: &mut Rng) -> Call {
    let file = project.current();
    let scene = file.scene(Some(project), now);
    let bytes = OUTPUT_BYTES.draw(rng);
    let mut command = String::new();
    let mut lines = Lines::default();
    match POOL.commands.get(rng.weighted(&WEIGHTS)) {
        Some(kind) => run(kind, &scene, bytes, rng, &mut command, &mut lines),
        None => diff(file, &scene, bytes, rng, &mut command, &mut lines),
    }
    let mut input = format!("{{\"command\":\"{command}\",\"description\":\"");
    scene.line(&POOL.prose.descriptions, rng, &mut input);
    input.push_str("\",\"timeout\":120000}");
    let mut result = String::new();
    lines.write(0..lines.len(), &mut result);
    Call { tool: "bash", input, result, failed: false }
}

fn run(
    kind: &Command,
    scene: &Scene,
    bytes: usize,
    rng: &mut Rng,
    command: &mut String,
    lines: &mut Lines,
) {
    scene.line(&kind.lines, rng, command);
    let mut bound = Bound::new();
    let mut scene = *scene;
    let mut put = |template: &Template, rng: &mut Rng, lines: &mut Lines| {
        // A row of several lines is about something of its own.
        let own = &mut Bound::new();
        let bound = if template.0.len() > 1 { own } else { &mut bound };
        scene.block(template, "", 0, bound, rng, lines);
        scene.now += rng.below(2000) as u64;
    };
    kind.head.iter().for_each(|template| put(template, rng, lines));
    while lines.bytes() < bytes {
        put(&kind.rows[rng.skewed(kind.rows.len())], rng, lines);
    }
    kind.tail.iter().for_each(|template| put(template, rng, lines));
}

/// `git diff` of the file.
fn diff(
    file: &File,
    scene: &Scene,
    bytes: usize,
    rng: &mut Rng,
    command: &mut String,
    lines: &mut Lines,
) {
    let path = file.path.trim_start_matches('/');
    command.push_str("git diff -- ");
    command.push_str(&file.path);
    let mut index = String::from("index ");
    push_hex(&mut index, rng.next(), 8);
    index.push_str("..");
    push_hex(&mut index, rng.next(), 8);
    index.push_str(" 100644");
    lines.push_line(&format!("diff --git a/{path} b/{path}"));
    lines.push_line(&index);
    lines.push_line(&format!("--- a/{path}"));
    lines.push_line(&format!("+++ b/{path}"));
    let mut next = 0;
    while lines.bytes() < bytes && next + 8 < file.lines.len() {
        let first = next + rng.below(8);
        next = hunk(file, scene, first, rng, lines);
    }
}

/// Appends one hunk that starts at the line `first`; returns the line after it.
fn hunk(file: &File, scene: &Scene, first: usize, rng: &mut Rng, lines: &mut Lines) -> usize {
    let change = (first + 3).min(file.lines.len());
    let kept = (change + rng.below(6)).min(file.lines.len());
    let end = (kept + 3).min(file.lines.len());
    let mut new = Lines::default();
    scene.body("    ", 0, rng, &mut new);
    let (old_len, start) = (end - first, first + 1);
    let new_len = old_len - (kept - change) + new.len();
    lines.push_line(&format!("@@ -{start},{old_len} +{start},{new_len} @@"));
    let mut put = |mark: &str, text: &str| {
        lines.tail().push_str(mark);
        lines.push_line(text);
    };
    (first..change).for_each(|line| put(" ", file.lines.get(line)));
    (change..kept).for_each(|line| put("-", file.lines.get(line)));
    (0..new.len()).for_each(|line| put("+", new.get(line)));
    (kept..end).for_each(|line| put(" ", file.lines.get(line)));
    end
}
