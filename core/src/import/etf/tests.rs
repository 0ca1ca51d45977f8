use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::gzip::deflate::Deflater;

/// A term, as the encoder takes it and the JSON gives it back.
#[derive(Debug, Clone, PartialEq)]
enum Made {
    Integer(i128),
    Float(u64),
    Atom(String),
    Binary(Vec<u8>),
    Bits(Vec<u8>, u8),
    List(Vec<Self>, Option<Box<Self>>),
    Tuple(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Opaque(&'static str, Vec<u8>),
}

fn json(term: &[u8]) -> Result<String> {
    let term = checked(term)?;
    json_of(&mut Reader::new(&term))
}

/// As an OTP before 26 writes it, or a later one.
fn encode(made: &Made, is_new: bool, out: &mut Vec<u8>) {
    let count = |out: &mut Vec<u8>, count: usize| out.extend((count as u32).to_be_bytes());
    match made {
        Made::Integer(number @ 0..=255) => out.extend([97, *number as u8]),
        Made::Integer(number) if i32::try_from(*number).is_ok() => {
            out.push(98);
            out.extend((*number as i32).to_be_bytes());
        }
        Made::Integer(number) => {
            let amount = number.unsigned_abs().to_le_bytes();
            let length = 16 - number.unsigned_abs().leading_zeros() as usize / 8;
            out.extend([110, length as u8, u8::from(*number < 0)]);
            out.extend(&amount[..length]);
        }
        Made::Float(bits) => {
            out.push(70);
            out.extend(bits.to_be_bytes());
        }
        Made::Atom(name) if is_new => {
            out.extend([119, name.len() as u8]);
            out.extend(name.as_bytes());
        }
        Made::Atom(name) => {
            let is_latin = name.chars().all(|char| (char as u32) < 256);
            let bytes = match is_latin {
                true => name.chars().map(|char| char as u8).collect(),
                false => name.as_bytes().to_vec(),
            };
            out.push(if is_latin { 100 } else { 118 });
            out.extend((bytes.len() as u16).to_be_bytes());
            out.extend(bytes);
        }
        Made::Binary(bytes) => {
            out.push(109);
            count(out, bytes.len());
            out.extend(bytes);
        }
        Made::Bits(bytes, unused) => {
            out.push(77);
            count(out, bytes.len());
            out.push(8 - unused);
            out.extend(bytes);
        }
        Made::List(elements, tail) if elements.is_empty() && tail.is_none() => out.push(106),
        Made::List(elements, tail) => {
            out.push(108);
            count(out, elements.len());
            elements.iter().for_each(|element| encode(element, is_new, out));
            match tail {
                Some(tail) => encode(tail, is_new, out),
                None => out.push(106),
            }
        }
        Made::Tuple(elements) => {
            out.extend([104, elements.len() as u8]);
            elements.iter().for_each(|element| encode(element, is_new, out));
        }
        Made::Map(pairs) => {
            out.push(116);
            count(out, pairs.len());
            for (key, value) in pairs {
                encode(key, is_new, out);
                encode(value, is_new, out);
            }
        }
        Made::Opaque(_, bytes) => out.extend(bytes),
    }
}

fn encoded(made: &Made, is_new: bool) -> Vec<u8> {
    let mut out = vec![VERSION];
    encode(made, is_new, &mut out);
    out
}

/// The term that some JSON says it is.
fn decoded(value: &Value) -> Made {
    let bytes = |name: &str| base64(value[name].as_str().unwrap());
    let list = |value: &Value| value.as_array().unwrap().iter().map(decoded).collect::<Vec<_>>();
    match value {
        Value::Null => Made::Atom("nil".into()),
        Value::Bool(is_true) => Made::Atom(is_true.to_string()),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Made::Integer(number.into()),
            None => Made::Float(number.as_f64().unwrap().to_bits()),
        },
        Value::String(text) => Made::Binary(text.clone().into_bytes()),
        Value::Array(_) => Made::List(list(value), None),
        Value::Object(members) => {
            let first = members.keys().find(|key| key.starts_with('$')).map(String::as_str);
            match first {
                Some("$integer") => {
                    Made::Integer(value["$integer"].as_str().unwrap().parse().unwrap())
                }
                Some("$float") => {
                    let bits = value["$float"].as_str().unwrap();
                    Made::Float(u64::from_str_radix(bits, 16).unwrap())
                }
                Some("$atom") => Made::Atom(value["$atom"].as_str().unwrap().into()),
                Some("$binary") => Made::Binary(bytes("$binary")),
                Some("$bits") => {
                    Made::Bits(bytes("$bits"), value["$unused"].as_u64().unwrap() as u8)
                }
                Some("$list") => {
                    Made::List(list(&value["$list"]), Some(Box::new(decoded(&value["$tail"]))))
                }
                Some("$tuple") => Made::Tuple(list(&value["$tuple"])),
                Some("$map") => {
                    let pair = |pair: &Value| (decoded(&pair[0]), decoded(&pair[1]));
                    Made::Map(value["$map"].as_array().unwrap().iter().map(pair).collect())
                }
                Some("$term") => {
                    let sort = match value["$type"].as_str().unwrap() {
                        "pid" => "pid",
                        "fun" => "fun",
                        "reference" => "reference",
                        _ => "port",
                    };
                    Made::Opaque(sort, bytes("$term")[1..].to_vec())
                }
                Some("$keys") => members_of(members, |name| Made::Atom(name.into())),
                _ => members_of(members, |name| Made::Binary(name.as_bytes().to_vec())),
            }
        }
    }
}

fn members_of(members: &serde_json::Map<String, Value>, key: impl Fn(&str) -> Made) -> Made {
    let members = members.iter().filter(|(name, _)| *name != "$keys");
    Made::Map(members.map(|(name, value)| (key(name), decoded(value))).collect())
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// The order of a map's keys says nothing.
fn sorted(made: Made) -> Made {
    let all = |made: Vec<Made>| made.into_iter().map(sorted).collect::<Vec<_>>();
    match made {
        Made::List(elements, tail) => {
            Made::List(all(elements), tail.map(|tail| Box::new(sorted(*tail))))
        }
        Made::Tuple(elements) => Made::Tuple(all(elements)),
        Made::Map(pairs) => {
            let mut pairs: Vec<_> =
                pairs.into_iter().map(|(key, value)| (sorted(key), sorted(value))).collect();
            pairs.sort_by_key(|pair| alloc::format!("{pair:?}"));
            Made::Map(pairs)
        }
        other => other,
    }
}

fn atom() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("nil".to_string()),
        Just("true".to_string()),
        Just("ok".to_string()),
        Just("$keys".to_string()),
        "[a-zé$]{0,8}",
        "\\PC{0,8}",
    ]
}

