//! Area `gzip`: anybody's gzip files (§6.3, §6.4).

use serde_json::json;
use turnkeep_core::sha256;

use super::{Vector, from_hex};
use crate::build::{Member, Random, deflated, hex, stored, trailer};

const MANY: u64 = 1 << 40;

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    [
        tools(),
        headers(),
        members(),
        streams(),
        truncated(),
        foreign(),
        trailing(),
        checksums(),
        corrupt(),
        bounds(),
    ]
    .concat()
}

fn content() -> Vec<u8> {
    [b"one line\n".repeat(20), b"and the last one\n".to_vec()].concat()
}

fn gives(name: &str, file: Vec<u8>, output_max: u64, content: &[u8]) -> Vector {
    let sha256 = hex(sha256(content).as_bytes());
    let expected =
        json!({ "output_max": output_max, "code": null, "bytes": content.len(), "sha256": sha256 });
    Vector::new("gzip", name, file, expected)
}

fn reads(name: &str, file: Vec<u8>) -> Vector {
    gives(name, file, MANY, &content())
}

fn fails(name: &str, file: Vec<u8>, code: &str) -> Vector {
    Vector::new("gzip", name, file, json!({ "output_max": MANY, "code": code }))
}

fn plain() -> Vec<u8> {
    Member::of(&content()).bytes()
}

/// A member with every part that a header may have.
fn full() -> Member {
    Member {
        flags: 1,
        facts: [1, 2, 3, 4, 2, 3],
        extra: Some(b"xy\x03\0abczz\0\0".to_vec()),
        name: Some(b"caf\xe9.jsonl".to_vec()),
        comment: Some(b"nothing to say".to_vec()),
        has_header_crc: true,
        ..Member::of(&content())
    }
}

/// What other programs made of the same text.
fn tools() -> Vec<Vector> {
    let files = [
        (
            "gnu-gzip-9",
            "1f8b0800000000000203cbcf4b55c8c9cc4be5ca1f3a8cc4bc1485920c2027b1b8440128ca0500a1153686c5000000",
        ),
        (
            "gnu-gzip-1",
            "1f8b0800000000000403cbcf4b55c8c9cc4be5ca1f3a8cc4bc1485920ca0bb138b4b1480eee60200a1153686c5000000",
        ),
        (
            "node-zlib",
            "1f8b0800000000000003cbcf4b55c8c9cc4be5ca1f3a8cc4bc1485928c54859cc4e21285fcbc542e00a1153686c5000000",
        ),
    ];
    files.into_iter().map(|(name, file)| reads(name, from_hex(file).expect("hex"))).collect()
}

fn headers() -> Vec<Vector> {
    let of = |name: &str, change: &dyn Fn(&mut Member)| {
        let mut member = Member::of(&content());
        change(&mut member);
        reads(&format!("header-{name}"), member.bytes())
    };
    vec![
        of("plain", &|_| {}),
        of("text-flag", &|member| member.flags = 1),
        of("time-and-system", &|member| member.facts = [0xff, 0xee, 0xdd, 0xcc, 4, 11]),
        of("name", &|member| member.name = Some(b"a.jsonl".to_vec())),
        of("name-empty", &|member| member.name = Some(Vec::new())),
        of("name-long", &|member| member.name = Some(vec![b'n'; 3000])),
        of("name-latin-1", &|member| member.name = Some(b"caf\xe9".to_vec())),
        of("comment", &|member| member.comment = Some(b"by hand\nin two lines".to_vec())),
        of("name-and-comment", &|member| {
            member.name = Some(b"a".to_vec());
            member.comment = Some(b"b".to_vec());
        }),
        of("extra-of-others", &|member| member.extra = Some(b"BC\x02\0\x1b\0".to_vec())),
        of("extra-empty", &|member| member.extra = Some(Vec::new())),
        of("extra-without-subfields", &|member| member.extra = Some(b"abc".to_vec())),
        of("extra-longest", &|member| member.extra = Some(vec![7; 65_535])),
        of("header-crc", &|member| member.has_header_crc = true),
        reads("header-with-everything", full().bytes()),
    ]
}

