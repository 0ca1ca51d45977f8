//! Writes the files that fuzzers begin with, from the vectors and the fixtures of the other tests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

use serde_json::Value;
use turnkeep_core::archive::unarchive;
use turnkeep_core::gzip::{Bound, gunzip};
use turnkeep_core::{Entry, SessionId, recovery};
use turnkeep_fuzz_targets::mutate::Random;
use turnkeep_fuzz_targets::{corpus, make, manifest};

/// Longer files are left out, and so many bytes are taken for each target.
const FILE_BYTES_MAX: usize = 1600;
const TARGET_BYTES_MAX: usize = 10_000;

type Files = Vec<Vec<u8>>;

fn main() -> Result<()> {
    for (target, files) in all()? {
        let folder = corpus().join(target);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder)?;
        let files = some(files);
        for (number, file) in files.iter().enumerate() {
            fs::write(folder.join(format!("{number:03}")), file)?;
        }
        let bytes: usize = files.iter().map(Vec::len).sum();
        println!("{target}: {} files, {bytes} bytes", files.len());
    }
    Ok(())
}

/// As many as there is room for, from all of them.
fn some(mut files: Files) -> Files {
    files.retain(|file| file.len() <= FILE_BYTES_MAX);
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    let bytes: usize = files.iter().map(Vec::len).sum();
    let step = bytes.div_ceil(TARGET_BYTES_MAX).max(1);
    files.into_iter().step_by(step).collect()
}

fn all() -> Result<BTreeMap<&'static str, Files>> {
    let logs = vectors("log", ".jsonl")?;
    let bundles = vectors("bundle", ".bundle")?;
    let contents = bundles.iter().filter_map(|bundle| content(bundle)).collect();
    let fixture = |name: &str| fs::read(tests().join("fixtures").join(name));
    let plain = |file: &[u8]| gunzip(file, Bound::default()).unwrap_or_default();
    let packed = |name: &str| fixture(name).map(|file| vec![plain(&file), file]);
    let session_store = "session-store/01969a00-0000-7000-8000-000000000001";
    let eai = [packed("eai_snapshot.gz")?, packed("eai_session_default.gz")?].concat();
    let transcript = fixture(&format!("{session_store}.jsonl"))?;
    let trace = fixture(&format!("{session_store}.trace.jsonl"))?;
    let halves = lines(&transcript).chunks(4).map(<[&[u8]]>::concat).collect();
    Ok(BTreeMap::from([
        ("line", logs.iter().flat_map(|log| lines(log)).map(<[u8]>::to_vec).collect()),
        ("gzip", vectors("gzip", ".gz")?),
        ("archive", archives()?),
        ("manifest", manifests()),
        ("bundle", [bundles, contents].concat()),
        ("import_eai", eai),
        ("import_session_store", [halves, vec![transcript.clone(), trace]].concat()),
        ("import_opendev", opendev()?),
        ("import_zeitlich", packed("zeitlich_t-1.json.gz")?),
        ("import_agentmux", packed("11111111-2222-4333-8444-555555555555.jsonl.gz")?),
        ("import_files", vec![named()?, named()?.split_off(300)]),
        ("replies", replies()),
        ("view", logs.iter().map(|log| [&[9, 9, 9, 9, 9, 0, 0, 3][..], log].concat()).collect()),
        ("draft", vectors("draft", ".json")?.iter().map(|file| drafts(file)).collect()),
        ("item", vectors("state", ".jsonl")?.iter().flat_map(|log| items(log)).collect()),
        ("boundary", boundary()?),
        ("canary", vec![b"canary".to_vec(), b"!".to_vec()]),
        ("log", logs),
    ]))
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The inputs of an area's vectors.
fn vectors(area: &str, suffix: &str) -> Result<Files> {
    let mut paths = fs::read_dir(tests().join("vectors").join(area))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.retain(|path| {
        let name = path.to_string_lossy();
        name.ends_with(suffix) && !name.ends_with(".expected.json")
    });
    paths.sort();
    paths.into_iter().map(fs::read).collect()
}