fn made() -> impl Strategy<Value = Made> {
    let text = prop_oneof!["[a-z$]{0,6}", "\\PC{0,8}"].prop_map(String::into_bytes);
    let leaf = prop_oneof![
        any::<i32>().prop_map(|number| Made::Integer(number.into())),
        any::<i64>().prop_map(|number| Made::Integer(number.into())),
        (i128::MIN + 1..=i128::MAX).prop_map(Made::Integer),
        // serde_json reads others a little off.
        any::<i16>().prop_map(|number| Made::Float((f64::from(number) / 4.0).to_bits())),
        any::<u64>().prop_map(|bits| Made::Float(bits | 0x7ff0 << 48)),
        atom().prop_map(Made::Atom),
        text.prop_map(Made::Binary),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(Made::Binary),
        (prop::collection::vec(any::<u8>(), 1..4), 0_u8..8)
            .prop_map(|(bytes, unused)| Made::Bits(bytes, unused)),
        Just(Made::Opaque("pid", opaque(103, &[0; 9]))),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        let many = || prop::collection::vec(inner.clone(), 0..6);
        let pair = (inner.clone(), inner.clone());
        let named = (atom().prop_map(Made::Atom), inner.clone());
        let texts = ("[a-z]{0,3}".prop_map(|key| Made::Binary(key.into_bytes())), inner.clone());
        prop_oneof![
            many().prop_map(|elements| Made::List(elements, None)),
            (prop::collection::vec(inner.clone(), 1..4), any::<u8>()).prop_map(|(all, tail)| {
                Made::List(all, Some(Box::new(Made::Integer(tail.into()))))
            }),
            many().prop_map(Made::Tuple),
            prop::collection::vec(pair, 0..4).prop_map(Made::Map),
            prop::collection::vec(named, 0..4).prop_map(Made::Map),
            prop::collection::vec(texts, 0..4).prop_map(Made::Map),
        ]
    })
}

