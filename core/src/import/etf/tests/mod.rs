pub(in crate::import) mod made;

use alloc::vec;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::gzip::deflate::Deflater;
use crate::limits::{IMPORT_BYTES_MAX, TERM_INTEGER_BYTES_MAX};
use made::{Made, decoded, encoded, made, opaque, sorted};

fn within(term: &[u8]) -> Result<Cow<'_, [u8]>> {
    checked(term, &mut { IMPORT_BYTES_MAX })
}

fn json(term: &[u8]) -> Result<String> {
    let term = within(term)?;
    json_of(&mut Reader::new(&term))
}

proptest! {
    #[test]
    fn every_term_comes_back_from_its_json(made in made(), is_new in any::<bool>()) {
        let term = encoded(&made, is_new);
        let json = json(&term).unwrap();
        let value: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(sorted(decoded(&value)), sorted(made), "{}", json);
    }

    #[test]
    fn a_term_that_is_cut_off_is_refused_where_it_ends(made in made(), is_new in any::<bool>()) {
        let term = encoded(&made, is_new);
        for end in 0..term.len() {
            let error = within(&term[..end]).unwrap_err();
            prop_assert!(error.place().offset.is_some_and(|at| at <= end as u64), "{end}: {error}");
        }
        let longer = [&term[..], &[97]].concat();
        let error = within(&longer).unwrap_err();
        prop_assert_eq!(error.code(), "trailing_data");
        prop_assert_eq!(error.place().offset, Some(term.len() as u64));
    }

    #[test]
    fn every_float_comes_back(bits in any::<u64>()) {
        let json = json(&encoded(&Made::Float(bits), true)).unwrap();
        let back = match json.parse::<f64>() {
            Ok(number) => Made::Float(number.to_bits()),
            Err(_) => decoded(&serde_json::from_str(&json).unwrap()),
        };
        prop_assert_eq!(back, Made::Float(bits));
        prop_assert!(json.contains(['.', 'e', '{']), "{}", json);
    }

    #[test]
    fn noise_is_read_or_refused(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let term = [&[VERSION], &noise[..]].concat();
        if let Ok(json) = json(&term) {
            prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{}", json);
        }
        let _ = within(&[&[VERSION, COMPRESSED], &noise[..]].concat());
    }

    #[test]
    fn a_changed_term_is_read_or_refused(made in made(), at in any::<usize>(), change in 1_u8..) {
        let mut term = encoded(&made, true);
        let at = at % term.len();
        term[at] ^= change;
        if let Ok(json) = json(&term) {
            prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{}", json);
        }
    }
}

