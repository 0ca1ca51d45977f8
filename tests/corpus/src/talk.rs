//! What the user and the agent say.

use crate::lines::NEWLINE;
use crate::pool::POOL;
use crate::project::{File, Project};
use crate::rng::{Rng, Sizes};
use crate::scene::Scene;

const REQUEST_BYTES: Sizes = Sizes([40, 125, 195, 350, 740, 1572, 3300, 4300]);
const REMARK_BYTES: Sizes = Sizes([30, 80, 110, 150, 215, 310, 600, 1500]);
const REPORT_BYTES: Sizes = Sizes([120, 240, 600, 1500, 2500, 3800, 5400, 6000]);

/// A user's message.
pub(crate) fn request(project: &Project, now: u64, rng: &mut Rng) -> String {
    let file = project.current();
    let scene = file.scene(Some(project), now);
    let bytes = REQUEST_BYTES.draw(rng);
    let mut out = String::new();
    scene.line(&POOL.prose.requests, rng, &mut out);
    if out.len() < bytes {
        out.push(' ');
        scene.sentences((bytes - out.len()).min(500), rng, &mut out);
    }
    if out.len() + 100 < bytes {
        out.push_str("\\n\\n");
        fence(file, bytes - out.len(), rng, &mut out);
    }
    out
}

/// What the agent says before it uses a tool.
pub(crate) fn remark(project: &Project, now: u64, rng: &mut Rng) -> String {
    let scene = project.current().scene(Some(project), now);
    let bytes = REMARK_BYTES.draw(rng);
    let mut out = String::new();
    if bytes > 80 {
        scene.sentences(bytes - 60, rng, &mut out);
        out.push(' ');
    }
    scene.line(&POOL.prose.remarks, rng, &mut out);
    out
}

/// What the agent says at the end of a turn: Markdown.
pub(crate) fn report(project: &Project, now: u64, rng: &mut Rng) -> String {
    let file = project.current();
    let scene = file.scene(Some(project), now);
    let bytes = REPORT_BYTES.draw(rng);
    let mut out = String::new();
    scene.sentences(bytes.min(240), rng, &mut out);
    while out.len() < bytes {
        let rest = bytes - out.len();
        out.push_str("\\n\\n");
        match rng.below(5) {
            0 | 1 => scene.sentences(rest.min(420), rng, &mut out),
            2 | 3 => section(&scene, rng, &mut out),
            _ => fence(file, rest.min(900), rng, &mut out),
        }
    }
    out
}

/// A heading and a list.
fn section(scene: &Scene, rng: &mut Rng, out: &mut String) {
    out.push_str("## ");
    scene.line(&POOL.prose.headings, rng, out);
    out.push_str(NEWLINE);
    for _ in 0..2 + rng.below(5) {
        out.push_str("\\n- ");
        scene.line(&POOL.prose.bullets, rng, out);
        if rng.chance(50) {
            out.push_str(": ");
            scene.line(&POOL.prose.clauses, rng, out);
        }
    }
}

/// Lines of a file between fences.
fn fence(file: &File, bytes: usize, rng: &mut Rng, out: &mut String) {
    out.push_str("```");
    out.push_str(file.language.extension);
    out.push_str(NEWLINE);
    file.lines.write(file.some_lines(bytes, rng), out);
    out.push_str("```");
}