/// What a runtime gives a name: tag, node, numbers.
fn opaque(tag: u8, numbers: &[u8]) -> Vec<u8> {
    [&[tag, 119, 4], b"a@b1".as_slice(), numbers].concat()
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
            let error = checked(&term[..end]).unwrap_err();
            prop_assert!(error.place().offset.is_some_and(|at| at <= end as u64), "{end}: {error}");
        }
        let longer = [&term[..], &[97]].concat();
        let error = checked(&longer).unwrap_err();
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
        let _ = checked(&[&[VERSION, COMPRESSED], &noise[..]].concat());
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
        let error = checked(term).unwrap_err();
        assert_eq!((error.code(), error.place().offset), (code, Some(at)), "{term:?}: {error}");
    }
}

#[test]
fn depth_costs_neither_stack_nor_memory_and_no_entry_holds_it() {
    let deep = [108, 0, 0, 0, 1].repeat(1_000_000);
    let deep = [&[VERSION], &deep[..], &[106; 1_000_001]].concat();
    let term = checked(&deep).unwrap();
    assert_eq!(json_of(&mut Reader::new(&term)).unwrap_err().code(), "too_deep");
    assert!(checked(&deep[..deep.len() - 1]).is_err());
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
    assert_eq!(checked(&term).unwrap(), inner);
    assert!(json(&term).unwrap().starts_with("[7,7,"));
    for end in 0..term.len() {
        let error = checked(&term[..end]).unwrap_err();
        assert!(error.place().offset.is_some_and(|at| at <= end as u64), "{end}: {error}");
    }
    for at in 1..term.len() {
        let mut changed = term.clone();
        changed[at] ^= 0x41;
        assert!(checked(&changed).is_err() || checked(&changed).unwrap() == inner, "{at}");
    }
    let longer = [&term[..], &[0]].concat();
    let error = checked(&longer).unwrap_err();
    assert_eq!((error.code(), error.place().offset), ("trailing_data", Some(term.len() as u64)));
    for claimed in [0, inner.len() as u32 - 1, inner.len() as u32 + 1] {
        assert_eq!(checked(&compressed(&inner, claimed)).unwrap_err().code(), "gzip_corrupt");
    }
    let error = checked(&compressed(&inner, u32::MAX)).unwrap_err();
    assert_eq!(error.code(), "output_limit");
    // Claims what it may, and holds a thousand times as much.
    let bomb = compressed(&vec![0; 64 << 20], 1 << 20);
    assert_eq!(checked(&bomb).unwrap_err().code(), "gzip_corrupt");
}

#[test]
fn long_integers_are_decimal_up_to_a_bound() {
    let big = |length: usize| {
        let length_bytes = (length as u32).to_be_bytes();
        [&[VERSION, 111], &length_bytes[..], &[0], &vec![0xff; length]].concat()
    };
    assert_eq!(json(&big(16)).unwrap(), alloc::format!(r#"{{"$integer":"{}"}}"#, u128::MAX));
    assert!(json(&big(4096)).unwrap().starts_with(r#"{"$integer":"#));
    assert!(json(&big(4097)).unwrap().ends_with(r#","$type":"integer"}"#));
}
