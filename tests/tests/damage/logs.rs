//! A log, and what its readers must say of damaged copies of it.

use turnkeep::Head;
use turnkeep::core::log::{Expectation, Report, Verifier, verify};
use turnkeep::core::view::{Lines, Place};
use turnkeep_tests::build::Log;

use crate::verdict::{Verdict, line_at};

/// A log, what is known of it, and what a reader sees of it.
pub(crate) struct Known {
    pub(crate) log: Log,
    pub(crate) report: Report,
    /// What precedes each line, verified; and all.
    before: Vec<Report>,
    /// Each line as the viewer shows it.
    pub(crate) rows: Vec<String>,
}

impl Known {
    pub(crate) fn new(log: Log) -> Self {
        let report = deep(&log.0, &Expectation::default());
        assert!(report.fault.is_none() && report.entry_fault.is_none(), "{report:?}");
        let mut ends = vec![0];
        for line in log.lines() {
            ends.push(ends.last().copied().unwrap_or_default() + line.len());
        }
        let verified = |end: usize| verify(&log.0[..end], Expectation::default());
        let before = ends.into_iter().map(verified).collect();
        let rows = rows(&log.0);
        Self { log, report, before, rows }
    }

    pub(crate) fn head(&self) -> Head {
        self.report.head.expect("a head")
    }

    /// Who knows the session and its head.
    pub(crate) fn expectation(&self) -> Expectation {
        let head = self.head();
        Expectation { session: self.report.session.clone(), head: Some((head.seq, head.hash)) }
    }

    /// Verifying finds what it must, at its place, and vouches for what precedes it.
    pub(crate) fn check_report(&self, damaged: &[u8], verdict: Verdict, what: &str) {
        let found = deep(damaged, &self.expectation());
        match verdict {
            Verdict::Fault(code, line) => self.check_fault(&found, code, line, what),
            Verdict::Unended => {
                let line = self.rows.len() - 1;
                assert_eq!(found.head, self.before[line].head, "{what}");
                let code = if found.head.is_some() { "head_mismatch" } else { "empty_log" };
                assert_eq!(found.fault.as_ref().map(|fault| fault.code()), Some(code), "{what}");
                let end = found.head.map_or(0, |head| head.bytes);
                let torn = found.torn.map(|torn| (torn.offset, torn.bytes));
                assert_eq!(torn, Some((end, damaged.len() as u64 - end)), "{what}");
            }
            Verdict::Unfinished => {
                assert_eq!(found, self.report, "{what}");
                let end = usize::try_from(self.head().bytes).expect("fits");
                assert!(damaged[..end] == self.log.0[..end], "{what}");
            }
        }
    }

    /// A fault of that line, counted from 0.
    pub(crate) fn check_fault(&self, found: &Report, code: &str, line: usize, what: &str) {
        let fault = found.fault.as_ref().unwrap_or_else(|| panic!("{what}: not found"));
        let (place, number) = (fault.place(), line as u64);
        assert_eq!(fault.code(), code, "{what}: {fault}");
        let told = (place.line, place.seq, place.offset);
        let offset = self.log.offset(number + 1);
        assert_eq!(told, (Some(number + 1), Some(number), Some(offset)), "{what}: {fault}");
        assert_eq!(found.head, self.before[line].head, "{what}: what precedes it holds");
    }

    /// Who looks at it sees every other line as it was, and what is wrong with this one.
    pub(crate) fn check_rows(&self, damaged: &[u8], at: usize, verdict: Verdict, what: &str) {
        let found = rows(damaged);
        let (line, start) = line_at(&self.log.lines(), at);
        assert_eq!(found[..line], self.rows[..line], "{what}: lines before it");
        if found.len() != self.rows.len() {
            let near = &found[line..found.len().min(line + 2)];
            let is_told = near.iter().any(|row| row.contains(r#""problem":"#));
            assert!(is_told, "{what}: {near:?}");
            return;
        }
        // The line after it follows another hash, where that is what changed.
        let is_claim = (9..73).contains(&(at - start));
        let same = (line + 1 + usize::from(is_claim)).min(found.len());
        assert_eq!(found[same..], self.rows[same..], "{what}: lines after it");
        let problem = match verdict {
            Verdict::Fault("broken_link" | "unsupported_version", _) => "bad_hash",
            Verdict::Fault(code, _) => code,
            Verdict::Unended | Verdict::Unfinished => "torn_tail",
        };
        let problem = format!(r#""problem":{{"code":"{problem}""#);
        assert!(found[line].contains(&problem), "{what}: {problem} in {}", found[line]);
    }

    /// What a cut leaves: the head before it, and what follows that is torn.
    pub(crate) fn check_cut(&self, end: usize, what: &str) {
        let cut = &self.log.0[..end];
        let (line, start) = line_at(&self.log.lines(), end);
        let Report { head, session, .. } = &self.before[line];
        let head = *head;
        let found = deep(cut, &self.expectation());
        let code = match head {
            None => Some("empty_log"),
            // Before the fork it was its parent's.
            Some(_) if *session != self.report.session => Some("wrong_session"),
            Some(head) if head == self.head() => None,
            Some(_) => Some("head_mismatch"),
        };
        assert_eq!(found.fault.as_ref().map(|fault| fault.code()), code, "{what}");
        assert_eq!(found.head, head, "{what}");
        let whole = head.map_or(0, |head| head.bytes);
        let torn = found.torn.map_or(0, |torn| torn.bytes);
        assert_eq!(torn, end as u64 - whole, "{what}");
        let rows = rows(cut);
        assert_eq!(rows[..line], self.rows[..line], "{what}: whole lines");
        assert_eq!(rows.len(), line + usize::from(end > start), "{what}");
        let torn = r#""problem":{"code":"torn_tail""#;
        assert!(rows[line..].iter().all(|row| row.contains(torn)), "{what}: {rows:?}");
    }
}

pub(crate) fn deep(log: &[u8], expectation: &Expectation) -> Report {
    let mut verifier = Verifier::new(expectation.clone()).deep();
    verifier.push(log);
    verifier.finish()
}

/// Each line as the viewer shows it, as if what precedes it were whole.
pub(crate) fn rows(log: &[u8]) -> Vec<String> {
    rows_of(&Lines::new(log.to_vec()), 0)
}

/// The same of lines whose first is that entry.
pub(crate) fn rows_of(lines: &Lines, first: u64) -> Vec<String> {
    let place = Place { row: first, seq: Some(first), offset: 0, prev: None };
    (0..lines.len()).map(|at| lines.entries(place, at..at + 1)).collect()
}