/// Some that hold, and some that do not.
fn archives() -> Result<Files> {
    let mut files = vectors("archive", ".jsonl.gz")?;
    files.retain(|file| file.len() <= FILE_BYTES_MAX);
    let (sound, others): (Files, Files) =
        files.into_iter().partition(|file| unarchive(file).is_ok());
    let step = others.len().div_ceil(5).max(1);
    Ok(sound.into_iter().take(4).chain(others.into_iter().step_by(step)).collect())
}

fn lines(file: &[u8]) -> Vec<&[u8]> {
    file.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A bundle's content before its end.
fn content(bundle: &[u8]) -> Option<Vec<u8>> {
    let content = gunzip(bundle, Bound::default()).ok()?;
    let end = make::find(&content, b"{\"kind\":\"end\"")?;
    Some(content[..end].to_vec())
}

fn manifests() -> Files {
    let rest = manifest::world().0.clone();
    let text = String::from_utf8_lossy(&rest);
    let start = text.split(r#","head""#).next().unwrap_or_default();
    let deleted = format!("{start},\"deleted\":true}}");
    vec![rest.clone(), deleted.into_bytes()]
}

/// A piece with its length before it.
fn piece(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&length[..], bytes].concat()
}

fn opendev() -> Result<Files> {
    let names = [
        "a1b2c3d4e5f6.jsonl",
        "a1b2c3d4e5f6.json",
        "a1b2c3d4e5f6.events.jsonl",
        "agents/agent-7.jsonl",
        "sess-1_session_snapshot.json",
    ];
    let mut pieces = Vec::new();
    for (place, name) in (0..).zip(names) {
        let file = fs::read(tests().join("fixtures/opendev").join(name))?;
        pieces.push([&[place][..], &piece(&file)].concat());
    }
    let pairs = pieces.chunks(2).map(<[Vec<u8>]>::concat);
    Ok(pairs.chain(pieces.clone()).collect())
}

/// Several files with their names.
fn named() -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for name in ["eai_session_default.gz", "zeitlich_t-1.json.gz", "opendev/agents/agent-7.jsonl"] {
        let file = fs::read(tests().join("fixtures").join(name))?;
        all.extend([piece(name.as_bytes()), piece(&file)].concat());
    }
    Ok(all)
}

/// Every operation over every session: answered truly first, and then with a few lies.
fn replies() -> Files {
    let mut random = Random::new(1);
    let cases = (0..35_u8).flat_map(|operation| (0..6_u8).map(move |name| (operation, name)));
    let case = |(operation, name): (u8, u8)| {
        let ending = random.number().to_le_bytes()[0] % 3;
        let truths = usize::from(operation + name) % 12;
        let lies = (0..8).map(|_| random.number().to_le_bytes()[0]);
        let lies: Vec<u8> = lies.collect();
        [&[operation, name, ending][..], &vec![0; truths], &lies].concat()
    };
    cases.map(case).collect()
}

/// A vector's drafts, one a line.
fn drafts(vector: &[u8]) -> Vec<u8> {
    let value: Value = serde_json::from_slice(vector).unwrap_or_default();
    let batches = value["batches"].as_array().into_iter().flatten();
    let drafts = batches.flat_map(|batch| batch.as_array().into_iter().flatten());
    let drafts: Vec<&str> = drafts.filter_map(Value::as_str).collect();
    drafts.join("\n").into_bytes()
}

fn items(log: &[u8]) -> Files {
    let item = |line: &&[u8]| {
        let entry = Entry::parse(line.trim_ascii_end()).ok()?;
        Some(entry.field("item")?.as_bytes().to_vec())
    };
    lines(log).iter().filter_map(item).collect()
}

fn boundary() -> Result<Files> {
    let mut files = Vec::new();
    for vector in vectors("key", ".json")? {
        let value: Value = serde_json::from_slice(&vector).unwrap_or_default();
        let text = ["id", "key"].iter().find_map(|name| value[name].as_str());
        files.extend(text.map(|text| text.as_bytes().to_vec()));
    }
    files.retain(|file| file.len() < 100);
    let id = SessionId::new("fuzzed").expect("an id");
    files.push(recovery::Record::new(id, "/home", 1_760_000_000_000).to_json().into_bytes());
    files.push(fs::read(tests().join("fixtures/zeitlich_t-1.json.gz"))?);
    files.push(["a", "b/c", "a/b", "c"].iter().flat_map(|text| piece(text.as_bytes())).collect());
    Ok(files)
}
