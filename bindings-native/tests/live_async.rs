//! Sessions in async code, without any runtime.

use std::sync::Arc;
use std::thread;

use futures_lite::future::{block_on, poll_once};
use tempfile::TempDir;
use turnkeep::{AsyncSession, Create, Draft, Durability, ErrorKind, FileStore, Fork, Session};

/// A session whose appends survive loss of power, and the folder it lies in.
fn session() -> (TempDir, AsyncSession) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(folder.path()).unwrap());
    let session = Session::create(store, Create::default()).unwrap();
    (folder, session.with_durability(Durability::Disk).into())
}

#[test]
fn many_durable_appends_at_once_keep_one_chain() {
    let (_folder, session) = session();
    let appends: Vec<_> = (0..50)
        .map(|_| {
            let session = session.clone();
            thread::spawn(move || block_on(session.append_one(&Draft::user_input("1"))))
        })
        .collect();
    let mut seqs: Vec<_> =
        appends.into_iter().map(|append| append.join().unwrap().unwrap()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=50).collect::<Vec<_>>());
    assert!(block_on(session.verify()).unwrap().is_whole());
}

#[test]
fn futures_of_one_thread_run_side_by_side() {
    let (_folder, session) = session();
    let draft = Draft::user_input("1");
    block_on(async {
        let mut appends: Vec<_> = (0..50).map(|_| Box::pin(session.append_one(&draft))).collect();
        for append in &mut appends {
            if let Some(done) = poll_once(append.as_mut()).await {
                done.unwrap();
            }
        }
    });
    // All were dropped after their first poll, and run to their end all the same.
    while block_on(session.head()).unwrap().seq < 50 {
        thread::yield_now();
    }
    assert!(block_on(session.verify()).unwrap().is_whole());
}

#[test]
fn what_was_deleted_elsewhere_cannot_be_appended_to() {
    let (_folder, session) = session();
    block_on(session.append_one(&Draft::user_input("1"))).unwrap();
    let clone = session.clone();
    block_on(session.delete()).unwrap();
    let error = block_on(clone.append_one(&Draft::user_input("1"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[test]
fn the_operations_are_those_of_a_session() {
    let (_folder, session) = session();
    block_on(async {
        let user = r#"{"role":"user","content":"Hi"}"#;
        session.save(&[user]).await?;
        session.track("/project").await?;
        session.trace("1").await?;
        let fork = session.fork(Fork::default()).await?;
        fork.replace_history(&[user, user]).await?;
        assert_eq!(fork.state().await?.history.len(), 2);
        assert_eq!(session.ensure_head(None).await?, None);
        assert_eq!(session.head().await, session.blocking().head());
        assert!(session.mark_completed().await?.completed);
        Ok::<_, turnkeep::Error>(())
    })
    .unwrap();
}
