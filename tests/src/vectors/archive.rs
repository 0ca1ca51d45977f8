//! Area `archive`: a log with an index in front (§6).

use serde_json::{Map, Value, json};
use turnkeep_core::sha256;

use super::Vector;
use crate::build::{
    Archive, Log, Member, after_fork, deflated, entry, hex, point, stored, trailer, varint,
};

const BLOCK_BYTES: usize = 327_680;
/// Blocks of two or three lines of the sample.
const SMALL: usize = 600;

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    let cases = [
        whole(),
        truncated(),
        trailing(),
        headers(),
        flips(),
        lies(),
        malformed(),
        bounds(),
        damaged(),
        left_open(),
        contents(),
    ];
    cases.concat().iter().map(Case::vector).collect()
}

/// A file and what reading it gives.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    file: Vec<u8>,
    /// What it gives, read whole as gzip; or the code.
    whole: Result<Vec<u8>, &'static str>,
    index_code: Option<&'static str>,
    /// What an index that opens says: the head and the number of spans.
    opens: Option<(Value, usize)>,
    reads: Vec<Value>,
}

impl Case {
    /// An archive as it should be.
    fn good(name: &str, log: &Log, archive: &Archive) -> Self {
        Self {
            name: name.into(),
            file: archive.bytes(),
            whole: Ok(log.0.clone()),
            index_code: None,
            opens: Some((head_of(archive), archive.records.len())),
            reads: Vec::new(),
        }
    }

    /// The sample's archive, with this file instead. Its index does not open.
    fn closed(name: impl Into<String>, file: Vec<u8>, index_code: &'static str) -> Self {
        let whole = Ok(Log::sample().0);
        Self {
            name: name.into(),
            file,
            whole,
            index_code: Some(index_code),
            opens: None,
            reads: Vec::new(),
        }
    }

    /// The index opens, and reading every span fails.
    fn index_fails(self, code: &'static str) -> Self {
        Self { index_code: Some(code), ..self }
    }

    fn whole_fails(self, code: &'static str) -> Self {
        Self { whole: Err(code), ..self }
    }

    fn gives(self, content: Vec<u8>) -> Self {
        Self { whole: Ok(content), ..self }
    }

    /// The last entries are read, so many each time.
    fn reads(mut self, log: &Log, lasts: &[usize]) -> Self {
        let lines = log.lines();
        for last in lasts {
            let first = lines.len().saturating_sub(*last);
            let bytes = lines[first..].concat();
            self.reads.push(json!({
                "last": last,
                "code": null,
                "first_seq": first,
                "lines": lines.len() - first,
                "sha256": hex(sha256(&bytes).as_bytes()),
            }));
        }
        self
    }

    fn read_fails(mut self, last: u64, code: &str) -> Self {
        self.reads.push(json!({ "last": last, "code": code }));
        self
    }

    fn vector(&self) -> Vector {
        let mut expected = Map::new();
        match &self.whole {
            Ok(content) => {
                expected.insert("code".into(), Value::Null);
                expected.insert("bytes".into(), content.len().into());
                expected.insert("sha256".into(), hex(sha256(content).as_bytes()).into());
            }
            Err(code) => _ = expected.insert("code".into(), (*code).into()),
        }
        let mut index = json!({ "code": self.index_code });
        if let Some((head, spans)) = &self.opens {
            index["head"] = head.clone();
            index["spans"] = (*spans).into();
        }
        expected.insert("index".into(), index);
        if !self.reads.is_empty() {
            expected.insert("reads".into(), self.reads.clone().into());
        }
        Vector::new("archive", &self.name, self.file.clone(), expected.into())
    }
}

fn head_of(archive: &Archive) -> Value {
    json!({ "seq": archive.seq, "hash": hex(&archive.hash), "bytes": archive.log_bytes })
}

fn sample() -> Archive {
    Archive::of(&Log::sample(), BLOCK_BYTES)
}

/// The sample in small blocks.
fn blocks() -> Archive {
    Archive::of(&Log::sample(), SMALL)
}

