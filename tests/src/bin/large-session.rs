//! Makes a session of `MIB` MiB in the directory `ROOT`, verifies, archives, goes on with, merges and
//! restores it, and says after each how long it took and how much memory this process has used at
//! most, in KiB: `archive SECONDS PEAK`.

use std::sync::Arc;
use std::time::Instant;

use turnkeep::{Create, Error, FileStore, Session};
use turnkeep_tests::build::Random;
use turnkeep_tests::sessions::{id, user};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, mib] = &args[..] else { panic!("usage: large-session ROOT MIB") };
    let bytes = mib.parse::<u64>().expect("a number") << 20;
    let store = Arc::new(FileStore::open(root)?);
    let session = Session::create(store, Create::default().with_id(id("a")))?;
    told("create", || {
        // Texts that repeat after a while: what is measured is not how they are made.
        let mut random = Random::new(7);
        let texts: Vec<_> = (0..64).map(|_| user(&random.text(16_000))).collect();
        while session.head().map_or(0, |head| head.bytes) < bytes {
            session.append(&texts)?;
        }
        Ok(())
    })?;
    told("verify", || session.verify().map(drop))?;
    told("archive", || session.archive().map(drop))?;
    told("append", || session.append_one(&user("more")).map(drop))?;
    told("merge", || session.archive().map(drop))?;
    told("verify_archive", || session.verify().map(drop))?;
    told("restore", || session.restore().map(drop))
}

fn told(what: &str, run: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let start = Instant::now();
    run()?;
    let (seconds, peak) = (start.elapsed().as_secs_f64(), peak_kib().expect("Linux tells it"));
    println!("{what} {seconds:.2} {peak}");
    Ok(())
}

/// What the system says; nothing where it is not Linux.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
