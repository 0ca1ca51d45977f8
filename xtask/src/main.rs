//! The repository's commands. `cargo xtask help` lists them.

mod api;
mod bench;
mod demo;
mod files;
mod freeze;
mod miri;
mod npm;
mod process;
mod progress;
mod proof;
mod prove;
mod rust_tests;
mod setup;
mod steps;
mod test;
mod vectors;
mod wasm;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use steps::Extent;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[&str]) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match args {
        [] | ["help"] | [.., "--help" | "-h"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        ["setup"] => {
            setup::ensure(setup::EVERYTHING)?;
            println!("setup: everything needed is there");
            Ok(ExitCode::SUCCESS)
        }
        ["wasm"] => wasm::build().map(done),
        ["npm"] => npm::build().map(done),
        ["test", "--list"] => {
            test::list();
            Ok(ExitCode::SUCCESS)
        }
        ["test", "--full", names @ ..] => test::run(names, Extent::Full),
        ["test", names @ ..] => test::run(names, Extent::Usual),
        ["rust-tests"] => rust_tests::check().map(done),
        ["demo"] => demo::run_demo().map(done),
        ["bench", rest @ ..] => bench::run_bench(rest).map(done),
        ["vectors", rest @ ..] => vectors::run(rest).map(done),
        ["api", rest @ ..] => api::check(rest).map(done),
        ["prove", rest @ ..] => prove::prove(rest),
        ["freeze", rest @ ..] => freeze::run(rest).map(done),
        ["miri", names @ ..] => miri::check(names).map(done),
        [unknown, ..] => bail!("`{unknown}` with these arguments is no command\n\n{HELP}"),
    }
}

const HELP: &str = "\
cargo xtask COMMAND

  setup           install what the other commands need: wasm target, npm packages, Chromium, mkfs, Redis, Python
  wasm            build bindings-wasm for the package and for the page, when a source is newer
  npm             wasm, then the TypeScript package into npm/dist and the page into npm/viewer/dist
  test            everything that CI checks, in order; stops at the first failure
  test STEP...    only these steps
  test --list     the names of the steps
  test --full     the same with more rounds of what races, larger files, and the steps that take long
  rust-tests      the Rust tests alone, several programs at a time
  demo            the main job from end to end, on an example transcript
  bench [OPTION]  measurements beside peers; --full adds an archive of 1 GiB, --json FILE
  vectors         write the test vectors anew
  api [--bless]   the crates' public API, against the one written down in tests/api
  prove           what the tests prove, in figures; prove 2h: the simulator, fuzzers and mutants for so long
  freeze NAME     keep what this version writes, for later versions to read
  miri [TEST...]  core's tests in an interpreter that sees what is wrong with memory; many minutes

Before `rust-tests`, `prove` and single steps of `test` run `setup`; a step needs what those before it build, too.
The others install what they need, but for Node and, for `miri`, a nightly Rust.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_takes_no_arguments() {
        assert!(dispatch(&["demo", "now"]).is_err());
    }

    #[test]
    fn who_asks_a_command_for_help_does_not_run_it() {
        assert!(dispatch(&["freeze", "--help"]).is_ok());
        assert!(dispatch(&["test", "-h"]).is_ok());
    }
}
