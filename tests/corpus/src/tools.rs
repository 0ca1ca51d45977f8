//! The agent's tools: what it passes to them and what comes back.

use crate::lines::{Lines, NEWLINE, push_number};
use crate::pool::POOL;
use crate::project::{File, Project};
use crate::rng::{Rng, Sizes};
use crate::shell;

/// One use of a tool.
pub(crate) struct Call {
    pub(crate) tool: &'static str,
    /// JSON.
    pub(crate) input: String,
    /// Text, escaped for JSON.
    pub(crate) result: String,
    pub(crate) failed: bool,
}

const READ_BYTES: Sizes = Sizes([280, 1000, 1580, 2650, 4800, 8200, 20_000, 24_000]);
const GREP_BYTES: Sizes = Sizes([40, 110, 217, 737, 2439, 6500, 9123, 11_966]);
const EDIT_BYTES: Sizes = Sizes([60, 190, 290, 465, 740, 1130, 2300, 3400]);
const WRITE_BYTES: Sizes = Sizes([500, 780, 1300, 2050, 3600, 5200, 11_700, 12_300]);
const SNIPPET_BYTES: Sizes = Sizes([100, 200, 255, 330, 410, 500, 1250, 2100]);

/// Uses some tool on some file.
pub(crate) fn call(project: &mut Project, now: u64, rng: &mut Rng) -> Call {
    let tool = rng.weighted(&[35, 25, 21, 12, 7]);
    if tool < 4 {
        project.turn_to_some_file(rng);
    }
    let mut call = match tool {
        0 => read(project.current(), rng),
        1 => shell::call(project, now, rng),
        2 => edit(project.current_mut(), rng),
        3 => grep(project, rng),
        _ => write(project, rng),
    };
    if rng.chance(5) {
        fail(&mut call, project, now, rng);
    }
    call
}

fn read(file: &File, rng: &mut Rng) -> Call {
    let range = file.some_lines(READ_BYTES.draw(rng), rng);
    let mut input = format!("{{\"file_path\":\"{}\"", file.path);
    if range.start > 0 || range.end < file.lines.len() {
        input.push_str(&format!(",\"offset\":{},\"limit\":{}", range.start + 1, range.len()));
    }
    input.push('}');
    let mut result = String::new();
    file.lines.write_numbered(range, &mut result);
    Call { tool: "read_file", input, result, failed: false }
}

fn edit(file: &mut File, rng: &mut Rng) -> Call {
    let range = file.some_lines(EDIT_BYTES.draw(rng), rng);
    let mut new = Lines::default();
    let change = range.start + rng.below(range.len());
    let dropped = rng.below(3);
    for line in range.clone() {
        if line == change {
            let indent = indent(file.lines.get(line));
            file.scene(None, 0).body(indent, 1, rng, &mut new);
        }
        if !(change..change + dropped).contains(&line) {
            new.push_line(file.lines.get(line));
        }
    }
    let mut input = format!("{{\"file_path\":\"{}\",\"old_string\":\"", file.path);
    file.lines.write(range.clone(), &mut input);
    input.push_str("\",\"new_string\":\"");
    new.write(0..new.len(), &mut input);
    input.push_str("\",\"replace_all\":false}");
    file.lines.replace(range.clone(), &new);
    Call { tool: "edit_file", input, result: edited(file, range.start, rng), failed: false }
}

/// The spaces and (escaped) tabs a line starts with.
fn indent(line: &str) -> &str {
    let mut rest = line;
    while let Some(more) = rest.strip_prefix(' ').or_else(|| rest.strip_prefix("\\t")) {
        rest = more;
    }
    &line[..line.len() - rest.len()]
}

fn edited(file: &File, first: usize, rng: &mut Rng) -> String {
    let mut result = format!(
        "The file {} has been updated. Here's the result of running `cat -n` on a snippet of the \
         edited file:{NEWLINE}",
        file.path
    );
    let first = first.saturating_sub(3);
    file.lines.write_numbered(file.lines.span(first, SNIPPET_BYTES.draw(rng)), &mut result);
    result
}

fn grep(project: &Project, rng: &mut Rng) -> Call {
    let file = project.current();
    let needle = match rng.chance(60) {
        true => file.scene(None, 0).variable(rng),
        false => rng.pick(&file.vocabulary.names).last,
    };
    let (folder, _) = file.path.rsplit_once("/src/").unwrap_or((&file.path, ""));
    let input = format!(
        "{{\"pattern\":\"{needle}\",\"path\":\"{folder}\",\"output_mode\":\"content\",\"-n\":true}}"
    );
    let mut result = hits(project, needle, GREP_BYTES.draw(rng));
    if result.is_empty() {
        result.push_str("No matches found");
    }
    Call { tool: "grep", input, result, failed: false }
}

/// The lines with `needle` in the files used last, until they fill `bytes`.
fn hits(project: &Project, needle: &str, bytes: usize) -> String {
    let mut out = String::new();
    for file in project.recent().take(10) {
        let path = file.path.strip_prefix("/home/dev/work/").unwrap_or(&file.path);
        for line in file.lines.find(needle) {
            if out.len() >= bytes {
                return out;
            }
            out.push_str(path);
            out.push(':');
            push_number(&mut out, line as u64 + 1);
            out.push(':');
            out.push_str(file.lines.get(line));
            out.push_str(NEWLINE);
        }
    }
    out
}

fn write(project: &mut Project, rng: &mut Rng) -> Call {
    project.create(WRITE_BYTES.draw(rng), rng);
    let file = project.current();
    let mut input = format!("{{\"file_path\":\"{}\",\"content\":\"", file.path);
    file.lines.write(0..file.lines.len(), &mut input);
    input.push_str("\"}");
    let result = format!("File created successfully at: {}", file.path);
    Call { tool: "write_file", input, result, failed: false }
}

/// A failed command still shows what it printed; the other tools say no more than what went wrong.
fn fail(call: &mut Call, project: &Project, now: u64, rng: &mut Rng) {
    let mut error = String::new();
    project.current().scene(Some(project), now).line(&POOL.prose.errors, rng, &mut error);
    if call.tool == "bash" {
        error.push_str(NEWLINE);
        error.push_str(&call.result);
    }
    call.result = error;
    call.failed = true;
}
