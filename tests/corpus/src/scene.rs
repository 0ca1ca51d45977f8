//! Fills templates: where the words of a slot come from.

use crate::lines::{Lines, push_number};
use crate::names::{Vocabulary, capitalize, capitalized};
use crate::pool::{Language, POOL};
use crate::project::Project;
use crate::rng::Rng;
use crate::template::{Bound, Line, Piece, Slot, Template};
use crate::time;

/// What a text is about.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) language: &'static Language,
    /// The path of the file at hand.
    pub(crate) path: &'a str,
    /// Its lines, none while it is being written.
    pub(crate) lines: Option<&'a Lines>,
    pub(crate) project: Option<&'a Project>,
    pub(crate) now: u64,
    /// Where in the vocabulary the names are that this piece of text mentions.
    pub(crate) focus: usize,
}

/// The kinds of [`Bound`] words.
const NAME: usize = 0;
const TYPE: usize = 1;
const VERB: usize = 2;
const SHORT: usize = 3;
const TOPIC: usize = 4;
const LINE: usize = 5;

const SHORTS: [&str; 32] = [
    "buf", "key", "idx", "len", "ctx", "tmp", "acc", "pos", "cur", "src", "dst", "val", "row",
    "raw", "msg", "err", "cfg", "opt", "arg", "req", "res", "it", "id", "el", "out", "seg", "cmd",
    "ev", "fd", "ptr", "ch", "sub",
];

