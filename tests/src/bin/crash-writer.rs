//! Appends batches of three to `SESSION` in the directory `ROOT` until it is killed, and says each
//! time that one was acknowledged as durable: its first entry's number.

use std::io::Write;
use std::sync::Arc;

use turnkeep::core::session::{self, Append, Create};
use turnkeep::{Durability, Error, ErrorKind, FileStore, drive};
use turnkeep_tests::sessions::{id, user};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, name] = &args[..] else { panic!("usage: crash-writer ROOT SESSION") };
    let store = Arc::new(FileStore::open(root)?);
    let mut session = match drive(session::open(id(name)), &*store) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::EmptyLog) => {
            let options = Create::default().with_id(id(name)).with_durability(Durability::Disk);
            drive(session::create(options), &*store)?
        }
        session => session?,
    };
    drive(session::track(session.clone(), "/project"), &*store)?;
    let mut out = std::io::stdout();
    loop {
        let drafts: Vec<_> = (0..3).map(|part| user(&format!("part {part} of a batch"))).collect();
        let append = Append::from(drafts).with_durability(Durability::Disk);
        let appended = drive(session::append(session, append), &*store)?;
        session = appended.session;
        writeln!(out, "{}", appended.first_seq).and_then(|()| out.flush()).ok();
    }
}
