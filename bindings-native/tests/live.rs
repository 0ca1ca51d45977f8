//! Sessions as a program uses them: shared, forked, compacted, repaired, found after a crash.

use std::fs;
use std::sync::{Arc, Barrier};
use std::thread;

use tempfile::TempDir;
use turnkeep::core::store::{After, Condition, Info, Listing, Object, Part, StageId};
use turnkeep::{
    Append, At, Capabilities, Compact, Create, Draft, Durability, ErrorKind, FileStore, Fork, Key,
    Result, Session, SessionId, Status, Store, View, recovery,
};

/// A store of its own for each test.
struct Place {
    _folder: TempDir,
    store: Arc<FileStore>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(FileStore::open(folder.path().join("store")).unwrap());
        Self { _folder: folder, store }
    }

    fn create(&self, name: &str) -> Session {
        Session::create(self.store.clone(), Create::default().with_id(id(name))).unwrap()
    }

    /// The same folder, opened as another process would.
    fn another_store(&self) -> Arc<FileStore> {
        let log = self.store.path(&Key::of(&id("x"), Part::Log));
        Arc::new(FileStore::open(log.parent().unwrap()).unwrap())
    }
}

fn id(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

fn item(role: &str, text: &str) -> String {
    format!(r#"{{"role":"{role}","content":"{text}"}}"#)
}

/// Four items.
fn talk(session: &Session) {
    session.save(&["a", "b", "c", "d"].map(|text| item("user", text))).unwrap();
}

mod appending {
    use super::*;

    #[test]
    fn threads_share_a_session_and_its_syncs() {
        let place = Place::new();
        let session = place.create("a").with_durability(Durability::Disk);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        session.append_one(&Draft::user_input("1")).unwrap();
                    }
                });
            }
        });
        assert_eq!(session.head().unwrap().seq, 160);
        assert!(session.verify().unwrap().is_whole());
    }

    /// A store whose syncs end when eight of them run at once.
    struct Gate(turnkeep::MemoryStore, Barrier);

    impl Store for Gate {
        fn capabilities(&self) -> Capabilities {
            self.0.capabilities()
        }
        fn get(&self, key: &Key, range: Option<std::ops::Range<u64>>) -> Result<Object> {
            self.0.get(key, range)
        }
        fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
            self.0.put(key, bytes, condition)
        }
        fn append(&self, key: &Key, add: &[u8], after: &After, d: Durability) -> Result<Info> {
            self.0.append(key, add, after, d)
        }
        fn sync(&self, _: &Key) -> Result<()> {
            self.1.wait();
            Ok(())
        }
        fn can_sync(&self) -> bool {
            true
        }
        fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
            self.0.delete(key, condition)
        }
        fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
            self.0.list(prefix, after, limit)
        }
        fn info(&self, key: &Key) -> Result<Info> {
            self.0.info(key)
        }
        fn stage(&self, key: &Key) -> Result<StageId> {
            self.0.stage(key)
        }
        fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
            self.0.stage_part(stage, number, bytes)
        }
        fn get_staged(
            &self,
            stage: &StageId,
            range: Option<std::ops::Range<u64>>,
        ) -> Result<Object> {
            self.0.get_staged(stage, range)
        }
        fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
            self.0.commit(stage, condition)
        }
        fn abort(&self, stage: &StageId) -> Result<()> {
            self.0.abort(stage)
        }
    }

    #[test]
    fn nobody_waits_for_anothers_sync_to_append() {
        let store = Arc::new(Gate(turnkeep::MemoryStore::new(), Barrier::new(8)));
        let session = Session::create(store, Create::default()).unwrap();
        let session = session.with_durability(Durability::Disk);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| session.append_one(&Draft::user_input("1")).unwrap());
            }
        });
        assert_eq!(session.head().unwrap().seq, 8);
    }

    #[test]
    fn a_store_that_cannot_sync_is_asked_for_durable_appends() {
        let store = Arc::new(turnkeep::MemoryStore::new());
        let session = Session::create(store, Create::default()).unwrap();
        let append = Append::from([Draft::user_input("1")]).with_durability(Durability::Disk);
        assert_eq!(session.append_with(append).unwrap_err().kind(), ErrorKind::NotSupported);
        assert_eq!(session.head().unwrap().seq, 0);
    }

    #[test]
    fn what_was_applied_already_is_not_appended_again() {
        let place = Place::new();
        let session = place.create("a");
        let append = Append::from([Draft::user_input("1").with_text("id", "m1")]).once();
        let first = session.append_with(append.clone()).unwrap();
        let again = session.append_with(append).unwrap();
        assert_eq!((first.already_applied, again.already_applied), (false, true));
        assert_eq!((again.first_seq, session.head().unwrap().seq), (1, 1));
    }

    #[test]
    fn an_append_after_another_entry_than_the_head_is_a_conflict() {
        let place = Place::new();
        let session = place.create("a");
        let old = session.head().unwrap();
        talk(&session);
        let append = Append::from([Draft::user_input("1")]).after(old.seq, old.hash);
        let error = session.append_with(append).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.actual(), session.head());
    }

    #[test]
    fn items_tell_their_kinds() {
        let place = Place::new();
        let session = place.create("a");
        session.save(&[item("user", "Hi"), item("assistant", "Ho"), item("system", "!")]).unwrap();
        let kinds: Vec<_> = session.state().unwrap().history.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, ["user_input", "assistant_item", "system_item"]);
    }
}

