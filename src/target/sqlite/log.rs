//! The log beside a store (`NAME-wal`) that nobody closed, looked at before SQLite does.
//!
//! SQLite takes a log up to the first frame that does not add up, and passes over the
//! rest: right for what a killed process had begun to write, and wrong for a bit that a
//! disk flipped in what was committed. A transaction ends in a frame that says so, which
//! is written last. Where such a frame is the first bad one or stands behind it,
//! something was committed that would be gone without a word.
//!
//! Only a writer looks, which is alone: under a reader the log may be written.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// Whether all that was committed to the log can be read back. What is no log is none.
pub(super) fn is_whole(path: &Path) -> io::Result<bool> {
    let mut log = BufReader::new(File::open(path)?);
    let mut header = [0; HEADER];
    if !fill(&mut log, &mut header)? || header[..4] == [0; 4] {
        return Ok(true);
    }
    let big_endian = header[3] & 1 == 1;
    let mut sums = add((0, 0), &header[..24], big_endian);
    let page = match number(&header, 8) {
        1 => 65_536,
        bytes => bytes as usize,
    };
    if sums != (number(&header, 24), number(&header, 28)) || !(512..=65_536).contains(&page) {
        return Ok(false);
    }
    let mut frame = vec![0; FRAME + page];
    let mut ended = false;
    while fill(&mut log, &mut frame)? {
        let salts = |at: usize| u64::from(number(&frame, at)) << 32 | u64::from(number(&frame, at + 4));
        let differ =
            (salts(8) ^ u64::from(number(&header, 16)) << 32 ^ u64::from(number(&header, 20))).count_ones();
        if !ended && differ == 0 {
            sums = add(add(sums, &frame[..8], big_endian), &frame[FRAME..], big_endian);
            ended = sums != (number(&frame, 16), number(&frame, 20));
        }
        // What is left of a former round of the log has other salts, in about half of their bits.
        let is_of_this_round = differ <= 1;
        let commits = number(&frame, 4) != 0;
        if (ended || differ == 1) && is_of_this_round && commits {
            return Ok(false);
        }
        ended |= differ > 0;
    }
    Ok(true)
}

/// Reads as much as there is room for; false where there is less.
fn fill(from: &mut impl Read, room: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(room) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// SQLite's checksum of a log goes on over `bytes`.
fn add((mut one, mut two): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |four: &[u8]| {
        let word = number(four, 0);
        if big_endian { word } else { word.swap_bytes() }
    };
    for eight in bytes.chunks_exact(8) {
        one = one.wrapping_add(word(&eight[..4])).wrapping_add(two);
        two = two.wrapping_add(word(&eight[4..])).wrapping_add(one);
    }
    (one, two)
}
