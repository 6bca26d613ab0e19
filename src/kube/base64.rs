//! Base64, as the data of Secrets and what YAML tags `!!binary` are written.

/// What base64 says: padded, over several lines if need be; `None` where it is none.
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let written: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let padding = written.iter().rev().take_while(|&&byte| byte == b'=').count();
    if !written.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bits: u32 = 0;
    let mut held = 0;
    let mut out = Vec::new();
    for byte in &written[..written.len() - padding] {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xff) as u8);
        }
    }
    Some(out)
}