mod forking {
    use super::*;

    #[test]
    fn a_handle_that_lost_its_head_becomes_a_fork() {
        let place = Place::new();
        let session = place.create("a");
        talk(&session);
        let other = Session::open(place.store.clone(), &id("a")).unwrap();
        assert_eq!(session.ensure_head(None).unwrap(), None);
        other.save(&[item("user", "meanwhile")]).unwrap();
        let point = session.ensure_head(Some(id("b"))).unwrap().unwrap();
        assert_eq!((point.session, point.seq, session.id()), (id("a"), 4, id("b")));
        session.save(&[item("user", "mine")]).unwrap();
        let lineage = turnkeep::lineage(&*place.store, &id("a")).unwrap();
        assert_eq!(lineage.descendants[0].0, id("b"));
        let ancestors = turnkeep::ancestors(&*place.store, &id("b")).unwrap();
        assert_eq!(ancestors[0].point.session, id("a"));
    }

    #[test]
    fn a_point_that_is_not_there_is_not_found() {
        let place = Place::new();
        let session = place.create("a");
        for at in [At::Seq(9), At::Turn(1), At::Hash(turnkeep::core::sha256(b"x"))] {
            assert_eq!(session.fork(Fork::at(at)).unwrap_err().kind(), ErrorKind::NotFound);
        }
        assert_eq!(turnkeep::sessions(&*place.store).unwrap().len(), 1);
    }
}

mod editing {
    use super::*;

    #[test]
    fn the_state_since_a_compaction_has_the_whole_history() {
        let place = Place::new();
        let session = place.create("a");
        talk(&session);
        session.compact(Compact::new(vec![item("user", "summary")], 2)).unwrap();
        session.save(&[item("assistant", "e")]).unwrap();
        let since = session.state_with(View::default().since_compaction()).unwrap();
        assert_eq!(since.history, session.state().unwrap().history);
        assert_eq!(since.history.len(), 4);
    }

    #[test]
    fn a_session_can_start_from_anothers_summary() {
        let place = Place::new();
        talk(&place.create("a"));
        let compact = Compact::new(vec![item("user", "summary")], 1);
        let options = Create::default().with_id(id("b"));
        let new =
            Session::create_compacted(place.store.clone(), &id("a"), compact, options).unwrap();
        let state = new.state().unwrap();
        assert_eq!((state.history.len(), state.compacted_from.unwrap().session), (2, id("a")));
    }

