//! One of several processes that append to `SESSION` in the directory `ROOT`: tries to append
//! `COUNT` entries that tell its `NAME`. For each it says what happened: `ok TEXT`, or the code with
//! which it was refused and, every third time, the fork it wrote to instead: `fork ID TEXT`.

use std::sync::Arc;

use turnkeep::core::session::{self, Append, At, Fork};
use turnkeep::core::store::Part;
use turnkeep::{Error, FileStore, Key, Store, drive};
use turnkeep_tests::sessions::{id, user};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, name, own, count] = &args[..] else { panic!("ROOT SESSION NAME COUNT") };
    let store = Arc::new(FileStore::open(root)?);
    let key = Key::of(&id(name), Part::Log);
    let mut session = drive(session::open(id(name)), &*store)?;
    for number in 0..count.parse().unwrap_or(0) {
        let text = format!("{own}-{number}");
        let append = || Append::from([user(&text)]);
        match drive(session::append(session.clone(), append()), &*store) {
            Ok(appended) => {
                println!("ok {text}");
                session = appended.session;
            }
            Err(error) => {
                println!("{}", error.code());
                if number % 3 == 0 {
                    let head = session.head().expect("a head");
                    let fork =
                        drive(session::fork(id(name), Fork::at(At::Seq(head.seq))), &*store)?;
                    let appended = drive(session::append(fork, append()), &*store)?;
                    println!("fork {} {text}", appended.session.id());
                }
                session = drive(session::open(id(name)), &*store)?;
            }
        }
        // Others get their chance.
        store.release(&key);
        std::thread::yield_now();
    }
    Ok(())
}
