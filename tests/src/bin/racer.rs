//! One of several processes that append to `SESSION` in the directory `ROOT` while others archive and
//! restore it: appends `COUNT` entries that tell its `NAME`, each until it is acknowledged, and says
//! `ok TEXT` of each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use turnkeep::{Error, FileStore, Session, Store};
use turnkeep_tests::sessions::{id, log_key, user};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, name, own, count] = &args[..] else { panic!("ROOT SESSION NAME COUNT") };
    let store: Arc<dyn Store> = Arc::new(FileStore::open(root)?);
    for number in 0..count.parse().unwrap_or(0) {
        let text = format!("{own}-{number}");
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let appended = Session::open(store.clone(), &id(name))
                .and_then(|session| session.append_one(&user(&text)));
            store.release(&log_key(name));
            match appended {
                Ok(_) => break println!("ok {text}"),
                Err(error) => assert!(Instant::now() < end, "{text}: {error}"),
            }
            std::thread::yield_now();
        }
    }
    Ok(())
}
