//! Terms made at random, their bytes, and what their JSON says they are.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::Value;

use super::VERSION;

/// A term, as the encoder takes it and the JSON gives it back.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::import) enum Made {
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

pub(in crate::import) fn encoded(made: &Made, is_new: bool) -> Vec<u8> {
    let mut out = vec![VERSION];
    encode(made, is_new, &mut out);
    out
}

/// The term that some JSON says it is.
pub(in crate::import) fn decoded(value: &Value) -> Made {
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
pub(in crate::import) fn sorted(made: Made) -> Made {
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

pub(in crate::import) fn made() -> impl Strategy<Value = Made> {
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
pub(in crate::import) fn opaque(tag: u8, numbers: &[u8]) -> Vec<u8> {
    [&[tag, 119, 4], b"a@b1".as_slice(), numbers].concat()
}
