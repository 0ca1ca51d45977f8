//! `cargo xtask demo`: the main job from end to end, on a transcript of a real agent.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::files::root;
use crate::process::{cargo, command, output, run, show};
use crate::{npm, setup};

const TRANSCRIPT: &str = "docs/examples/transcript.jsonl";
/// The native host records this many entries, Node the others.
const NATIVE_ENTRIES: usize = 14;
const ID: &str = "demo";

/// Builds what it needs, then shows each step with the command that made it.
pub(crate) fn run_demo() -> Result<()> {
    setup::ensure(setup::PACKAGE)?;
    npm::build()?;
    println!("building the native library and the `turnkeep` command …");
    run(cargo().args(["build", "--quiet", "--package", "turnkeep", "--bins", "--examples"]))?;
    let demo = Demo::new()?;
    demo.record()?;
    demo.continue_in_node()?;
    demo.verify()?;
    demo.archive()?;
    demo.damage()?;
    demo.next()
}

struct Demo {
    folder: PathBuf,
    store: String,
    programs: PathBuf,
}

impl Demo {
    fn new() -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
        let folder = root().join(&target).join("demo");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let store = Path::new(&target).join("demo/sessions").display().to_string();
        Ok(Self { folder, store, programs: root().join(target).join("debug") })
    }

    fn record(&self) -> Result<()> {
        title("1. Record a session from native Rust", "bindings-native/examples/record.rs");
        let (native, _) = self.drafts()?;
        let mut record = command(self.programs.join("examples/record"));
        show_and_run(record.args([&self.store, ID]).stdin(File::open(native)?))
    }

    fn continue_in_node(&self) -> Result<()> {
        title("2. Continue it from Node, through wasm", "npm/examples/continue.mjs");
        let (_, node) = self.drafts()?;
        let mut resume = command("node");
        let args = ["npm/examples/continue.mjs", &self.store, ID];
        show_and_run(resume.args(args).stdin(File::open(node)?))
    }

    fn verify(&self) -> Result<()> {
        title("3. Verify it natively, and read its end", "");
        show_and_run(&mut self.turnkeep(&["verify", ID]))?;
        show_and_run(&mut self.turnkeep(&["cat", ID, "--last", "3"]))
    }

    fn archive(&self) -> Result<()> {
        title("4. Archive it: one gzip file with an index in its header", "");
        let log = self.folder.join("sessions").join(format!("{ID}.jsonl"));
        let before = fs::read(&log).context("the log")?;
        fs::write(self.folder.join("copy.jsonl"), &before)?;
        show_and_run(&mut self.turnkeep(&["archive", ID]))?;
        show_and_run(&mut self.turnkeep(&["verify", ID]))?;
        let after = output(self.turnkeep(&["cat", ID, "--raw"]).env("NO_COLOR", "1"))?;
        ensure!(after.as_bytes() == before.trim_ascii_end(), "the archive gave other bytes");
        println!("the archive gives back the log's {} bytes, one for one", before.len());
        Ok(())
    }

    fn damage(&self) -> Result<()> {
        title("5. Flip one byte in a copy of the log, and find it", "");
        let copy = self.folder.join("copy.jsonl");
        let mut bytes = fs::read(&copy)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&copy, bytes)?;
        println!("flipped a bit of byte {middle}");
        let mut verify = self.turnkeep(&["verify", &copy.display().to_string()]);
        println!("$ {}", show(&verify));
        let status = verify.status()?;
        ensure!(status.code() == Some(20), "the damage was not found: {status}");
        println!("exit code 20: the chain is broken there, and all before it is readable");
        Ok(())
    }

    fn next(&self) -> Result<()> {
        let Self { store, .. } = self;
        println!(
            "
Done. Things to try next:
  export TURNKEEP_STORE={store}
  cargo run -q -p turnkeep -- show {ID}                   what the session is, in numbers
  cargo run -q -p turnkeep -- cat {ID} --from 2 --to 5    some of its entries, read by ranges
  zcat {store}/{ID}.jsonl.gz | head -3        the archive is plain gzip
  cargo run -q -p turnkeep -- --help                      everything else
  cargo xtask test                            every check there is
"
        );
        Ok(())
    }

    fn turnkeep(&self, args: &[&str]) -> Command {
        let mut turnkeep = command(self.programs.join("turnkeep"));
        turnkeep.args(["--store", &self.store]).args(args);
        turnkeep
    }

    /// The transcript in two halves, each in a file of its own.
    fn drafts(&self) -> Result<(PathBuf, PathBuf)> {
        let transcript = fs::read_to_string(root().join(TRANSCRIPT)).context(TRANSCRIPT)?;
        let lines: Vec<&str> = transcript.lines().collect();
        let (native, node) = lines.split_at(NATIVE_ENTRIES.min(lines.len()));
        let paths = (self.folder.join("first.jsonl"), self.folder.join("second.jsonl"));
        fs::write(&paths.0, native.join("\n") + "\n")?;
        fs::write(&paths.1, node.join("\n") + "\n")?;
        Ok(paths)
    }
}

fn title(step: &str, source: &str) {
    let source = if source.is_empty() { String::new() } else { format!("  ({source})") };
    println!("\n\u{2500}\u{2500} {step}{source}");
}

fn show_and_run(command: &mut Command) -> Result<()> {
    println!("$ {}", show(command));
    run(command)
}