fn whole() -> Vec<Case> {
    let log = Log::sample();
    let all = &[0, 1, 2, 3, 5, 7, 100][..];
    let of = |name: &str, archive: &Archive| Case::good(name, &log, archive).reads(&log, all);
    let lines = Archive::of(&log, 1);
    let start = Log::of(&log.rests()[..1]);
    let large = Log::text(1400, 500, 1);
    let batches = Log::text(400, 300, 7);
    let redacted = log.redact(&[1, 2, 3, 4]);
    let later = Log::of(
        &[
            log.rests(),
            vec![
                br#""kind":"later_kind","seq":7,"ts":9007199254740991}"#,
                br#""kind":"turn_end","seq":8,"ts":0,"turn":2}"#,
                br#""kind":"turn_end","seq":9,"ts":999,"turn":3}"#,
                br#""kind":"turn_end","seq":10,"ts":1001,"turn":4}"#,
            ],
        ]
        .concat(),
    );
    let parent = point("demo", 6, &log.hash(6));
    let fork =
        Log::sample_and(&[entry(7, "fork", &format!(r#","session":"child","parent":{parent}"#))]);
    let turns = (8..12).map(|seq| after_fork(7, &entry(seq, "turn_end", r#","turn":2"#)));
    let turns = turns.map(String::into_bytes);
    let rests = fork.rests().into_iter().map(<[u8]>::to_vec);
    let forked = Log::of(&rests.chain(turns).collect::<Vec<_>>());
    let withheld = forked.redact(&[8, 10, 11]);
    let wide = sample().change(|archive| {
        let record = &mut archive.records[0];
        (record.kinds, record.from_s, record.to_s) = (0x7ffff, 0, 9_007_199_254_741);
    });
    vec![
        of("small", &sample()),
        of("small-blocks", &blocks()),
        of("one-line-a-block", &lines),
        of("merged-once", &lines.clone().merged()),
        of("merged-twice", &lines.clone().merged().merged()),
        of("merged-into-one", &lines.merged().merged().merged()),
        of("stored-blocks", &Archive::with(&log, SMALL, stored)),
        of("kinds-and-times-too-wide", &wide),
        Case::good("start-only", &start, &Archive::of(&start, BLOCK_BYTES))
            .reads(&start, &[0, 1, 2]),
        Case::good("several-blocks", &large, &Archive::of(&large, BLOCK_BYTES))
            .reads(&large, &[1, 50, 700, 1400, 5000]),
        Case::good("several-blocks-merged", &batches, &Archive::of(&batches, 9000).merged())
            .reads(&batches, &[1, 30, 333]),
        Case::good("redacted", &redacted, &Archive::of(&redacted, 1)).reads(&redacted, &[3, 5, 6]),
        Case::good("redacted-and-merged", &redacted, &Archive::of(&redacted, 1).merged())
            .reads(&redacted, &[3, 4]),
        Case::good("times-of-all-sizes", &later, &Archive::of(&later, 1)).reads(&later, &[1, 2, 4]),
        Case::good("fork", &fork, &Archive::of(&fork, SMALL)).reads(&fork, &[1, 2]),
        Case::good("fork-and-entries", &forked, &Archive::of(&forked, 1))
            .reads(&forked, &[1, 4, 5, 6, 100]),
        Case::good("fork-and-redacted", &withheld, &Archive::of(&withheld, 1))
            .reads(&withheld, &[1, 2, 3, 4, 5]),
    ]
}

fn truncated() -> Vec<Case> {
    let archive = blocks();
    let file = archive.bytes();
    let index_end = 16 + archive.index().len();
    let (block, end) = (archive.blocks[0].len(), file.len());
    let starts = [0, 1, 2, 3, 4, 9, 10, 11, 12, 14, 15, 16, 17];
    let later = [
        index_end - 1,
        index_end,
        index_end + 1,
        index_end + block,
        end - 11,
        end - 10,
        end - 9,
        end - 8,
        end - 4,
        end - 1,
    ];
    let cut = |at: usize| {
        Case::closed(format!("truncated-at-{at}"), file[..at].to_vec(), "gzip_truncated")
            .whole_fails("gzip_truncated")
            .read_fails(1, "gzip_truncated")
    };
    starts.into_iter().chain(later).map(cut).collect()
}

fn trailing() -> Vec<Case> {
    let file = blocks().bytes();
    let of = |name: &str, end: &[u8]| {
        let file = [&file, end].concat();
        Case::closed(format!("trailing-{name}"), file, "bad_index").read_fails(1, "bad_index")
    };
    let log = Log::sample().0;
    vec![
        of("zero", b"\0").whole_fails("trailing_data"),
        of("zeros", &[0; 512]).whole_fails("trailing_data"),
        of("line-break", b"\n").whole_fails("trailing_data"),
        of("start-of-a-member", b"\x1f\x8b").whole_fails("gzip_truncated"),
        of("another-member", &Member::of(b"more\n").bytes()).gives([&log[..], b"more\n"].concat()),
        of("the-archive-again", &file).gives(log.repeat(2)),
    ]
}

/// Headers that an archive does not have.
fn headers() -> Vec<Case> {
    let (log, archive) = (Log::sample(), blocks());
    let index = archive.index();
    let bad = |name: &str, change: &dyn Fn(&mut Member)| {
        let mut member = archive.member();
        change(&mut member);
        Case::closed(format!("header-{name}"), member.bytes(), "bad_index")
            .read_fails(1, "bad_index")
    };
    let field = |id: &[u8; 2], content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap_or_default().to_le_bytes();
        [&id[..], &length, content].concat()
    };
    let extra = |name: &str, extra: Vec<u8>| {
        let file = Member { extra: Some(extra), ..archive.member() }.bytes();
        // It can be read all the same, from its start on.
        Case::closed(format!("header-{name}"), file, "no_index").reads(&log, &[1])
    };
    let bad_extra = |name: &str, content: Vec<u8>| {
        bad(name, &move |member| member.extra = Some(content.clone()))
    };
    let byte = |name: &str, at: usize, byte: u8, code: &'static str| {
        let mut file = archive.bytes();
        file[at] = byte;
        Case::closed(format!("header-{name}"), file, code).whole_fails(code).read_fails(1, code)
    };
    let mut wrong_crc = Member { has_header_crc: true, ..archive.member() }.bytes();
    let crc_at = 16 + index.len();
    wrong_crc[crc_at] ^= 1;
    let (tk, other) = (field(b"TK", &index), field(b"ZZ", b"abc"));
    let no_extra = Member { extra: None, ..archive.member() }.bytes();
    vec![
        bad("time", &|member| member.facts[0] = 1),
        bad("extra-flags", &|member| member.facts[4] = 2),
        bad("system", &|member| member.facts[5] = 3),
        bad("text-flag", &|member| member.flags = 1),
        bad("name", &|member| member.name = Some(b"a.jsonl".to_vec())),
        bad("comment", &|member| member.comment = Some(b"mine".to_vec())),
        bad("header-crc", &|member| member.has_header_crc = true),
        bad_extra("another-subfield-before", [&other[..], &tk].concat()),
        bad_extra("another-subfield-after", [&tk[..], &other].concat()),
        bad_extra("two-indexes", [&tk[..], &tk].concat()),
        bad_extra("empty-index", field(b"TK", b"")),
        bad_extra("index-of-a-byte", field(b"TK", b"\x01")),
        bad_extra("one-byte-after-the-index", [&tk[..], b"\0"].concat()),
        Case::closed("header-plain", no_extra, "no_index").reads(&log, &[1]),
        extra("without-subfields", Vec::new()),
        extra("of-others", other.clone()),
        extra("of-another-case", field(b"tk", &index)),
        extra("of-letters-swapped", field(b"KT", &index)),
        byte("not-gzip", 0, 0x1e, "not_gzip"),
        byte("another-method", 2, 7, "not_gzip"),
        byte("reserved-flag", 3, 0x24, "gzip_corrupt"),
        Case::closed("header-wrong-header-crc", wrong_crc, "gzip_corrupt")
            .whole_fails("gzip_corrupt")
            .read_fails(1, "gzip_corrupt"),
    ]
}

/// Every flipped bit of the index is found by its check, and the rest still reads as gzip.
fn flips() -> Vec<Case> {
    let file = blocks().bytes();
    let length = blocks().index().len();
    let flip = |(at, bit): (usize, u8)| {
        let mut file = file.clone();
        file[16 + at] ^= 1 << bit;
        Case::closed(format!("index-flip-{at}-{bit}"), file, "bad_index").read_fails(1, "bad_index")
    };
    let mut version = file.clone();
    version[16] = 3;
    let spread = (1..length).step_by(4).map(|at| (at, u8::try_from(at % 8).unwrap_or_default()));
    let mut cases: Vec<_> =
        [(0, 0), (4, 7), (5, 0), (length - 1, 0)].into_iter().chain(spread).map(flip).collect();
    cases.dedup_by(|one, other| one.name == other.name);
    let newer = Case::closed("index-flip-0-1", version, "unsupported_version");
    cases.push(newer.read_fails(1, "unsupported_version"));
    cases
}

/// Indexes whose check is right and which say something wrong.
fn lies() -> Vec<Case> {
    let closed = |name: &str, code: &'static str, lie: &dyn Fn(&mut Archive)| {
        let mut archive = blocks();
        lie(&mut archive);
        Case::closed(format!("lie-{name}"), archive.bytes(), code).read_fails(1, code)
    };
    let opens = |name: &str, lie: &dyn Fn(&mut Archive)| {
        let mut archive = blocks();
        lie(&mut archive);
        Case::good(&format!("lie-{name}"), &Log::sample(), &archive).index_fails("gzip_corrupt")
    };
    vec![
        closed("version-0", "bad_index", &|archive| archive.version = 0),
        closed("version-2", "unsupported_version", &|archive| archive.version = 2),
        closed("version-255", "unsupported_version", &|archive| archive.version = 255),
        closed("longer-than-the-file", "gzip_truncated", &|archive| {
            archive.records[0].compressed += 1;
        }),
        closed("far-longer-than-the-file", "gzip_truncated", &|archive| {
            archive.records[1].compressed += 1 << 40;
        }),
        closed("shorter-than-the-file", "bad_index", &|archive| archive.records[0].compressed -= 1),
        closed("raw-bytes-more", "bad_index", &|archive| archive.records[0].raw += 1),
        closed("raw-bytes-less", "bad_index", &|archive| archive.records[0].raw -= 1),
        closed("log-bytes-more", "bad_index", &|archive| archive.log_bytes += 1),
        closed("log-bytes-zero", "bad_index", &|archive| archive.log_bytes = 0),
        closed("entries-more", "bad_index", &|archive| archive.records[0].entries += 1),
        closed("head-later", "bad_index", &|archive| archive.seq += 1),
        closed("head-highest", "bad_index", &|archive| archive.seq = u64::MAX),
        closed("first-entry-1", "bad_index", &|archive| archive.first_seq = 1),
        closed("first-entry-1-and-sums-agree", "bad_index", &|archive| {
            archive.first_seq = 1;
            archive.records[0].entries -= 1;
        }),
        closed("first-entry-beyond-the-head", "bad_index", &|archive| archive.first_seq = 99),
        closed("no-spans", "bad_index", &|archive| archive.records.clear()),
        closed("a-span-less", "bad_index", &|archive| _ = archive.records.pop()),
        closed("empty-span", "bad_index", &|archive| {
            let (one, other) = (archive.records[0], &mut archive.records[1]);
            other.entries += one.entries;
            archive.records[0].entries = 0;
        }),
        closed("sums-that-wrap-around", "bad_index", &|archive| {
            archive.records[0].raw = u64::MAX;
            archive.records[1].raw += 2;
        }),
        opens("compressed-bytes-moved", &|archive| {
            archive.records[0].compressed += 1;
            archive.records[1].compressed -= 1;
        }),
        opens("raw-bytes-moved", &|archive| {
            archive.records[0].raw += 1;
            archive.records[1].raw -= 1;
        }),
        opens("entries-moved", &|archive| {
            archive.records[0].entries += 1;
            archive.records[1].entries -= 1;
        }),
        opens("all-more", &|archive| {
            archive.records[0].raw += 1;
            archive.log_bytes += 1;
        }),
        opens("all-far-more", &|archive| {
            archive.records[0].raw += 1 << 50;
            archive.log_bytes += 1 << 50;
        }),
        // The log's length bounds what is inflated.
        opens("all-less", &|archive| {
            archive.records[0].raw -= 1;
            archive.log_bytes -= 1;
        })
        .whole_fails("output_limit"),
        opens("an-entry-more", &|archive| {
            archive.records[0].entries += 1;
            archive.seq += 1;
        }),
        opens("another-head", &|archive| archive.hash = [0xab; 32])
            .index_fails("bad_index")
            .read_fails(1, "bad_index"),
        opens("the-hash-before", &|archive| archive.hash = sample_hash(5))
            .index_fails("bad_index")
            .read_fails(1, "bad_index"),
    ]
}

/// A line that compresses better than foreign gzip may: only an index allows it.
fn bounds() -> Vec<Case> {
    let item = format!(",\"item\":\"{}\"", "x".repeat(2_000_000));
    let log = Log::sample_and(&[entry(7, "tool_result", &item)]);
    let archive = Archive::of(&log, BLOCK_BYTES);
    let file = archive.bytes();
    let of = |name: &str, file: Vec<u8>, whole: &'static str, index: &'static str| {
        Case::closed(format!("bound-{name}"), file, index).whole_fails(whole)
    };
    let with = |end: &[u8]| [&file, end].concat();
    let mut timed = archive.member();
    timed.facts[0] = 1;
    vec![
        Case::good("bound-by-its-index", &log, &archive).reads(&log, &[1, 2]),
        of("by-its-index-and-a-byte", with(b"\0"), "trailing_data", "bad_index"),
        of(
            "by-its-index-and-cut",
            file[..file.len() - 1].to_vec(),
            "gzip_truncated",
            "gzip_truncated",
        ),
        of("and-an-empty-member", with(&Member::of(b"").bytes()), "output_limit", "bad_index"),
        of("and-a-bomb", with(&Member::of(&[0; 500_000]).bytes()), "output_limit", "bad_index"),
        of("of-another-header", timed.bytes(), "output_limit", "bad_index"),
    ]
}

fn sample_hash(seq: u64) -> [u8; 32] {
    let bytes = super::from_hex(&Log::sample().hash(seq)).unwrap_or_default();
    bytes.try_into().unwrap_or_default()
}

/// Indexes whose check is right and which are no index.
fn malformed() -> Vec<Case> {
    let archive = blocks();
    let content = archive.index_content();
    let of = |name: &str, content: &[u8]| {
        let file = archive.member_with(&archive.index_with(content)).bytes();
        Case::closed(format!("malformed-{name}"), file, "bad_index").read_fails(1, "bad_index")
    };
    // The head's number is one byte, its hash follows.
    let after_hash = 1 + 32;
    let log_bytes = varint(archive.log_bytes);
    let long_log_bytes = {
        let mut long = log_bytes.clone();
        *long.last_mut().expect("a byte") |= 0x80;
        [long, vec![0]].concat()
    };
    let with = |number: &[u8]| {
        [&content[..after_hash], number, &content[after_hash + log_bytes.len()..]].concat()
    };
    let count_at = after_hash + log_bytes.len() + 1;
    let counted =
        |count: u64| [&content[..count_at], &varint(count)[..], &content[count_at + 1..]].concat();
    vec![
        of("empty", b""),
        of("cut-in-hash", &content[..20]),
        of("cut-after-hash", &content[..after_hash]),
        of("cut-in-records", &content[..content.len() - 1]),
        of("a-byte-more", &[&content[..], b"\0"].concat()),
        of("number-longer-than-needed", &with(&long_log_bytes)),
        of("number-of-11-bytes", &with(&[&[0x80; 10][..], b"\x01"].concat())),
        of("number-beyond-64-bits", &with(&[&[0xff; 9][..], b"\x02"].concat())),
        of("a-span-more", &counted(archive.records.len() as u64 + 1)),
        of("very-many-spans", &counted(u64::MAX)),
    ]
}

/// Damage behind the index.
fn damaged() -> Vec<Case> {
    let log = Log::sample();
    let file_of = |archive: &Archive| Case::good("", &log, archive);
    let block = |name: &str, number: usize| {
        let mut archive = blocks();
        archive.blocks[number][0] |= 6; // a block of sort 3, which there is not
        let case = file_of(&archive).index_fails("gzip_corrupt").whole_fails("gzip_corrupt");
        Case { name: format!("damaged-{name}"), ..case }
    };
    let last = blocks().blocks.len() - 1;
    let checksum = |name: &str, at: usize| {
        let mut archive = blocks();
        archive.trailer[at] ^= 1;
        Case { name: format!("damaged-{name}"), ..file_of(&archive).whole_fails("gzip_checksum") }
            .reads(&log, &[1, 7])
    };
    let mut changed = Archive::with(&log, SMALL, stored);
    changed.blocks[0][200] ^= 1; // within the first line's system prompt, by the look of it
    let first_lines = changed.records[0].entries;
    let after_first = usize::try_from(7 - first_lines).unwrap_or_default();
    let mut finally = Archive::with(&log, SMALL, stored);
    let flush = finally.blocks[last].len() - 5;
    finally.blocks[last][flush] |= 1; // the empty stored block that ends it is the last one
    let finally = Case {
        name: "damaged-final-block".into(),
        ..file_of(&finally).index_fails("gzip_corrupt")
    };
    let mut end = blocks().bytes();
    let end_at = end.len() - 10;
    end[end_at] = 7; // the final block is of sort 3
    let ending = Case { file: end, ..file_of(&blocks()).whole_fails("gzip_corrupt") };
    vec![
        block("first-block", 0).reads(&log, &[1]).read_fails(7, "gzip_corrupt"),
        block("last-block", last).read_fails(1, "gzip_corrupt").read_fails(7, "gzip_corrupt"),
        checksum("checksum", 0),
        checksum("length", 4),
        Case {
            name: "damaged-content".into(),
            ..file_of(&changed).index_fails("bad_hash").whole_fails("gzip_checksum")
        }
        .reads(&log, &[1, after_first])
        .read_fails(7, "bad_hash"),
        finally.whole_fails("gzip_checksum").read_fails(1, "gzip_corrupt"),
        Case { name: "damaged-end-of-deflate".into(), ..ending }.reads(&log, &[1, 7]),
    ]
}

/// First spans that give all of their lines and end within a deflate block, so that the next span belongs
/// to it for who reads the file as one stream.
fn left_open() -> Vec<Case> {
    let log = Log::sample();
    let of = |name: &str, end: &[u8]| {
        let mut archive = Archive::with(&log, SMALL, stored);
        let flush = archive.blocks[0].len() - 5;
        archive.blocks[0].splice(flush.., end.iter().copied());
        archive.records[0].compressed = archive.blocks[0].len() as u64;
        let case = Case::good(&format!("left-open-{name}"), &log, &archive);
        let case = case.index_fails("gzip_corrupt").whole_fails("gzip_corrupt");
        case.reads(&log, &[1]).read_fails(7, "gzip_corrupt")
    };
    vec![
        of("stored-block", &[0, 5, 0, 0xfa, 0xff]),
        // Not yet all of its code lengths.
        of("dynamic-block", &[4, 0xe0, 1, 0, 0, 0xff, 0xff]),
    ]
}

/// Archives of logs that do not hold: gzip is none the wiser.
fn contents() -> Vec<Case> {
    let log = Log::sample();
    let of = |name: &str, log: &Log, block_bytes: usize, code: &'static str| {
        Case::good(&format!("content-{name}"), log, &Archive::of(log, block_bytes))
            .index_fails(code)
    };
    let edited = log.replace("\"turn\":1", "\"turn\":2");
    let lines = log.lines();
    let removed = Log::from_lines(&[&lines[..2], &lines[3..]].concat());
    let torn = {
        let (content, mut archive) = (log.and(b"{\"hash\":\""), sample());
        archive.blocks = vec![deflated(&content.0)];
        archive.records[0].compressed = archive.blocks[0].len() as u64;
        archive.records[0].raw = content.0.len() as u64;
        archive.log_bytes = content.0.len() as u64;
        archive.trailer = trailer(&content.0);
        Case::good("content-torn", &content, &archive).index_fails("gzip_corrupt")
    };
    let swapped = {
        let mut archive = blocks();
        archive.blocks.swap(0, 1);
        archive.records.swap(0, 1);
        let (first, rest) =
            lines.split_at(usize::try_from(archive.records[1].entries).unwrap_or_default());
        let (second, rest) =
            rest.split_at(usize::try_from(archive.records[0].entries).unwrap_or_default());
        let content = [second, first, rest].concat().concat();
        archive.trailer = trailer(&content);
        Case { name: "content-blocks-swapped".into(), ..Case::good("", &log, &archive) }
            .gives(content)
    };
    vec![
        of("edited", &edited, BLOCK_BYTES, "bad_hash"),
        of("line-removed", &removed, BLOCK_BYTES, "broken_link"),
        of(
            "carriage-returns",
            &Log(log
                .0
                .iter()
                .flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] })
                .collect()),
            BLOCK_BYTES,
            "bad_line",
        ),
        torn,
        swapped.index_fails("gzip_corrupt").reads(&log, &[1]).read_fails(7, "gzip_corrupt"),
    ]
}