impl Scene<'_> {
    /// All lines of a template, indented.
    pub(crate) fn block(
        &self,
        template: &Template,
        indent: &str,
        depth: usize,
        bound: &mut Bound,
        rng: &mut Rng,
        lines: &mut Lines,
    ) {
        for line in &template.0 {
            match line {
                Line::Text(pieces) => {
                    if !pieces.is_empty() {
                        lines.tail().push_str(indent);
                    }
                    self.pieces(pieces, bound, rng, lines.tail());
                    lines.end_line();
                }
                Line::Body(more) => self.body(&format!("{indent}{more}"), depth, rng, lines),
            }
        }
    }

    /// Some statements.
    pub(crate) fn body(&self, indent: &str, depth: usize, rng: &mut Rng, lines: &mut Lines) {
        let most = [5, 3, 2, 1][depth.min(3)];
        for _ in 0..1 + rng.below(most) {
            let statement = self.habitual(&self.language.statements, rng);
            // Deep down only statements that end.
            let flat = !statement.0.iter().any(|line| matches!(line, Line::Body(_)));
            if flat || depth < 3 {
                self.block(statement, indent, depth + 1, &mut Bound::new(), rng, lines);
            }
        }
    }

    /// One of `templates`, mostly one the file has had before.
    pub(crate) fn habitual<'t>(&self, templates: &'t [Template], rng: &mut Rng) -> &'t Template {
        let habits = &self.vocabulary.habits;
        match rng.chance(92) {
            true => &templates[habits[rng.skewed(habits.len())] % templates.len()],
            false => rng.pick(templates),
        }
    }

    /// A template of one line, without its break.
    pub(crate) fn line(&self, templates: &[Template], rng: &mut Rng, out: &mut String) {
        if let Some(Line::Text(pieces)) = rng.pick(templates).0.first() {
            self.pieces(pieces, &mut Bound::new(), rng, out);
        }
    }

    /// Sentences up to about `bytes`, at least one.
    pub(crate) fn sentences(&self, bytes: usize, rng: &mut Rng, out: &mut String) {
        let end = out.len() + bytes;
        self.sentence(rng, out);
        while out.len() < end {
            out.push(' ');
            self.sentence(rng, out);
        }
    }

    fn sentence(&self, rng: &mut Rng, out: &mut String) {
        let prose = &POOL.prose;
        let from = out.len();
        if rng.chance(35) {
            self.line(&prose.openers, rng, out);
            out.push(' ');
        }
        self.line(&prose.clauses, rng, out);
        if rng.chance(45) {
            self.line(&prose.joiners, rng, out);
            out.push(' ');
            self.line(&prose.clauses, rng, out);
        }
        out.push('.');
        capitalize(out, from);
    }

    /// What fits on a line of source code.
    fn short_sentence(&self, rng: &mut Rng, out: &mut String) {
        let from = out.len();
        self.line(&POOL.prose.clauses, rng, out);
        out.push('.');
        capitalize(out, from);
    }

    pub(crate) fn pieces(
        &self,
        pieces: &[Piece],
        bound: &mut Bound,
        rng: &mut Rng,
        out: &mut String,
    ) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Slot(slot) => self.slot(*slot, bound, rng, out),
            }
        }
    }

    fn slot(&self, slot: Slot, bound: &mut Bound, rng: &mut Rng, out: &mut String) {
        let words = self.vocabulary;
        // A piece of text comes back to the few words around its focus.
        let mut near = |kind, count, reach| {
            bound.index(kind, slot.digit, || (self.focus + rng.skewed(reach)) % count)
        };
        match slot.letter {
            b'n' => words.names[near(NAME, words.names.len(), 6)].snake(out),
            b'm' => words.names[near(NAME, words.names.len(), 6)].camel(out),
            b'N' => words.names[near(NAME, words.names.len(), 6)].pascal(out),
            b'K' => words.names[near(NAME, words.names.len(), 6)].upper(out),
            b'T' => words.types[near(TYPE, words.types.len(), 4)].pascal(out),
            b'v' => out.push_str(words.verbs[near(VERB, words.verbs.len(), 5)]),
            b'V' => capitalized(words.verbs[near(VERB, words.verbs.len(), 5)], out),
            b'i' => out.push_str(self.short(near(SHORT, SHORTS.len(), 4))),
            b'L' => push_number(out, near(LINE, 900, 900) as u64 + 1),
            b'w' if slot.digit > 0 => out.push_str(words.topics[near(TOPIC, 20, 20)]),
            _ => self.fresh(slot.letter, rng, out),
        }
    }

    /// Some short variable of this file.
    pub(crate) fn variable(&self, rng: &mut Rng) -> &'static str {
        self.short(self.focus + rng.below(4))
    }

    fn short(&self, index: usize) -> &'static str {
        SHORTS[(index + self.vocabulary.habits[0]) % SHORTS.len()]
    }

    /// The slots that no digit binds.
    fn fresh(&self, letter: u8, rng: &mut Rng, out: &mut String) {
        match letter {
            b'w' if rng.chance(55) => out.push_str(self.vocabulary.topics[rng.skewed(20)]),
            b'w' => out.push_str(rng.word(&POOL.nouns)),
            b'a' if rng.chance(55) => out.push_str(rng.word(&self.vocabulary.qualities)),
            b'a' => out.push_str(rng.word(&POOL.adjectives)),
            b'q' => out.push_str(rng.word(&POOL.verbs)),
            b'y' => self.line(&self.language.primitives, rng, out),
            b'd' => push_number(out, number(rng)),
            b'e' => push_number(out, 10 + rng.below(50) as u64),
            b'h' => push_number(out, 10 + rng.below(14) as u64),
            b'D' => push_number(out, 1000 + rng.below(98_000) as u64),
            b'x' => push_hex(out, rng.next(), 8),
            b's' => self.short_sentence(rng, out),
            b'k' => self.line(&POOL.prose.comments, rng, out),
            b'F' => out.push_str(self.path),
            b'f' => out.push_str(self.project.map_or(self.path, |project| project.any_path(rng))),
            b'p' => out.push_str(self.folder()),
            b'u' => out.push_str(self.any_line(rng)),
            b'z' => time::push_iso(out, self.now + rng.below(60_000) as u64),
            other => panic!("the pool has a slot ${}", char::from(other)),
        }
    }

    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or(self.path, |(folder, _)| folder)
    }

    fn any_line(&self, rng: &mut Rng) -> &str {
        match self.lines {
            Some(lines) => lines.get(rng.below(lines.len())).trim_start(),
            None => "",
        }
    }
}

/// A number as programs hold them: mostly small, often a power of two.
fn number(rng: &mut Rng) -> u64 {
    match rng.below(8) {
        0..=2 => rng.below(10) as u64,
        3 | 4 => 10 + rng.below(90) as u64,
        5 => 1 << rng.below(10),
        _ => 100 + rng.below(900) as u64,
    }
}

/// The lowest `digits` digits of a number in hex.
pub(crate) fn push_hex(out: &mut String, number: u64, digits: u32) {
    for at in (0..digits).rev() {
        out.push(char::from(b"0123456789abcdef"[(number >> (4 * at) & 15) as usize]));
    }
}
