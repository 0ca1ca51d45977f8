//! Area `key`: ids and their encoded forms (§7).

use serde_json::json;

use super::Vector;

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for (name, id, key) in GOOD {
        vectors.push(encodes(name, id, key));
        vectors.push(decodes(name, key, id));
    }
    for (name, id) in bad_ids() {
        vectors.push(Vector::of_json("key", &name, &json!({ "id": id }), invalid()));
    }
    for (name, hex) in NOT_UTF8 {
        let input = json!({ "id_hex": hex });
        vectors.push(Vector::of_json("key", &format!("not-utf8-{name}"), &input, invalid()));
    }
    for (name, key) in bad_keys() {
        let name = format!("decode-bad-{name}");
        vectors.push(Vector::of_json("key", &name, &json!({ "key": key }), invalid()));
    }
    vectors.extend(long());
    vectors.extend(windows());
    let hex = json!({ "id_hex": "c3a9" });
    vectors.push(Vector::of_json("key", "raw-bytes", &hex, json!({ "key": "%c3%a9" })));
    vectors
}

fn invalid() -> serde_json::Value {
    json!({ "code": "invalid_id" })
}

fn encodes(name: &str, id: &str, key: &str) -> Vector {
    Vector::of_json("key", name, &json!({ "id": id }), json!({ "key": key }))
}

fn decodes(name: &str, key: &str, id: &str) -> Vector {
    let name = format!("decode-{name}");
    Vector::of_json("key", &name, &json!({ "key": key }), json!({ "id": id }))
}

