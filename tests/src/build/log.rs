//! Logs of any lines, with right hashes whatever the lines say (§3 of `docs/format.md`).

use std::io::BufRead;

use turnkeep_core::sha256;

/// The clock of every log made here.
pub const TS: u64 = 1_760_000_000_000;
/// The session of every log made here, unless its name says otherwise.
pub const SESSION: &str = "demo";

/// Bytes as lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The salt of entry `seq`: the number's own eight bytes in base64url.
#[must_use]
pub fn salt(seq: u64) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let shifted = u128::from(seq) << 2; // 64 bits are 10 digits and 4 bits: two zero bits more
    let digit = |place: u32| DIGITS[(shifted >> (6 * place)) as usize & 63];
    (0..11).rev().map(|place| char::from(digit(place))).collect()
}

/// REST of a first line with these fields (each with its comma in front).
#[must_use]
pub fn start(fields: &str) -> String {
    start_of(&format!("\"{SESSION}\""), fields)
}

/// REST of the first line of a session, whose id is given as JSON.
#[must_use]
pub fn start_of(session: &str, fields: &str) -> String {
    let salt = salt(0);
    format!(
        r#""kind":"session_start","seq":0,"format":1,"session":{session},"ts":{TS},"salt":"{salt}"{fields}}}"#
    )
}

