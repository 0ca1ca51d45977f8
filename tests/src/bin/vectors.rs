//! Writes `tests/vectors` anew, or with `--check` tells whether it would change.
//! `cargo xtask vectors` runs it.

use std::fs;
use std::process::ExitCode;

use turnkeep_tests::vectors;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(),
        ["--check"] => check(),
        _ => Err("usage: vectors [--check]".into()),
    };
    match outcome {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("vectors: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<String, String> {
    let files = vectors::files();
    let folder = vectors::folder();
    let failed = |error: std::io::Error| error.to_string();
    let stale = vectors::committed().unwrap_or_default();
    for path in stale.keys().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(folder.join(path)).map_err(failed)?;
    }
    for (path, content) in &files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(failed)?;
        fs::write(path, content).map_err(failed)?;
    }
    let bytes: usize = files.values().map(Vec::len).sum();
    Ok(format!("{} vectors, {} files, {bytes} bytes", files.len() / 2, files.len()))
}

fn check() -> Result<String, String> {
    let differing = vectors::differing(&vectors::files(), &vectors::committed()?);
    match differing.first() {
        None => Ok("the vectors are as they would be written".into()),
        Some(first) => Err(format!("{} files would change, first {first}", differing.len())),
    }
}
