//! The script on a disk of every size, from none to enough: what does not fit is refused, what was
//! acknowledged is there, and with more room it goes on. Writes end in the middle here, which errors
//! that are only told (`io_errors`) do not show. It needs root, by `sudo` at least, and fails without.
#![cfg(target_os = "linux")]

use std::time::Instant;

use turnkeep_tests::crash::{Run, SCRIPT, Traced, check, go_on};
use turnkeep_tests::disk_image::{Disks, SHOWN};

const WRITER: Traced<'static> = Traced { writer: env!("CARGO_BIN_EXE_script-writer") };
const PAGE_BYTES: u64 = 4096;
const ENOUGH_BYTES: u64 = 16 << 20;

#[test]
fn a_disk_of_any_size_keeps_what_was_acknowledged() {
    Disks::with("a_disk_of_any_size_keeps_what_was_acknowledged", |disks| {
        let (started, mut lost) = (Instant::now(), Vec::new());
        for pages in 1.. {
            let disk = disks.memory(pages * PAGE_BYTES);
            let folder = disk.path().join("root");
            let run = WRITER.plain(&folder);
            if run.is_finished {
                let seconds = started.elapsed().as_secs_f64();
                assert!(pages > 15, "{} disks were full", pages - 1);
                println!("proof: {} full disks", pages - 1);
                println!("{SHOWN}{} full disks, {} lost; {seconds:.1} s", pages - 1, lost.len());
                break;
            }
            assert!(pages < 1000, "it never is enough: {run:?}");
            let (done, ended) = refused(&run);
            let looked = ended
                .and_then(|()| check(&folder, done..=done))
                .map_err(|what| format!("as it is: {what}"))
                .and_then(|_| {
                    disk.resize(ENOUGH_BYTES);
                    go_on(&folder, done).map_err(|what| format!("with room again: {what}"))
                });
            lost.extend(looked.err().map(|what| format!("{pages} pages: {what}; {run:?}")));
        }
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    });
}

/// How many steps were done, and whether the next one was refused as it should be.
fn refused(run: &Run) -> (usize, Result<(), String>) {
    let is_retried = run.again.as_deref() == Some("ok");
    let codes = run.failed.as_ref().map(|(_, code)| code.as_str());
    let is_told = run.ending.is_none() && codes == Some("store_failed");
    let done = (run.done + usize::from(is_retried)).min(SCRIPT.len());
    (
        done,
        if is_told { Ok(()) } else { Err("the writer did not say that the disk is full".into()) },
    )
}
