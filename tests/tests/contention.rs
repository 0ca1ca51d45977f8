//! Many processes append to one session: every acknowledged entry is in exactly one chain, whoever
//! lost was told so, and what went into forks says where they come from.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;

use turnkeep::{FileStore, Store, sessions};
use turnkeep_tests::live::Live;
use turnkeep_tests::sessions::{Folder, id, log_key};

const PROCESSES: usize = 8;
const ENTRIES: usize = 40;

#[test]
fn eight_processes_keep_one_chain() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(FileStore::open(folder.path()).expect("a store"));
    drop(Live::create(&store, "a"));
    store.release(&log_key("a"));
    let spawn = |n: usize| {
        Command::new(env!("CARGO_BIN_EXE_contender"))
            .args([folder.path().as_os_str(), "a".as_ref()])
            .args([format!("p{n}"), ENTRIES.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process")
    };
    let children: Vec<_> = (0..PROCESSES).map(spawn).collect();
    let mut acknowledged = Vec::new();
    let mut refusals = BTreeMap::new();
    for child in children {
        let output = child.wait_with_output().expect("its output");
        assert!(output.status.success());
        for line in String::from_utf8(output.stdout).expect("text").lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["ok", text] => acknowledged.push(("a".to_owned(), format!("{text:?}"))),
                ["fork", fork, text] => acknowledged.push((fork.into(), format!("{text:?}"))),
                [code] => *refusals.entry(code.to_owned()).or_insert(0) += 1,
                _ => panic!("{line}"),
            }
        }
    }
    println!("{} acknowledged, refused: {refusals:?}", acknowledged.len());
    assert!(refusals.keys().all(|code| matches!(&**code, "conflict" | "locked")), "{refusals:?}");
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for listed in sessions(&*store).expect("a list") {
        let live = Live::open(&store, listed.id.as_str());
        let report = live.run(turnkeep::core::session::verify(listed.id.clone(), None, true));
        assert!(report.expect("a report").is_whole(), "{}", listed.id);
        let state = live.state();
        // A fork's own entries are those after the point it started from.
        let from = state.forked_from.as_ref().map_or(0, |point| point.seq + 1);
        assert_eq!(state.forked_from.map(|p| p.session), (listed.id != id("a")).then(|| id("a")));
        let own = state.history.into_iter().filter(|item| item.seq > from || from == 0);
        for item in own {
            found.entry(item.item).or_default().push(listed.id.as_str().into());
        }
    }
    for (session, text) in &acknowledged {
        assert_eq!(found.get(text), Some(&vec![session.clone()]), "{text}");
    }
    assert_eq!(found.len(), acknowledged.len(), "nothing that was refused is there");
}