fn members() -> Vec<Vector> {
    let text = content();
    let (one, other) = text.split_at(77);
    let (one, other) = (Member::of(one).bytes(), Member::of(other).bytes());
    let empty = Member::of(b"").bytes();
    let bytes = text.iter().flat_map(|byte| Member::of(&[*byte]).bytes()).collect();
    let join = |members: &[&[u8]]| members.concat();
    let named =
        Member { name: Some(b"second".to_vec()), has_header_crc: true, ..Member::of(&text[77..]) };
    vec![
        reads("members-two", join(&[&one, &other])),
        reads("members-with-empty-ones", join(&[&empty, &one, &empty, &empty, &other, &empty])),
        reads("members-one-for-each-byte", bytes),
        reads("members-with-other-headers", join(&[&one, &named.bytes()])),
        gives("members-thrice", plain().repeat(3), MANY, &text.repeat(3)),
        gives("empty-content", empty, MANY, b""),
    ]
}

/// Deflate in every form.
fn streams() -> Vec<Vector> {
    let text = content();
    let of = |name: &str, deflate: Vec<u8>| {
        let member = Member { deflate, ..Member::of(&text) };
        reads(&format!("stream-{name}"), member.bytes())
    };
    let length = u16::try_from(text.len()).unwrap_or_default();
    let final_block = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), &text].concat();
    let pieces: Vec<u8> = text.chunks(9).flat_map(deflated).collect();
    let mixed = [stored(&text[..50]), deflated(&text[50..99]), stored(&text[99..])].concat();
    let ended = |stream: Vec<u8>| [stream, vec![3, 0]].concat();
    let noise: Vec<u8> = {
        let mut random = Random::new(7);
        (0..20_000).map(|_| random.number().to_le_bytes()[0]).collect()
    };
    let words = Random::new(8).text(40_000).into_bytes();
    vec![
        of("stored-finally", final_block),
        of("stored", ended(stored(&text))),
        of("of-many-blocks", ended(pieces)),
        of("of-both-sorts", ended(mixed)),
        of(
            "with-empty-blocks",
            ended([stored(b""), deflated(&text), stored(b""), stored(b"")].concat()),
        ),
        gives("stream-of-noise", Member::of(&noise).bytes(), MANY, &noise),
        gives("stream-of-words", Member::of(&words).bytes(), MANY, &words),
        gives(
            "stream-of-all-bytes",
            Member::of(&(0..=255).collect::<Vec<u8>>()).bytes(),
            MANY,
            &(0..=255).collect::<Vec<u8>>(),
        ),
        {
            let long = vec![b'x'; 3_000_000];
            gives(
                "stream-stored-3-megabytes",
                Member::with(&long, stored(&long)).bytes(),
                MANY,
                &long,
            )
        },
    ]
}

fn truncated() -> Vec<Vector> {
    let file = full().bytes();
    let (header, end) = (full().header().len(), file.len());
    let cut =
        |end: usize| fails(&format!("truncated-at-{end}"), file[..end].to_vec(), "gzip_truncated");
    let mut vectors: Vec<_> =
        [1, 2, 3, 4, 9, 10, 11, 12, 15, 22, 23, 30, 40, header - 1, header, header + 1]
            .into_iter()
            .chain([end - 10, end - 9, end - 8, end - 4, end - 1])
            .map(cut)
            .collect();
    let plain = plain();
    let second = |name: &str, length: usize| {
        let file = [&plain[..], &plain[..length]].concat();
        fails(&format!("truncated-second-member-{name}"), file, "gzip_truncated")
    };
    vectors.extend([
        fails("truncated-to-nothing", Vec::new(), "gzip_truncated"),
        second("after-one-byte", 1),
        second("after-two-bytes", 2),
        second("after-three-bytes", 3),
        second("in-header", 9),
        second("after-header", 10),
        second("in-trailer", plain.len() - 1),
    ]);
    vectors
}