#[test]
fn every_kind_of_term_has_its_json() {
    let many = Made::Map((0..40).map(|n| (Made::Integer(n), Made::Tuple(vec![]))).collect());
    let pairs: Vec<_> = (0..40).map(|n| alloc::format!(r#"[{n},{{"$tuple":[]}}]"#)).collect();
    let many_json = alloc::format!(r#"{{"$map":[{}]}}"#, pairs.join(","));
    let old_float = [&[99], b"1.50000000000000000000e+00".as_slice(), &[0; 5]].concat();
    let export = [&[113, 119, 1], b"m".as_slice(), &[119, 1], b"f", &[97, 2]].concat();
    let fun = [&[112, 0, 0, 0, 29], [0; 25].as_slice()].concat();
    let latin = [&[115, 2], [0xe9, b'x'].as_slice()].concat();
    let new_reference = [&[90, 0, 1, 119, 1], b"n".as_slice(), &[0; 8]].concat();
    for (term, json) in [
        (&[107, 0, 3, 104, 105, 0][..], "[104,105,0]"),
        (&[97, 7], "7"),
        (&[98, 0, 0, 0, 0], "0"),
        (&[98, 0xff, 0xff, 0xff, 0xff], "-1"),
        (&[110, 7, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f], "9007199254740991"),
        (&[110, 7, 1, 0, 0, 0, 0, 0, 0, 0x20], r#"{"$integer":"-9007199254740992"}"#),
        (&[111, 0, 0, 0, 1, 0, 5], "5"),
        (&[110, 0, 1], "0"),
        (&[70, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "1.5"),
        (&[70, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], "1.0"),
        (&[70, 0x43, 0x41, 0xc3, 0x79, 0x37, 0xe0, 0x80, 0], "1e16"),
        (&[70, 0x80, 0, 0, 0, 0, 0, 0, 0], "-0.0"),
        (&[70, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], r#"{"$float":"7ff0000000000000"}"#),
        (&old_float, "1.5"),
        (&[77, 0, 0, 0, 1, 3, 0xa0], r#"{"$bits":"oA==","$unused":5}"#),
        (&[108, 0, 0, 0, 1, 97, 1, 97, 2], r#"{"$list":[1],"$tail":2}"#),
        (&[105, 0, 0, 0, 1, 97, 1], r#"{"$tuple":[1]}"#),
        (&[106], "[]"),
        (&[116, 0, 0, 0, 0], "{}"),
        (&[109, 0, 0, 0, 1, 0xff], r#"{"$binary":"/w=="}"#),
        (&[100, 0, 2, b'o', b'k'], r#"{"$atom":"ok"}"#),
        (&latin, r#"{"$atom":"éx"}"#),
        (&[118, 0, 2, 0xc3, 0xa9], r#"{"$atom":"é"}"#),
        (&[119, 3, b'n', b'i', b'l'], "null"),
        (&opaque(103, &[0; 9]), r#"{"$term":"g2d3BGFAYjEAAAAAAAAAAAA=","$type":"pid"}"#),
        (&export, r#"{"$term":"g3F3AW13AWZhAg==","$type":"fun"}"#),
        (&encoded(&many, true)[1..], &many_json),
    ] {
        let term = [&[VERSION], term].concat();
        assert_eq!(super::tests::json(&term).as_deref(), Ok(json), "{term:?}");
    }
    for (term, sort) in [
        (opaque(88, &[0; 12]), "pid"),
        (opaque(89, &[0; 8]), "port"),
        (opaque(102, &[0; 5]), "port"),
        (opaque(120, &[0; 12]), "port"),
        (opaque(101, &[0; 5]), "reference"),
        (new_reference, "reference"),
        (fun, "fun"),
    ] {
        let json = json(&[&[VERSION], &term[..]].concat()).unwrap();
        assert!(json.ends_with(&alloc::format!(r#","$type":"{sort}"}}"#)), "{json}");
    }
    let key = |bytes: &[u8]| [&[109, 0, 0, 0, bytes.len() as u8], bytes, &[97, 1]].concat();
    for (keys, json) in [
        ([key(b"a"), key(b"b")], r#"{"a":1,"b":1}"#),
        ([key(b"a"), key(b"a")], r#"{"$map":[["a",1],["a",1]]}"#),
        ([key(b"$a"), key(b"b")], r#"{"$map":[["$a",1],["b",1]]}"#),
        (
            [vec![119, 1, b'a', 97, 1], vec![119, 1, b'b', 97, 1]],
            r#"{"$keys":"atoms","a":1,"b":1}"#,
        ),
        ([vec![119, 1, b'a', 97, 1], key(b"b")], r#"{"$map":[[{"$atom":"a"},1],["b",1]]}"#),
    ] {
        let term = [&[VERSION, 116, 0, 0, 0, 2], &keys.concat()[..]].concat();
        assert_eq!(super::tests::json(&term).as_deref(), Ok(json));
    }
}

#[test]
fn what_is_no_term_is_refused_with_its_place() {
    for (term, code, at) in [
        (&[][..], "bad_entry", 0),
        (&[130, 106], "bad_entry", 0),
        (&[VERSION], "bad_entry", 1),
        (&[VERSION, 82, 0], "bad_entry", 1),
        (&[VERSION, 104, 1, 80, 0, 0, 0, 0], "bad_entry", 3),
        (&[VERSION, 108, 0xff, 0xff, 0xff, 0xff, 106], "bad_entry", 1),
        (&[VERSION, 116, 0xff, 0xff, 0xff, 0xff, 106], "bad_entry", 1),
        (&[VERSION, 109, 0xff, 0xff, 0xff, 0xff, 1], "bad_entry", 6),
        (&[VERSION, 111, 0xff, 0xff, 0xff, 0xff, 0], "bad_entry", 7),
        (&[VERSION, 119, 1, 0xff], "invalid_utf8", 1),
        (&[VERSION, 77, 0, 0, 0, 1, 9, 0], "bad_entry", 1),
        (&[VERSION, 110, 1, 2, 0], "bad_entry", 1),
        (&[VERSION, 103, 97, 0], "bad_entry", 2),
        (&[VERSION, 112, 0, 0, 0, 3], "bad_entry", 1),
        (&[VERSION, 106, 0], "trailing_data", 2),
    ] {
        let error = within(term).unwrap_err();
        assert_eq!((error.code(), error.place().offset), (code, Some(at)), "{term:?}: {error}");
    }
}

#[test]
fn depth_costs_neither_stack_nor_memory_and_no_entry_holds_it() {
    let deep = [108, 0, 0, 0, 1].repeat(1_000_000);
    let deep = [&[VERSION], &deep[..], &[106; 1_000_001]].concat();
    let term = within(&deep).unwrap();
    assert_eq!(json_of(&mut Reader::new(&term)).unwrap_err().code(), "too_deep");
    assert!(within(&deep[..deep.len() - 1]).is_err());
}

#[test]
fn whatever_holds_the_next_term_it_counts() {
    for (open, close) in [
        (&[108, 0, 0, 0, 1][..], &[106][..]), // a list's element
        (&[108, 0, 0, 0, 1, 97, 1], &[]),     // what ends a list
        (&[104, 1], &[]),                     // a tuple's element
        (&[116, 0, 0, 0, 1, 119, 1, b'a'], &[]),
        (&[116, 0, 0, 0, 1, 97, 1], &[]), // a value whose key is no name
        (&[116, 0, 0, 0, 1], &[97, 1]),   // a key
    ] {
        let deep = [&[VERSION], &open.repeat(20_000)[..], &[106], &close.repeat(20_000)].concat();
        let code = json_of(&mut Reader::new(&within(&deep).unwrap())).map_err(|error| error.code());
        assert_eq!(code, Err("too_deep"), "{open:?}");
    }
}

/// As `term_to_binary(Term, [compressed])` gives it.
fn compressed(inner: &[u8], claimed: u32) -> Vec<u8> {
    let mut out = vec![VERSION, COMPRESSED];
    out.extend(claimed.to_be_bytes());
    out.extend([0x78, 0x9c]);
    Deflater::new().block(inner, &mut out);
    out.extend([3, 0]);
    out.extend(adler32(inner).to_be_bytes());
    out
}

#[test]
fn compressed_terms_are_read_within_bounds() {
    let inner = [&[108, 0, 0, 0, 200], &[97, 7].repeat(200)[..], &[106]].concat();
    let term = compressed(&inner, inner.len() as u32);
    assert_eq!(within(&term).unwrap(), inner);
    assert!(json(&term).unwrap().starts_with("[7,7,"));
    for end in 0..term.len() {
        let error = within(&term[..end]).unwrap_err();
        assert!(error.place().offset.is_some_and(|at| at <= end as u64), "{end}: {error}");
    }
    for at in 1..term.len() {
        let mut changed = term.clone();
        changed[at] ^= 0x41;
        assert!(within(&changed).is_err() || within(&changed).unwrap() == inner, "{at}");
    }
    let longer = [&term[..], &[0]].concat();
    let error = within(&longer).unwrap_err();
    assert_eq!((error.code(), error.place().offset), ("trailing_data", Some(term.len() as u64)));
    for claimed in [0, inner.len() as u32 - 1, inner.len() as u32 + 1] {
        assert_eq!(within(&compressed(&inner, claimed)).unwrap_err().code(), "gzip_corrupt");
    }
    let error = within(&compressed(&inner, u32::MAX)).unwrap_err();
    assert_eq!(error.code(), "output_limit");
    // Claims what it may, and holds a thousand times as much.
    let bomb = compressed(&vec![0; 64 << 20], 1 << 20);
    assert_eq!(within(&bomb).unwrap_err().code(), "gzip_corrupt");
}

#[test]
fn long_integers_are_decimal_up_to_a_bound() {
    let big = |length: usize| {
        let length_bytes = (length as u32).to_be_bytes();
        [&[VERSION, 111], &length_bytes[..], &[0], &vec![0xff; length]].concat()
    };
    assert_eq!(json(&big(16)).unwrap(), alloc::format!(r#"{{"$integer":"{}"}}"#, u128::MAX));
    for length in [TERM_INTEGER_BYTES_MAX - 1, TERM_INTEGER_BYTES_MAX] {
        assert!(json(&big(length)).unwrap().starts_with(r#"{"$integer":"#));
    }
    let longer = json(&big(TERM_INTEGER_BYTES_MAX + 1)).unwrap();
    assert!(longer.ends_with(r#","$type":"integer"}"#));
}
