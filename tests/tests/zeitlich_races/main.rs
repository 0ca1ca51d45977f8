//! What loses messages in zeitlich's tiers (Z1 to Z8), a thousand times each over a real Redis and a
//! real S3: nothing acknowledged is lost, nothing is there twice, nothing newer is overwritten. A
//! small model of zeitlich's way shows that each would.

mod edits;
mod flushes;
mod hydrations;
mod ids;
mod old_way;

use std::time::Instant;

use turnkeep_servers::Rule;

/// How often each scenario is gone through: a thousand times under `cargo xtask test --full`.
fn rounds() -> usize {
    if std::env::var_os("TURNKEEP_FULL").is_some() { 1000 } else { 125 }
}

/// So many rounds are on one session: reading it costs what it holds.
const A_SESSION: usize = 8;

/// Says how long a scenario took.
struct Timed(&'static str, usize, Instant);

impl Timed {
    fn new(what: &'static str) -> Self {
        Self::rounds(what, rounds())
    }

    fn rounds(what: &'static str, rounds: usize) -> Self {
        Self(what, rounds, Instant::now())
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        println!("{}: {} rounds in {:.1} s", self.0, self.1, self.2.elapsed().as_secs_f64());
    }
}

/// All writes of S3 below that key take so long.
fn slow(key: &str, delay_ms: u64) -> Vec<Rule> {
    let (method, key) = ("PUT".into(), key.into());
    vec![Rule { method, key, delay_ms, times: u32::MAX, ..Rule::default() }]
}
