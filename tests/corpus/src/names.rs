//! Identifiers: what a file calls its things.

use crate::pool::{POOL, Pool};
use crate::rng::Rng;

/// An identifier of one or two words.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    first: &'static str,
    pub(crate) last: &'static str,
}

impl Name {
    pub(crate) fn draw(rng: &mut Rng, pool: &'static Pool) -> Self {
        let last = rng.word(&pool.nouns);
        let first = match rng.below(10) {
            0..=3 => "",
            4..=7 => rng.word(&pool.nouns),
            _ => rng.word(&pool.adjectives),
        };
        Self { first, last }
    }

    /// `a_name`
    pub(crate) fn snake(self, out: &mut String) {
        out.push_str(self.first);
        if !self.first.is_empty() {
            out.push('_');
        }
        out.push_str(self.last);
    }

    /// `aName`
    pub(crate) fn camel(self, out: &mut String) {
        out.push_str(self.first);
        match self.first {
            "" => out.push_str(self.last),
            _ => capitalized(self.last, out),
        }
    }

    /// `AName`
    pub(crate) fn pascal(self, out: &mut String) {
        capitalized(self.first, out);
        capitalized(self.last, out);
    }

    /// `A_NAME`
    pub(crate) fn upper(self, out: &mut String) {
        let from = out.len();
        self.snake(out);
        out[from..].make_ascii_uppercase();
    }
}

pub(crate) fn capitalized(word: &str, out: &mut String) {
    let from = out.len();
    out.push_str(word);
    capitalize(out, from);
}

/// Makes the letter at `from`, if it is one, a capital.
pub(crate) fn capitalize(out: &mut str, from: usize) {
    if let Some(first) = out.get_mut(from..from + 1) {
        first.make_ascii_uppercase();
    }
}

/// The words a file draws on. They are few, so that a file repeats itself as real ones do.
#[derive(Clone, Copy)]
pub(crate) struct Vocabulary {
    pub(crate) names: [Name; 20],
    pub(crate) types: [Name; 8],
    pub(crate) verbs: [&'static str; 10],
    pub(crate) topics: [&'static str; 20],
    pub(crate) qualities: [&'static str; 10],
    /// Which kinds of blocks and statements it prefers, as numbers.
    pub(crate) habits: [usize; 10],
}

impl Vocabulary {
    /// Some names are the project's (`shared`), the others this file's own.
    pub(crate) fn draw(rng: &mut Rng, shared: &[Name]) -> Self {
        let pool: &'static Pool = &POOL;
        Self {
            names: std::array::from_fn(|_| match rng.chance(40) {
                true => *rng.pick(shared),
                false => Name::draw(rng, pool),
            }),
            types: std::array::from_fn(|_| match rng.chance(50) {
                true => *rng.pick(shared),
                false => Name::draw(rng, pool),
            }),
            verbs: std::array::from_fn(|_| rng.word(&pool.verbs)),
            topics: std::array::from_fn(|_| rng.word(&pool.nouns)),
            qualities: std::array::from_fn(|_| rng.word(&pool.adjectives)),
            habits: std::array::from_fn(|_| rng.below(1 << 16)),
        }
    }
}
