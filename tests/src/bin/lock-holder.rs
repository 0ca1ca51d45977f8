//! Another process that writes to a session: opens `SESSION` in the directory `ROOT`, appends to it,
//! says so, and holds it until its standard input ends.

use std::io::{Read, Write};
use std::sync::Arc;

use turnkeep::{Error, FileStore, Session};
use turnkeep_tests::sessions::{id, user};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, name] = &args[..] else { panic!("usage: lock-holder ROOT SESSION") };
    let session = Session::open(Arc::new(FileStore::open(root)?), &id(name))?;
    match session.append_one(&user("from another process")) {
        Ok(seq) => println!("appended {seq}"),
        Err(error) => println!("{}", error.code()),
    }
    std::io::stdout().flush().ok();
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
    Ok(())
}