fn foreign() -> Vec<Vector> {
    let of = |name: &str, start: &[u8]| {
        let file = [start, b" and more bytes than any header has"].concat();
        fails(&format!("not-{name}"), file, "not_gzip")
    };
    let edit = |name: &str, at: usize, byte: u8| {
        let mut file = plain();
        file[at] = byte;
        fails(&format!("not-{name}"), file, "not_gzip")
    };
    vec![
        of("a-log", b"{\"hash\":\""),
        of("text", b"one line\n"),
        of("zip", b"PK\x03\x04"),
        of("zlib", b"\x78\x9c"),
        of("bzip2", b"BZh9"),
        of("xz", b"\xfd7zXZ\0"),
        of("zstd", b"\x28\xb5\x2f\xfd"),
        of("compress", b"\x1f\x9d\x90"),
        of("zeros", &[0; 20]),
        edit("another-first-byte", 0, 0x1e),
        edit("another-second-byte", 1, 0x8c),
        edit("another-method", 2, 7),
        edit("method-0", 2, 0),
        fails("not-one-byte", b"x".to_vec(), "not_gzip"),
        fails("not-two-bytes", b"\x1f\x8c".to_vec(), "not_gzip"),
        fails("not-three-bytes", b"\x1f\x8b\x09".to_vec(), "not_gzip"),
    ]
}

fn trailing() -> Vec<Vector> {
    let of = |name: &str, end: &[u8]| {
        fails(&format!("trailing-{name}"), [&plain(), end].concat(), "trailing_data")
    };
    vec![
        of("zero", b"\0"),
        of("zeros", &[0; 512]),
        of("line-break", b"\n"),
        of("text", b"garbage"),
        of("another-second-byte", b"\x1f\x8c"),
        of("another-method", b"\x1f\x8b\x07"),
        of("log", b"{\"hash\":\""),
        fails("trailing-after-two-members", [plain(), plain(), vec![0]].concat(), "trailing_data"),
    ]
}

fn checksums() -> Vec<Vector> {
    let flip = |name: &str, from_end: usize, bit: u8| {
        let mut file = plain();
        let at = file.len() - from_end;
        file[at] ^= 1 << bit;
        fails(&format!("checksum-{name}"), file, "gzip_checksum")
    };
    let of = |name: &str, trailer: Vec<u8>, code: &str| {
        fails(
            &format!("checksum-{name}"),
            Member { trailer, ..Member::of(&content()) }.bytes(),
            code,
        )
    };
    let swapped = {
        let trailer = trailer(&content());
        [&trailer[4..], &trailer[..4]].concat()
    };
    let mut changed = Member::with(&content(), stored(&content()));
    changed.deflate[8] ^= 1;
    vec![
        flip("first-bit", 8, 0),
        flip("last-bit", 5, 7),
        flip("length-first-bit", 4, 0),
        flip("length-last-bit", 1, 7),
        of("zero", vec![0; 8], "gzip_checksum"),
        of("of-nothing", trailer(b""), "gzip_checksum"),
        of("length-first", swapped, "gzip_checksum"),
        fails(
            "checksum-of-the-second-member",
            [plain(), changed.bytes()].concat(),
            "gzip_checksum",
        ),
        fails("checksum-of-changed-content", changed.bytes(), "gzip_checksum"),
        fails("checksum-of-the-first-of-two", [changed.bytes(), plain()].concat(), "gzip_checksum"),
    ]
}

