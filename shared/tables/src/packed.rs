//! Texts in as few bytes as they can be stored in: an item is paid for by the kilobyte.
//!
//! zlib with a dictionary. The stream names its dictionary by a checksum and ends with one of the text, so nothing that was
//! packed otherwise, or was cut, is read as if it were right.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::{TableError, client::failed};

/// What events are made of, the most frequent last. It must never change: whatever is stored is read with it.
const WORDS: &[u8] = include_bytes!("packed/words.txt");

/// Packs a text.
pub(crate) fn pack(text: &str) -> Result<Vec<u8>, TableError> {
    let mut deflate = Compress::new(Compression::best(), true);
    deflate.set_dictionary(WORDS).map_err(failed)?;
    let mut packed = Vec::with_capacity(text.len() / 2 + 64);
    loop {
        let taken = usize::try_from(deflate.total_in()).map_err(failed)?;
        match deflate.compress_vec(&text.as_bytes()[taken..], &mut packed, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return Ok(packed),
            Ok(_) => packed.reserve(text.len() / 2 + 64),
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Unpacks a text.
pub(crate) fn unpack(packed: &[u8]) -> Result<String, TableError> {
    let mut inflate = Decompress::new(true);
    let mut text = Vec::with_capacity(packed.len() * 4);
    loop {
        let (taken, before) = (usize::try_from(inflate.total_in()).map_err(failed)?, text.len());
        match inflate.decompress_vec(&packed[taken..], &mut text, FlushDecompress::Finish) {
            Ok(Status::StreamEnd) => return String::from_utf8(text).map_err(failed),
            Ok(_) if text.len() == text.capacity() => text.reserve(text.len().max(64)),
            Ok(_) if text.len() > before => {}
            Ok(_) => return Err(TableError("a packed text is cut".into())),
            Err(error) if error.needs_dictionary().is_some() => {
                inflate.set_dictionary(WORDS).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_as_it_was_whatever_it_is() {
        let noise: String =
            (0..100_000_u32).map(|n| char::from_u32(n * 7_919 % 50_000 + 1).unwrap()).collect();
        for text in ["", "{}", "\u{ffff} {\"a\": \"é\"}", "[1,2,3]", &"x".repeat(300_000), &noise] {
            let packed = pack(text).unwrap();
            assert!(
                packed.len() <= text.len() + text.len() / 1_000 + 64,
                "{} of {}",
                packed.len(),
                text.len()
            );
            assert!(unpack(&packed).unwrap() == text);
            assert!(unpack(&packed[..packed.len() - 1]).is_err(), "cut");
        }
    }

    #[test]
    fn what_was_stored_once_can_be_read_for_ever() {
        let packed = hex_of("78f98f17e512ab26109186d8a2b2160001bc1361");
        assert_eq!(unpack(&packed).unwrap(), r#"{"event":"/restapi/v1.0/account/1/telephony/sessions"}"#);
    }

    fn hex_of(digits: &str) -> Vec<u8> {
        digits
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }
}
