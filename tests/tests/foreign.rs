//! Archives are plain gzip to others: here to flate2's `GzDecoder`, which stops after one member.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

#[test]
fn a_decoder_of_one_member_reads_every_archive_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/archive");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(stem) = path.to_str().unwrap().strip_suffix(".expected.json") else { continue };
        let expected: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if !expected["code"].is_null() || !expected["index"]["code"].is_null() {
            continue;
        }
        let archive = fs::read(format!("{stem}.jsonl.gz")).unwrap();
        let mut log = Vec::new();
        GzDecoder::new(&archive[..]).read_to_end(&mut log).unwrap();
        assert_eq!(turnkeep_core::sha256(&log).to_string(), expected["sha256"], "{stem}");
        read += 1;
    }
    assert!(read > 5, "{read} archives");
}
