//! Prints a transcript as draft lines.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use turnkeep_corpus::Corpus;

const USAGE: &str = "usage: turnkeep-corpus --seed S (--messages N | --bytes N)";

fn main() -> ExitCode {
    let Some(order) = Order::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match order.print() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough (`| head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("turnkeep-corpus: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Order {
    seed: u64,
    messages: u64,
    bytes: u64,
}

impl Order {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (mut seed, mut messages, mut bytes) = (None, None, None);
        while let Some(name) = arguments.next() {
            let value = arguments.next()?.parse().ok()?;
            match name.as_str() {
                "--seed" => seed = Some(value),
                "--messages" => messages = Some(value),
                "--bytes" => bytes = Some(value),
                _ => return None,
            }
        }
        if messages.is_some() == bytes.is_some() {
            return None;
        }
        let (messages, bytes) = (messages.unwrap_or(u64::MAX), bytes.unwrap_or(u64::MAX));
        Some(Self { seed: seed?, messages, bytes })
    }

    /// Whole lines, until they are so many or reach so many bytes.
    fn print(&self) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
        let mut corpus = Corpus::new(self.seed);
        let (mut messages, mut bytes) = (0, 0);
        while messages < self.messages && bytes < self.bytes {
            let Some(message) = corpus.next() else { break };
            let draft = message.draft();
            out.write_all(draft.as_bytes())?;
            out.write_all(b"\n")?;
            messages += 1;
            bytes += draft.len() as u64 + 1;
        }
        out.flush()
    }
}
