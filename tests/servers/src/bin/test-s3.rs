//! S3 in memory for tests in other languages: `test-s3 [--personality linear|ignoring|racy]`.
//!
//! Prints one line of JSON (`endpoint`, `control`, `bucket`, `access_key`, `secret_key`, `region`)
//! and serves until its standard input ends. At `control`: `POST /plan` with an array of rules
//! (`turnkeep_servers::Rule`), `GET /requests`, `POST /reset`.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use serde_json::Value;
use turnkeep_servers::{Personality, S3Server};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let personality = match args.as_slice() {
        [] | ["--personality", "linear"] => Personality::Linear,
        ["--personality", "ignoring"] => Personality::Ignoring,
        ["--personality", "racy"] => Personality::Racy,
        _ => {
            eprintln!("usage: test-s3 [--personality linear|ignoring|racy]");
            return ExitCode::FAILURE;
        }
    };
    match serve(personality) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("test-s3: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(personality: Personality) -> io::Result<()> {
    let server = S3Server::start(personality);
    let mut access = serde_json::to_value(server.access())?;
    access["control"] = Value::from(server.open_control());
    let mut out = io::stdout().lock();
    writeln!(out, "{access}")?;
    out.flush()?;
    // Whoever started it holds the other end: it goes with them.
    io::stdin().read_to_end(&mut Vec::new()).map(|_| ())
}