/// Streams and headers that break their own rules; all of them go on long enough.
fn corrupt() -> Vec<Vector> {
    let stream = |name: &str, stream: &[u8]| {
        let deflate = [stream, &[0; 40]].concat();
        fails(
            &format!("corrupt-{name}"),
            Member { deflate, ..Member::of(b"") }.bytes(),
            "gzip_corrupt",
        )
    };
    let flags = |name: &str, flags: u8| {
        fails(
            &format!("corrupt-{name}"),
            Member { flags, ..Member::of(&content()) }.bytes(),
            "gzip_corrupt",
        )
    };
    let mut header_crc = Member { has_header_crc: true, ..Member::of(&content()) }.bytes();
    header_crc[10] ^= 1;
    let mut everything = full().bytes();
    let crc_at = full().header().len() - 1;
    everything[crc_at] ^= 0x80;
    let second = Member { flags: 0x20, ..Member::of(b"x") }.bytes();
    vec![
        flags("reserved-flag-5", 0x20),
        flags("reserved-flag-6", 0x40),
        flags("reserved-flag-7", 0x80),
        fails("corrupt-header-crc", header_crc, "gzip_corrupt"),
        fails("corrupt-header-crc-of-everything", everything, "gzip_corrupt"),
        fails("corrupt-second-header", [plain(), second].concat(), "gzip_corrupt"),
        stream("block-of-sort-3", &[0x07]),
        stream("block-of-sort-3-after-another", &[&deflated(&content())[..], &[0x06]].concat()),
        stream("stored-length", &[0x01, 0x05, 0x00, 0xfa, 0xfe]),
        // A match of length 3 at distance 1, before there is anything.
        stream("distance-too-far", &[0x03, 0x02, 0x00]),
        // 286 is no length, 30 is no distance: 11000110 in a fixed block; 0000001 11110.
        stream("length-286", &[0x1b, 0x03]),
        stream("distance-30", &[0x03, 0x7a, 0x00]),
        stream("too-many-codes", &[0xfd, 0xff, 0xff, 0xff]),
        // Code lengths of which all nineteen are 1: more codes than fit.
        stream("too-full-codes", &[0x05, 0xe0, 0x93, 0x24, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24]),
    ]
}

/// How much a file may give.
fn bounds() -> Vec<Vector> {
    let text = content();
    let size = text.len() as u64;
    let limit = |name: &str, file: Vec<u8>, output_max: u64| {
        let expected = json!({ "output_max": output_max, "code": "output_limit" });
        Vector::new("gzip", &format!("bound-{name}"), file, expected)
    };
    let within = |name: &str, file: Vec<u8>, output_max: u64, content: &[u8]| {
        gives(&format!("bound-{name}"), file, output_max, content)
    };
    let zeros = |bytes: usize| Member::of(&vec![0; bytes]).bytes();
    let small = Member::of(&[0; 12_000]).bytes();
    let (mild, mild_content) = ratio(20_000, 80);
    let (steep, _) = ratio(40_000, 40);
    vec![
        within("at-the-size", plain(), size, &text),
        limit("below-the-size", plain(), size - 1),
        limit("zero", plain(), 0),
        within("zero-and-empty", Member::of(b"").bytes(), 0, b""),
        within("of-two-members", plain().repeat(2), 2 * size, &text.repeat(2)),
        limit("below-two-members", plain().repeat(2), 2 * size - 1),
        limit("before-trailing-data", [plain(), b"junk".to_vec()].concat(), size - 1),
        limit(
            "before-a-wrong-checksum",
            [&plain()[..plain().len() - 8], &[0; 8]].concat(),
            size - 1,
        ),
        within("free-mebibyte", zeros(1 << 20), MANY, &vec![0; 1 << 20]),
        limit("free-mebibyte-and-one", zeros((1 << 20) + 1), MANY),
        limit("bomb-of-10-megabytes", zeros(10_000_000), MANY),
        limit("bomb-of-members", small.repeat(200), MANY),
        within("ratio-below-200", mild, MANY, &mild_content),
        limit("ratio-above-200", steep, MANY),
        limit("bomb-and-a-small-bound", zeros(10_000_000), 1000),
    ]
}

/// Zeros and noise in turn, so that the ratio is the same all along.
fn ratio(zeros: usize, times: usize) -> (Vec<u8>, Vec<u8>) {
    let mut random = Random::new(9);
    let (mut content, mut stream) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let noise: Vec<u8> = (0..90).map(|_| random.number().to_le_bytes()[0]).collect();
        let zeros = vec![0; zeros];
        stream.extend([deflated(&zeros), stored(&noise)].concat());
        content.extend([zeros, noise].concat());
    }
    (Member::with(&content, stream).bytes(), content)
}
