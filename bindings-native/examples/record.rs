//! Records drafts, one JSON object a line on standard input, into a session of a store.
//!
//! ```sh
//! head -14 docs/examples/transcript.jsonl | cargo run --example record -- ./sessions demo
//! ```

use std::io::stdin;
use std::sync::Arc;

use turnkeep::{Create, Durability, FileStore, Session, SessionId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(id)) = (args.next(), args.next()) else {
        return Err("usage: record FOLDER ID".into());
    };
    let mut drafts = stdin().lines().collect::<Result<Vec<_>, _>>()?.into_iter().peekable();

    // The first draft opens the log, if it is of that kind.
    let mut options = Create::default().with_id(SessionId::new(id)?);
    if let Some(start) = drafts.next_if(|draft| draft.starts_with(r#"{"kind":"session_start""#)) {
        options = options.with_start(start.parse()?);
    }
    let store = Arc::new(FileStore::open(folder)?);
    let session = Session::create(store, options.with_durability(Durability::Disk))?;
    for draft in drafts {
        session.append(&[draft])?; // acknowledged only once it is on the disk
    }
    let head = session.head().ok_or("no entry")?;
    println!("{} entries, head {}", head.seq + 1, head.hash);
    Ok(())
}