    #[test]
    fn the_history_is_cut_and_replaced() {
        let place = Place::new();
        let session = place.create("a");
        talk(&session);
        session.truncate_from(turnkeep::Place::Index(1)).unwrap();
        assert_eq!(session.state().unwrap().history.len(), 1);
        session.replace_history(&[item("user", "x"), item("assistant", "y")]).unwrap();
        assert_eq!(session.state().unwrap().history.len(), 2);
        let error = session.truncate_from(turnkeep::Place::Id("none".into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

mod recovering {
    use super::*;

    #[test]
    fn a_repair_saves_what_follows_the_damage() {
        let place = Place::new();
        let session = place.create("a");
        for text in ["a", "b", "c", "d"] {
            session.save(&[item("user", text)]).unwrap();
        }
        session.close();
        let path = place.store.path(&Key::of(&id("a"), Part::Log));
        let log =
            fs::read_to_string(&path).unwrap().replace(r#""content":"b""#, r#""content":"X""#);
        fs::write(&path, log).unwrap();
        let looked = turnkeep::repair(&*place.store, &id("a"), None, true).unwrap();
        assert!(looked.session.is_none() && looked.saved == 2);
        let repair = turnkeep::repair(&*place.store, &id("a"), Some(id("b")), false).unwrap();
        assert_eq!((repair.saved, repair.left_out.len()), (2, 1));
        let repaired = Session::open(place.store.clone(), &id("b")).unwrap();
        assert!(repaired.verify().unwrap().is_whole());
        let history = repaired.state().unwrap().history;
        let expected = ["a", "c", "d"].map(|text| item("user", text));
        assert_eq!(history.iter().map(|item| &*item.item).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn incomplete_sessions_are_running_crashed_or_abandoned() {
        let place = Place::new();
        let tracked = |name: &str, drafts: &[Draft]| {
            let session = place.create(name);
            session.track("/project").unwrap();
            session.append(drafts).unwrap();
            session
        };
        let running = tracked("running", &[Draft::run_started()]);
        tracked("crashed", &[Draft::run_started()]).close();
        tracked("abandoned", &[Draft::run_started(), Draft::run_completed("finished")]).close();
        tracked("completed", &[Draft::run_started()]).mark_completed().unwrap();
        let found = recovery::find_incomplete(&*place.store).unwrap();
        let mut told: Vec<_> = found
            .sessions
            .iter()
            .map(|found| (found.record.session.as_str().to_owned(), found.status.name()))
            .collect();
        told.sort();
        assert!(told.iter().all(|(name, status)| name == status), "{told:?}");
        assert_eq!((told.len(), found.damaged.len()), (3, 0));
        assert_eq!(found.sessions[0].record.project_dir, "/project");
        drop(running);
    }

    #[test]
    fn what_is_tracked_stays_so_when_it_was_archived_and_restored() {
        let place = Place::new();
        let session = place.create("a");
        session.track("/project").unwrap();
        let record = || recovery::record(&*place.store, &id("a")).unwrap();
        for moved in [Session::archive, Session::restore] {
            moved(&session).unwrap();
            session.append(&[Draft::run_started(), Draft::run_completed("finished")]).unwrap();
            assert_eq!(record().head, session.head(), "the run that ended is not in the record");
        }
        session.mark_completed().unwrap();
        session.archive().unwrap();
        assert!(record().completed);
    }

    #[test]
    fn what_a_log_cannot_tell_stays_in_a_record_that_does_not_follow_it() {
        let place = Place::new();
        let session = place.create("a");
        session.track("/project").unwrap();
        session.append(&[Draft::run_started()]).unwrap();
        let mut known = recovery::mark_completed(&*place.store, &id("a")).unwrap();
        known.set_cost_usd(5.0).unwrap();
        session.close();
        turnkeep::delete(&*place.store, &id("a")).unwrap();
        place.create("a").append(&[Draft::state("1"), Draft::state("2")]).unwrap();
        let key = Key::of(&id("a"), Part::Recovery);
        place.store.put(&key, known.to_json().as_bytes(), &Condition::Any).unwrap();
        let anew = recovery::rebuild_record(&*place.store, &id("a")).unwrap();
        assert_eq!((&*anew.project_dir, anew.cost_usd()), ("/project", 5.0));
        assert_eq!((anew.owner, anew.snapshot_ms), (known.owner, known.snapshot_ms));
        assert_eq!((anew.run, anew.completed), (None, false));
    }

    #[test]
    fn a_damaged_record_is_told_and_made_anew() {
        let place = Place::new();
        let session = place.create("a");
        session.track("").unwrap();
        let key = Key::of(&id("a"), Part::Recovery);
        fs::write(place.store.path(&key), "{").unwrap();
        let found = recovery::find_incomplete(&*place.store).unwrap();
        assert_eq!((found.sessions.len(), &found.damaged[0].0), (0, &key));
        recovery::rebuild_record(&*place.store, &id("a")).unwrap();
        assert_eq!(recovery::find_incomplete(&*place.store).unwrap().sessions.len(), 1);
    }

    #[test]
    fn a_cost_that_is_no_number_is_refused() {
        let mut record = recovery::Record::new(id("a"), "", 0);
        assert_eq!(record.set_cost_usd(f64::NAN).unwrap_err().kind(), ErrorKind::InvalidArgument);
        record.set_cost_usd(0.25).unwrap();
        assert_eq!(record.cost_usd(), 0.25);
    }

    #[test]
    fn statuses_have_names() {
        assert_eq!(Status::Crashed.name(), "crashed");
    }
}

mod deleting {
    use super::*;

    #[test]
    fn a_session_that_another_store_holds_is_locked() {
        let place = Place::new();
        let session = place.create("a");
        talk(&session);
        let other = place.another_store();
        let error = turnkeep::delete(&*other, &id("a")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        session.delete().unwrap();
        assert!(turnkeep::sessions(&*other).unwrap().is_empty());
    }

    #[test]
    fn nothing_is_left_of_a_deleted_session() {
        let place = Place::new();
        let session = place.create("a");
        talk(&session);
        session.track("").unwrap();
        session.trace(r#"{"event":1}"#).unwrap();
        let about = turnkeep::About::new(Some("Title".into()), vec!["tag".into()]);
        turnkeep::set_about(&*place.store, &id("a"), about).unwrap();
        session.delete().unwrap();
        assert_eq!(place.store.list("", None, 10).unwrap().objects, []);
    }
}
