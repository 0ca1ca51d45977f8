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
        // No two of one length.
        let bytes = number * 14 + u64::from(own.as_bytes()[0] % 2) * 7;
        let text = format!("{own}-{number}-{}", ".".repeat(usize::try_from(bytes).unwrap_or(0)));
        // The others get their turn.
        std::thread::sleep(Duration::from_millis(if number % 5 == 0 { 60 } else { 1 }));
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
