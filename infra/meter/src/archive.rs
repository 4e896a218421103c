//! A function as Lambda takes it: a zip with one executable, the same bytes for the same binary.

use std::io::{self, Cursor, Write};

use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipResult, write::SimpleFileOptions};

/// The zip of a function's binary. Neither the time nor the file it came from is in it.
pub(crate) fn zip(binary: &[u8]) -> io::Result<Vec<u8>> {
    pack(binary).map_err(io::Error::from)
}

fn pack(binary: &[u8]) -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", options)?;
    zip.write_all(binary)?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_gives_the_same_zip_every_time_and_comes_out_executable() {
        let binary = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let packed = zip(&binary[..1 << 20]).unwrap();
        assert_eq!(packed, zip(&binary[..1 << 20]).unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        let mut entry = archive.by_name("bootstrap").unwrap();
        assert_eq!(entry.unix_mode(), Some(0o100_755));
        let mut unpacked = Vec::new();
        io::copy(&mut entry, &mut unpacked).unwrap();
        assert_eq!(unpacked, &binary[..1 << 20]);
    }
}
