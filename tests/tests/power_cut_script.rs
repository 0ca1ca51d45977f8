//! Power cuts while the whole script is carried out: creating, appending, forking, archiving, pruning,
//! deleting, bundles and tiers, on three file systems. `TURNKEEP_CUTS` is how many there are on each
//! (20). It needs root, by `sudo` at least, and fails without.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use turnkeep_tests::build::Random;
use turnkeep_tests::crash::{check, go_on};
use turnkeep_tests::disk_image::{Disks, FileSystem, Image, SHOWN};

/// Cuts come at most so much after one another.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// Copies that are kept before they are looked at.
const CUTS_AT_ONCE: usize = 10;

#[test]
fn cuts_of_the_script_on_ext4_lose_nothing() {
    lose_nothing("cuts_of_the_script_on_ext4_lose_nothing", FileSystem::Ext4);
}

#[test]
fn cuts_of_the_script_on_xfs_lose_nothing() {
    lose_nothing("cuts_of_the_script_on_xfs_lose_nothing", FileSystem::Xfs);
}

#[test]
fn cuts_of_the_script_on_btrfs_lose_nothing() {
    lose_nothing("cuts_of_the_script_on_btrfs_lose_nothing", FileSystem::Btrfs);
}

fn lose_nothing(name: &str, system: FileSystem) {
    let wanted = std::env::var("TURNKEEP_CUTS").map_or(20, |cuts| cuts.parse().expect("a number"));
    Disks::with(name, |disks| {
        let (started, mut cuts, mut lost) = (Instant::now(), 0, Vec::new());
        let mut random = Random::new(u64::from(std::process::id()));
        while cuts < wanted {
            let most = CUTS_AT_ONCE.min(wanted - cuts);
            for cut in cut_often(&disks.image(system), most, &mut random) {
                cuts += 1;
                lost.extend(cut.look().err());
            }
        }
        let (system, seconds) = (system.name(), started.elapsed().as_secs_f64());
        println!("proof: {cuts} power cuts");
        println!("{SHOWN}{system}, the script: {cuts} cuts, {} lost; {seconds:.1} s", lost.len());
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    });
}

/// Runs the script once on a fresh disk, and cuts it off from time to time.
fn cut_often(image: &Image, most: usize, random: &mut Random) -> Vec<Cut> {
    let disk = image.mount();
    let writer = Writer::start(&disk.path().join("root"));
    let mut cuts = Vec::new();
    while cuts.len() < most {
        let part = u32::try_from(random.below(1000)).unwrap_or_default();
        thread::sleep(PAUSE_MAX / 1000 * part);
        let before = writer.done();
        let image = image.cut(&format!("cut-{}", cuts.len()));
        let after = writer.done();
        if writer.is_over.load(Ordering::SeqCst) {
            break;
        }
        if before > 0 {
            cuts.push(Cut { image, before, after });
        }
    }
    cuts
}

/// A copy of the disk, and how many steps were acknowledged before and after it was made.
struct Cut {
    image: Image,
    before: usize,
    after: usize,
}

impl Cut {
    fn look(&self) -> Result<(), String> {
        let disk = self.image.mount();
        let root: &Path = &disk.path().join("root");
        let done = check(root, self.before..=self.after)?;
        go_on(root, done)
    }
}

/// The script's process, ended when dropped.
struct Writer {
    child: Child,
    done: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Writer {
    fn start(root: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_script-writer"));
        command.arg(root).arg("durable").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the writer");
        let output = child.stdout.take().expect("its output");
        let (done, is_over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (heard, over) = (done.clone(), is_over.clone());
        let listener = thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                assert!(!line.starts_with("failed"), "{line}");
                if line.starts_with("done") {
                    heard.fetch_add(1, Ordering::SeqCst);
                }
            }
            over.store(true, Ordering::SeqCst);
        });
        Self { child, done, is_over, listener: Some(listener) }
    }

    /// How many steps it acknowledged.
    fn done(&self) -> usize {
        self.done.load(Ordering::SeqCst)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if let Some(listener) = self.listener.take() {
            assert!(listener.join().is_ok() || thread::panicking(), "the script failed");
        }
    }
}