const GOOD: [(&str, &str, &str); 30] = [
    ("plain", "demo-1_a", "demo-1_a"),
    ("one-byte", "a", "a"),
    ("digits", "0123456789", "0123456789"),
    ("uuid", "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ("capitals", "Demo", "%44emo"),
    ("space", "a b", "a%20b"),
    ("space-alone", " ", "%20"),
    ("dots", "..", "%2e%2e"),
    ("dot", ".", "%2e"),
    ("hidden", ".lock", "%2elock"),
    ("path-up", "../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
    ("path-absolute", "/a", "%2fa"),
    ("backslash", r"..\a", "%2e%2e%5ca"),
    ("drive", "c:x", "c%3ax"),
    ("suffix", "a.jsonl", "a%2ejsonl"),
    ("suffix-gz", "a.jsonl.gz", "a%2ejsonl%2egz"),
    ("percent", "100%", "100%25"),
    ("looks-encoded", "%41", "%2541"),
    ("tilde", "~root", "%7eroot"),
    ("signs", "a*b?c\"d<e>f|g", "a%2ab%3fc%22d%3ce%3ef%7cg"),
    ("shell", "$(x);`y`&", "%24%28x%29%3b%60y%60%26"),
    ("accent", "é", "%c3%a9"),
    ("accent-decomposed", "e\u{301}", "e%cc%81"),
    ("emoji", "🙂", "%f0%9f%99%82"),
    ("slash-like", "a\u{2215}b", "a%e2%88%95b"),
    ("right-to-left", "a\u{202e}b", "a%e2%80%aeb"),
    ("line-separator", "a\u{2028}b", "a%e2%80%a8b"),
    ("no-break-space", "a\u{a0}b", "a%c2%a0b"),
    ("byte-order-mark", "\u{feff}a", "%ef%bb%bfa"),
    ("highest", "\u{10ffff}", "%f4%8f%bf%bf"),
];

fn bad_ids() -> Vec<(String, String)> {
    let controls = [
        ("nul", "\0"),
        ("nul-inside", "a\0b"),
        ("tab", "a\tb"),
        ("line-break", "a\n"),
        ("carriage-return", "a\rb"),
        ("escape", "\u{1b}[31m"),
        ("unit-separator", "\u{1f}"),
        ("delete", "\u{7f}"),
        ("padding-character", "\u{80}"),
        ("next-line", "a\u{85}b"),
        ("application-command", "\u{9f}"),
    ];
    let controls = controls.map(|(name, id)| (format!("control-{name}"), id.to_owned()));
    let empty = ("empty".to_owned(), String::new());
    controls.into_iter().chain([empty]).collect()
}

const NOT_UTF8: [(&str, &str); 6] = [
    ("ff", "ff"),
    ("cut", "61c3"),
    ("overlong", "c080"),
    ("surrogate", "eda080"),
    ("beyond", "f4908080"),
    ("continuation", "80"),
];

/// What encoding never gives.
fn bad_keys() -> Vec<(String, String)> {
    let keys = [
        ("empty", ""),
        ("capital", "A"),
        ("capital-hex", "%4A"),
        ("needless-escape", "%61"),
        ("needless-escape-dash", "a%2db"),
        ("cut-escape", "a%4"),
        ("cut-escape-bare", "a%"),
        ("no-hex", "%zz"),
        ("signed-hex", "%+1"),
        ("dot", "a.b"),
        ("dots", ".."),
        ("slash", "a/b"),
        ("backslash", "a\\b"),
        ("space", "a b"),
        ("accent", "é"),
        ("no-utf8", "%ff"),
        ("cut-utf8", "a%c3"),
        ("surrogate", "%ed%a0%80"),
        ("nul", "%00"),
        ("line-break", "%0a"),
        ("delete", "%7f"),
        ("next-line", "%c2%85"),
        ("reserved", "con"),
        ("reserved-port", "lpt9"),
        ("reserved-last-escaped", "co%6e"),
        ("reserved-like", "%63om"),
        ("double", "%2541%"),
    ];
    let keys = keys.map(|(name, key)| (name.to_owned(), key.to_owned()));
    let long = ("too-long".to_owned(), "a".repeat(129));
    let long_form = ("form-too-long".to_owned(), "%41".repeat(67));
    keys.into_iter().chain([long, long_form]).collect()
}

/// The two bounds: 128 bytes of id, 200 bytes of encoded form.
fn long() -> Vec<Vector> {
    let at = "a".repeat(128);
    let capitals = "A".repeat(66);
    let form_198 = "%41".repeat(66);
    let form_200 = form_198.clone() + "bb";
    let accents = "é".repeat(33);
    let beyond =
        |name: &str, id: String| Vector::of_json("key", name, &json!({ "id": id }), invalid());
    vec![
        encodes("bytes-128", &at, &at),
        decodes("bytes-128", &at, &at),
        beyond("bytes-129", "a".repeat(129)),
        beyond("bytes-130-of-65-characters", "é".repeat(65)),
        encodes("form-198", &capitals, &form_198),
        encodes("form-200", &(capitals.clone() + "bb"), &form_200),
        decodes("form-200", &form_200, &(capitals.clone() + "bb")),
        beyond("form-201", capitals.clone() + "bbb"),
        beyond("form-201-of-capitals", "A".repeat(67)),
        encodes("form-198-of-accents", &accents, &"%c3%a9".repeat(33)),
        beyond("form-204-of-accents", "é".repeat(34)),
        beyond("very-long", "a".repeat(10_000)),
    ]
}

/// Names that Windows gives to devices, and names that only look like them.
fn windows() -> Vec<Vector> {
    let ports = ["com", "lpt"].into_iter();
    let ports = ports.flat_map(|port| (1..10).map(move |number| format!("{port}{number}")));
    let devices = ["con", "prn", "aux", "nul"].into_iter().map(str::to_owned).chain(ports);
    let mut vectors = Vec::new();
    for device in devices {
        let key = format!("%{:02x}{}", device.as_bytes()[0], &device[1..]);
        vectors.push(encodes(&format!("windows-{device}"), &device, &key));
        vectors.push(decodes(&format!("windows-{device}"), &key, &device));
    }
    for (name, id, key) in [
        ("capital", "CON", "%43%4f%4e"),
        ("half-capital", "cOn", "c%4fn"),
        ("com0", "com0", "com0"),
        ("com10", "com10", "com10"),
        ("com", "com", "com"),
        ("lpt0", "lpt0", "lpt0"),
        ("con-dash", "con-", "con-"),
        ("con-dot", "con.x", "con%2ex"),
        ("con-space", "con ", "con%20"),
        ("conin", "conin$", "conin%24"),
        ("xcon", "xcon", "xcon"),
        ("superscript", "com¹", "com%c2%b9"),
    ] {
        vectors.push(encodes(&format!("windows-{name}"), id, key));
    }
    vectors
}
