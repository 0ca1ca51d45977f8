//! Freezes what this version writes under a new name. `cargo xtask freeze NAME` runs it.

use std::process::ExitCode;

use turnkeep_tests::frozen;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &args[..] {
        [name] => frozen::freeze(name).map(|counts| (name, counts)),
        _ => Err("usage: freeze NAME".into()),
    };
    match outcome {
        Ok((name, (files, bytes))) => {
            println!("{name}: {files} files, {bytes} bytes, and what reading them gives");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("freeze: {why}");
            ExitCode::FAILURE
        }
    }
}
