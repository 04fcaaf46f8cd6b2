//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::RunDirError;

/// Writes a file by way of a temporary one beside it: readers see the old text or the new one, never a part. Links are
/// followed, and what is no file, such as a pipe or a device, is written to and stays what it is.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, text: &str) -> Result<(), RunDirError> {
    let write = || -> io::Result<()> {
        let end = followed(path);
        match fs::metadata(path) {
            Ok(_) if !end.is_file() => {
                return File::options().write(true).truncate(true).open(path)?.write_all(text.as_bytes());
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let beside = end.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(beside)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        make_readable(file.as_file())?;
        file.persist(end)?;
        Ok(())
    };
    write().map_err(|source| RunDirError::Write { path: path.to_owned(), source })
}

/// What a path means when links are followed, also those to what is not there.
pub fn followed(path: &Path) -> PathBuf {
    const MOST: usize = 40;
    let mut end = path.to_owned();
    for _ in 0..MOST {
        let Ok(next) = fs::read_link(&end) else { break };
        end = end.parent().unwrap_or(Path::new("")).join(next);
    }
    end
}

/// A temporary file is readable by its owner only; a report is for everyone.
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::write_whole;

    #[test]
    fn links_are_followed_when_a_file_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("there"), "old").unwrap();
        for (link, to) in [("link", "there"), ("far", "link"), ("dangling", "fresh")] {
            std::os::unix::fs::symlink(to, at(link)).unwrap();
            write_whole(&at(link), link).unwrap();
            assert!(at(link).is_symlink(), "{link}");
        }
        let text = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!((text("there"), text("fresh")), ("far".to_owned(), "dangling".to_owned()));
        assert!(write_whole(dir.path(), "x").is_err());
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        assert!(write_whole(&at("loop"), "x").is_err() && at("loop").is_symlink());
    }

    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        write_whole(&pipe, "text").unwrap();
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), "text");
    }
}
