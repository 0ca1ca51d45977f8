//! Makes sessions in the directory `ROOT` that survive a loss of power, then does one thing to them
//! again and again, and says what it does: `begin OPERATION NAME` before, `done OPERATION NAME` once
//! it is acknowledged. `MODE` is
//!
//! | mode | does |
//! |---|---|
//! | `retain` | archives sessions and restores others, in turn, until it is killed |
//! | `prune` | archives all before it says that it is ready, then prunes one after another |
//! | `careless` | archives each in an order that is wrong: nothing is synced before the log goes |
//!
//! First it says `created NAME SEQ HASH BYTES` of each of the `COUNT` sessions of about `BYTES`
//! bytes, then `ready`, and goes on when told a line. With everything done it says `finished` and
//! waits.

use std::error::Error;
use std::fs::{self, File};
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use turnkeep::core::store::Condition;
use turnkeep::{Create, Durability, FileStore, MemoryStore, Session, SessionId, Store, retention};
use turnkeep_tests::build::Random;
use turnkeep_tests::sessions::{archive_key, bytes_of, head, id, log_key, open, user};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, root, count, bytes] = &args[..] else {
        panic!("usage: retention-writer MODE ROOT COUNT BYTES")
    };
    let store: Arc<dyn Store> = Arc::new(FileStore::open(root)?);
    let names: Vec<String> = (0..count.parse()?).map(|number| format!("s{number:03}")).collect();
    for (number, name) in names.iter().enumerate() {
        create(&store, name, number, bytes.parse()?)?;
    }
    if mode == "prune" {
        names.iter().try_for_each(|name| age(root.as_ref(), name))?;
        names.iter().try_for_each(|name| archive(&store, name))?;
    }
    say("ready")?;
    stdin().read_line(&mut String::new())?;
    match mode.as_str() {
        "retain" => retain(&store, &names)?,
        "prune" => one_by_one("prune", &names, |name| prune(&*store, &id(name)))?,
        "careless" => {
            one_by_one("archive", &names, |name| archive_carelessly(&store, root.as_ref(), name))?;
        }
        unknown => panic!("there is no mode {unknown}"),
    }
    say("finished")?;
    stdin().read_line(&mut String::new())?;
    Ok(())
}

fn say(line: &str) -> Outcome {
    let mut out = stdout();
    // In one write: whoever reads gets whole lines.
    out.write_all(format!("{line}\n").as_bytes())?;
    Ok(out.flush()?)
}

/// A session of text that compresses badly, as large as told or a few times smaller.
fn create(store: &Arc<dyn Store>, name: &str, number: usize, bytes: usize) -> Outcome {
    let options = Create::default().with_id(id(name)).with_durability(Durability::Disk);
    let session = Session::create(store.clone(), options)?;
    let mut random = Random::new(number as u64);
    let mut left = bytes / (1 + number % 4);
    while left > 0 {
        let part = left.min(100_000);
        let text: String = (0..part).map(|_| char::from(b'#' + random.below(57) as u8)).collect();
        session.append_one(&user(&text))?;
        left -= part;
    }
    let head = head(&session);
    say(&format!("created {name} {} {} {}", head.seq, head.hash, head.bytes))
}

/// Says of each session that the operation begins and that it is done.
fn one_by_one(what: &str, names: &[String], run: impl Fn(&str) -> Outcome) -> Outcome {
    for name in names {
        telling(what, name, &run)?;
    }
    Ok(())
}

fn telling(what: &str, name: &str, run: impl Fn(&str) -> Outcome) -> Outcome {
    say(&format!("begin {what} {name}"))?;
    run(name)?;
    say(&format!("done {what} {name}"))
}

/// Half of the sessions are archived at any time; the one that was for the longest is restored.
fn retain(store: &Arc<dyn Store>, names: &[String]) -> Outcome {
    let half = names.len().div_ceil(2);
    for turn in 0.. {
        if turn >= half {
            let name = &names[(turn - half) % names.len()];
            telling("restore", name, |name| restore(store, name))?;
        }
        telling("archive", &names[turn % names.len()], |name| archive(store, name))?;
    }
    Ok(())
}

fn archive(store: &Arc<dyn Store>, name: &str) -> Outcome {
    open(store, name)?.archive()?;
    Ok(())
}

fn restore(store: &Arc<dyn Store>, name: &str) -> Outcome {
    open(store, name)?.restore()?;
    Ok(())
}

fn prune(store: &dyn Store, id: &SessionId) -> Outcome {
    retention::prune(store, id, "cut off")?;
    Ok(())
}

/// Makes a session look unused: nothing is pruned that was in use within the last minute.
fn age(root: &Path, name: &str) -> Outcome {
    let hour = Duration::from_secs(3600);
    let log = File::options().write(true).open(root.join(log_key(name).as_str()))?;
    Ok(log.set_modified(SystemTime::now() - hour)?)
}

/// The archive is what it should be, but written under its final name and not synced; then the log
/// is removed for good.
fn archive_carelessly(store: &Arc<dyn Store>, root: &Path, name: &str) -> Outcome {
    let aside: Arc<dyn Store> = Arc::new(MemoryStore::new());
    aside.put(&log_key(name), &bytes_of(store, &log_key(name)), &Condition::Absent)?;
    archive(&aside, name)?;
    fs::write(root.join(archive_key(name).as_str()), bytes_of(&aside, &archive_key(name)))?;
    fs::remove_file(root.join(log_key(name).as_str()))?;
    Ok(File::open(root)?.sync_all()?)
}
