//! What a snapshot and a restoring need in memory does not grow with the runtime. (The full size, of
//! 1,000 sessions and half a gigabyte, is `large-runtime` without a share.)

use std::process::Command;

use turnkeep_tests::sessions::Folder;

/// The bound that holds at any size.
const PEAK_KIB_MAX: u64 = 128 << 10;

fn peak_kib(step: &str, folder: &str, file: &str, share: &str) -> u64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_large-runtime"));
    let output = command.args([step, folder, file, share]).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
    text.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

#[test]
fn memory_does_not_grow_with_the_runtime() {
    let mut peaks = Vec::new();
    for share in ["50", "5"] {
        let folder = Folder::new();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (one, other, file) = (path("one"), path("other"), path("file"));
        peak_kib("make", &one, &file, share);
        let snapshot = peak_kib("snapshot", &one, &file, share);
        let new = peak_kib("restore", &other, &file, share);
        // All of them changed: each is put aside.
        peak_kib("make", &other, &file, share);
        let replaced = peak_kib("restore", &other, &file, share);
        peaks.push([snapshot, new, replaced]);
    }
    println!("{peaks:?} KiB");
    let [small, large] = &peaks[..] else { panic!("two sizes") };
    for (small, large) in small.iter().zip(large) {
        assert!(*large < PEAK_KIB_MAX && *large < small + (24 << 10), "{peaks:?}");
    }
}
