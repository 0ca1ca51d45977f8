//! What tests prove, in figures. A test that counts prints a line `proof: 20000 seeds simulated`; lines
//! of the same words are added up.

use std::collections::BTreeMap;
use std::fmt;

/// Figures, by what they count.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Proof(BTreeMap<String, u64>);

const MARK: &str = "proof: ";

impl Proof {
    /// Takes over what a command printed.
    pub(crate) fn read(&mut self, lines: &[String]) {
        for line in lines {
            // A test's name may stand before it, where output is not held back.
            let Some((_, figure)) = line.split_once(MARK) else { continue };
            if let Some((count, what)) = figure.split_once(' ')
                && let Ok(count) = count.parse()
            {
                self.add(count, what);
            }
        }
    }

    pub(crate) fn add(&mut self, count: u64, what: &str) {
        *self.0.entry(what.trim().to_owned()).or_default() += count;
    }

    /// How many of these were counted.
    pub(crate) fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.0 {
            writeln!(f, "  {:>16}  {what}", grouped(*count))?;
        }
        Ok(())
    }
}

/// `1234567` as `1,234,567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let is_before_group = |index: usize| index > 0 && (digits.len() - index).is_multiple_of(3);
    let group = |(index, digit)| {
        let comma = if is_before_group(index) { "," } else { "" };
        format!("{comma}{digit}")
    };
    digits.chars().enumerate().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_same_words_are_added_up_and_other_lines_are_left() {
        let mut proof = Proof::default();
        let lines =
            ["proof: 1200 bits flipped", "test a ... proof: 34 bits flipped", "proof: none"];
        proof.read(&lines.map(String::from));
        assert_eq!(proof.to_string(), "             1,234  bits flipped\n");
    }
}
