//! Texts made from the grammar: every kind of scalar in every place, then what only makes
//! sense as a whole, then texts that were changed at random. `tables.json` has what they
//! are made of: in `places` an `@` stands for the scalar, in `multi` for the indentation of
//! what follows the first line; in `texts` an `@H` stands for an object in YAML, an `@J` for
//! one in JSON, and an `@` for the fields in `json`.

use serde::Deserialize;

#[derive(Deserialize)]
struct Tables {
    scalars: Vec<String>,
    places: Vec<String>,
    multi: Vec<String>,
    indents: Vec<String>,
    whole: Vec<String>,
    texts: Vec<String>,
    json: Vec<String>,
}

fn tables() -> Tables {
    serde_json::from_str(include_str!("tables.json")).unwrap()
}

/// Where a snippet stands: a Node, as its fields that do not matter are not looked at.
const HEAD: &str = "apiVersion: v1\nkind: Node\nmetadata: {name: a}\n";

fn json_head() -> String {
    r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"}}"#.to_owned()
}

/// All texts whose answers are recorded.
pub fn texts() -> Vec<Vec<u8>> {
    let tables = tables();
    let mut texts: Vec<String> = Vec::new();
    for (nth, scalar) in tables.scalars.iter().enumerate() {
        // Each in the first places, and in some of the others.
        for (place, pattern) in tables.places.iter().enumerate() {
            if place < 1 || (nth + place) % 3 == 0 {
                texts.push(format!("{HEAD}{}", pattern.replace('@', scalar)));
            }
        }
    }
    for (nth, pattern) in tables.multi.iter().enumerate() {
        for (indent, with) in tables.indents.iter().enumerate() {
            if indent < 4 || (nth + indent) % 2 == 0 {
                texts.push(format!("{HEAD}{}", pattern.replace('@', with)));
            }
        }
    }
    texts.extend(tables.whole.iter().map(|text| format!("{HEAD}{text}")));
    texts.extend(
        tables
            .texts
            .iter()
            .filter(|text| !text.contains(",@}"))
            .map(|text| text.replace("@H", HEAD).replace("@J", &json_head())),
    );
    let object = tables.texts.iter().find(|text| text.contains(",@}")).unwrap();
    texts.extend(tables.json.iter().map(|fields| object.replace('@', fields)));
    texts.extend(long());
    let mut texts: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    texts.extend(bytes());
    texts.extend(random(1, 300));
    texts.dedup();
    texts
}

/// Keys and lines around the lengths that matter, and many of one thing.
fn long() -> Vec<String> {
    let x = |count: usize| "x".repeat(count);
    let mut texts = Vec::new();
    for count in [1_020, 1_022, 1_023, 1_024, 1_025, 1_026, 1_100] {
        texts.push(format!("{HEAD}{}: a\n", x(count)));
        texts.push(format!("{HEAD}'{}': a\n", x(count)));
        texts.push(format!("{HEAD}a: {{{}: b}}\n", x(count)));
        texts.push(format!("{HEAD}? {}\n: a\n", x(count)));
        texts.push(format!("{HEAD}a: [{}: b]\n", x(count)));
        texts.push(format!("{HEAD}{}: a\n", "é".repeat(count)));
    }
    texts.push(format!("{HEAD}a: {}\n", x(5_000)));
    texts.push(format!("{HEAD}a: [{}]\n", "b, ".repeat(2_000)));
    texts.push(format!(
        "{HEAD}a: {{{}}}\n",
        (0..500).map(|nth| format!("k{nth}: {nth}, ")).collect::<String>()
    ));
    texts.push(format!("{HEAD}a: {}{}\n", "[".repeat(60), "]".repeat(60)));
    texts.push(format!("{HEAD}{}", "# x\n".repeat(2_000)));
    texts.push(format!(
        "{HEAD}a:\n{}",
        (1..60).map(|nth| format!("{}b:\n", " ".repeat(nth))).collect::<String>()
    ));
    texts.push(format!("{}{}", " ".repeat(4_090), json_head()));
    let twenty = |text: &str| text.repeat(20);
    texts.push(format!(
        "{HEAD}a: &a [{}]\nb: &b [{}]\nc: [{}]\n",
        twenty("x, "),
        twenty("*a, "),
        twenty("*b, ")
    ));
    texts.push(format!("{HEAD}a: &a [x, y]\nb: [{}]\n", "*a, ".repeat(800)));
    texts.push(format!("{HEAD}a: &a [{}]\nb: [{}]\n", "x, ".repeat(100), "*a, ".repeat(50)));
    texts
}

/// Texts in other encodings, and in none.
fn bytes() -> Vec<Vec<u8>> {
    let with = |more: &[u8]| [HEAD.as_bytes(), more].concat();
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let text = format!("{HEAD}a: é😀\n");
    let mut half = utf16(&text, false);
    half.push(b'a');
    let pair = |unit: u16| {
        [utf16(HEAD, false), b"a\0:\0 \0".to_vec(), unit.to_le_bytes().to_vec(), b"\n\0".to_vec()].concat()
    };
    vec![
        utf16(&text, false),
        utf16(&text, true),
        utf16(&json_head(), false),
        utf16(&text, false)[2..].to_vec(),
        half,
        pair(0xd800),
        pair(0xdc00),
        with(b"a: \xff\n"),
        with(b"a: \xff\xfe\n"),
        with(b"a: \xe2\x82\n"),
        with(b"a: '\xf0\x9f\x98'\n"),
        with(b"a: \xc3\xa4\xa4\n"),
        with(b"a: \xed\xa0\x80\n"),
        with(b"a: \xc0\x80\n"),
        with(b"# \xe9\n"),
        with(b"\xe9: a\n"),
        b"\xff\xfe\0\0a\0\0\0".to_vec(),
        b"\xef\xbb".to_vec(),
        b"\x1f\x8b\x08\0".to_vec(),
        [&b"\xef\xbb\xbf"[..], &utf16(HEAD, false)].concat(),
    ]
}

/// Texts of the tables, changed in a few places.
pub fn random(seed: u64, count: usize) -> Vec<Vec<u8>> {
    const PIECES: &[&str] = &[
        " ", "  ", "\n", "\n  ", "\n ", "\t", "\n\t", ": ", ":", "- ", "-", "? ", "?", ", ", ",", "[", "]",
        "{", "}", "'", "\"", "#", " #", "&x ", "*x", "!", "!!str ", "|\n", ">\n", "|-\n", "\\", "a", "b: c",
        "\nd: e\n", "\n- f", "\n---\n", "\n...\n", "%", "@", "é", "1", "~", "<<: ", "\r", "\r\n",
    ];
    let Tables { scalars, places, multi, indents, whole, .. } = tables();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let mut texts = Vec::new();
    while texts.len() < count {
        let mut text: Vec<char> = match next(3) {
            0 => whole[next(whole.len())].to_owned(),
            1 => multi[next(multi.len())].replace('@', &indents[next(indents.len())]),
            _ => format!("{}{}", places[next(places.len())], multi[next(multi.len())])
                .replace('@', &scalars[next(scalars.len())]),
        }
        .chars()
        .collect();
        for _ in 0..=next(4) {
            let at = next(text.len() + 1);
            match next(4) {
                0 if at < text.len() => drop(text.remove(at)),
                _ => {
                    let piece = PIECES[next(PIECES.len())].chars();
                    text.splice(at..at, piece);
                }
            }
        }
        let text: String = text.into_iter().collect();
        texts.push(format!("{HEAD}{text}").into_bytes());
    }
    texts
}