/// The envelope of another line, with `more` where it is not 0.
#[must_use]
pub fn envelope(seq: u64, kind: &str, more: u64) -> String {
    let (ts, salt) = (TS + seq, salt(seq));
    let more = if more > 0 { format!(r#","more":{more}"#) } else { String::new() };
    format!(r#""kind":"{kind}","seq":{seq},"ts":{ts},"salt":"{salt}"{more}"#)
}

/// REST of another line with these fields (each with its comma in front).
#[must_use]
pub fn entry(seq: u64, kind: &str, fields: &str) -> String {
    envelope(seq, kind, 0) + fields + "}"
}

/// The same REST in a log whose last fork is that entry.
#[must_use]
pub fn after_fork(fork: u64, rest: &str) -> String {
    rest.replacen(",\"salt\":", &format!(",\"fork\":{fork},\"salt\":"), 1)
}

/// A point of a session as JSON.
#[must_use]
pub fn point(session: &str, seq: u64, hash: &str) -> String {
    format!(r#"{{"session":"{session}","seq":{seq},"hash":"{hash}"}}"#)
}

/// A line of these hashes, `\n` included.
#[must_use]
pub fn prefixed(hash: &str, prev: Option<&str>, rest: &[u8]) -> Vec<u8> {
    let prev = prev.map_or("null".into(), |prev| format!("\"{prev}\""));
    let prefix = format!(r#"{{"hash":"{hash}","prev_hash":{prev},"#);
    [prefix.as_bytes(), rest, b"\n"].concat()
}

/// The bytes of a log, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log(pub Vec<u8>);

impl Log {
    /// A log of these RESTs, chained.
    #[must_use]
    pub fn of<R: AsRef<[u8]>>(rests: &[R]) -> Self {
        let digests = rests.iter().map(|rest| (rest.as_ref().to_vec(), digest(rest.as_ref())));
        Self::chain(digests)
    }

    fn chain(rests: impl Iterator<Item = (Vec<u8>, [u8; 32])>) -> Self {
        let mut log = Vec::new();
        let mut prev: Option<[u8; 32]> = None;
        for (rest, digest) in rests {
            let message = [b"turnkeep/1\n", &prev.unwrap_or_default()[..], &digest].concat();
            let hash = *sha256(&message).as_bytes();
            log.extend(prefixed(&hex(&hash), prev.map(|prev| hex(&prev)).as_deref(), &rest));
            prev = Some(hash);
        }
        Self(log)
    }

    /// A log that reads: it starts, a run of one turn happens in it, three of its entries (2, 3, 4)
    /// are one batch. Seven lines.
    #[must_use]
    pub fn sample() -> Self {
        Self::of(&sample_rests())
    }

    /// The same, followed by more.
    #[must_use]
    pub fn sample_and<R: AsRef<[u8]>>(more: &[R]) -> Self {
        let mut rests: Vec<_> = sample_rests().into_iter().map(String::into_bytes).collect();
        rests.extend(more.iter().map(|rest| rest.as_ref().to_vec()));
        Self::of(&rests)
    }

    /// A log of that many items of running text, of about that many bytes each; `batch` of them are
    /// appended together.
    #[must_use]
    pub fn text(items: u64, bytes: usize, batch: u64) -> Self {
        let mut random = super::Random::new(items ^ bytes as u64);
        let rests = (0..=items).map(|seq| match seq.checked_sub(1) {
            None => start(""),
            Some(number) => {
                let more = (batch - 1 - number % batch).min(items - 1 - number);
                let size = bytes / 2 + random.below(bytes);
                let text = random.text(size);
                let kind = ["user_input", "assistant_item", "tool_result"][random.below(3)];
                envelope(seq, kind, more) + &format!(r#","item":{{"text":"{text}"}}}}"#)
            }
        });
        Self::of(&rests.collect::<Vec<_>>())
    }

    /// Its lines, each with its `\n`; what follows the last `\n` is the last one.
    #[must_use]
    pub fn lines(&self) -> Vec<&[u8]> {
        // `skip_until` is fast in debug builds too: some logs here have lines of 32 MiB.
        let (mut rest, mut lines) = (&self.0[..], Vec::new());
        while !rest.is_empty() {
            let start = rest;
            let length = rest.skip_until(b'\n').unwrap_or(start.len());
            lines.push(&start[..length]);
        }
        lines
    }

    /// A log of other lines, as they are.
    #[must_use]
    pub fn from_lines(lines: &[&[u8]]) -> Self {
        Self(lines.concat())
    }

    /// Where a line starts; lines are numbered from 1.
    #[must_use]
    pub fn offset(&self, line: u64) -> u64 {
        let before = usize::try_from(line - 1).unwrap_or(usize::MAX);
        self.lines().iter().take(before).map(|line| line.len() as u64).sum()
    }

    /// The hash that an entry's line claims.
    #[must_use]
    pub fn hash(&self, seq: u64) -> String {
        let line = self.lines()[usize::try_from(seq).unwrap_or(usize::MAX)];
        String::from_utf8_lossy(&line[9..73]).into_owned()
    }

    /// What follows the prefix of every line.
    #[must_use]
    pub fn rests(&self) -> Vec<&[u8]> {
        self.lines().into_iter().enumerate().map(|(index, line)| cut(index, line)).collect()
    }

    /// The same with these entries withheld (§3.4).
    #[must_use]
    pub fn redact(&self, entries: &[u64]) -> Self {
        let redacted = |(index, line): (usize, &[u8])| {
            if !entries.contains(&(index as u64)) {
                return line.to_vec();
            }
            let rest = cut(index, line);
            let digest = hex(&digest(rest));
            let prefix = &line[..line.len() - 1 - rest.len()];
            let rest = format!(r#""kind":"redacted","digest":"{digest}"}}"#);
            [prefix, rest.as_bytes(), b"\n"].concat()
        };
        Self(self.lines().into_iter().enumerate().flat_map(redacted).collect())
    }

    /// The same with the first `from` replaced, hashes left as they are.
    ///
    /// # Panics
    ///
    /// Where there is no `from`.
    #[must_use]
    pub fn replace(&self, from: &str, to: &str) -> Self {
        let at = self.0.windows(from.len()).position(|window| window == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("no {from:?} in the log"));
        let (before, after) = (&self.0[..at], &self.0[at + from.len()..]);
        Self([before, to.as_bytes(), after].concat())
    }

    /// The same up to an offset.
    #[must_use]
    pub fn cut(&self, end: u64) -> Self {
        Self(self.0[..usize::try_from(end).unwrap_or(usize::MAX)].to_vec())
    }

    /// The same with more bytes at its end.
    #[must_use]
    pub fn and(&self, bytes: &[u8]) -> Self {
        Self([&self.0, bytes].concat())
    }
}

fn cut(index: usize, line: &[u8]) -> &[u8] {
    let prefix = if index == 0 { 92 } else { 154 };
    line[prefix..].strip_suffix(b"\n").unwrap_or(&line[prefix..])
}

fn digest(rest: &[u8]) -> [u8; 32] {
    *sha256(&[b"{", rest].concat()).as_bytes()
}

fn sample_rests() -> Vec<String> {
    let batch = |seq, kind, more, fields: &str| envelope(seq, kind, more) + fields + "}";
    vec![
        start(r#","system_prompt":"Be brief.""#),
        entry(1, "run_started", r#","run":"r1""#),
        batch(
            2,
            "user_input",
            2,
            r#","item":{"role":"user","content":"What is 6 × 7?"},"id":"u1""#,
        ),
        batch(
            3,
            "assistant_item",
            1,
            r#","item":{"call":"multiply","args":[6,7]},"id":"a1","parent":"u1""#,
        ),
        batch(
            4,
            "tool_result",
            0,
            r#","item":{"call":"multiply","result":42},"id":"t1","parent":"a1""#,
        ),
        entry(5, "turn_end", r#","turn":1"#),
        entry(6, "run_completed", r#","result":"finished","run":"r1""#),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of §3.1.
    #[test]
    fn the_worked_example_is_made() {
        let rests = [
            r#""kind":"session_start","seq":0,"format":1,"session":"demo","ts":1760000000000,"salt":"AAAAAAAAAAA"}"#,
            r#""kind":"user_input","seq":1,"ts":1760000000001,"salt":"AAAAAAAAAAE","item":{"role":"user","content":"Hi"}}"#,
        ];
        assert_eq!(rests[0], start(""));
        assert_eq!(rests[1], entry(1, "user_input", r#","item":{"role":"user","content":"Hi"}"#));
        let log = Log::of(&rests);
        let sum = "1e85d613de1a95c0070b716a014cd481dae5971fe720e72240abc4c9869cff2c";
        assert_eq!(hex(sha256(&log.0).as_bytes()), sum);
        assert_eq!(log.rests(), rests.map(str::as_bytes));
    }
}
