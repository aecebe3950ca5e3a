use underpin::{Class, Error, Result};

/// A reader that has gone is the end of the work, not a failure of it.
pub(crate) fn or_broken_pipe(written: std::io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::new(
            Class::Resource,
            format!("The output cannot be written: {error}."),
        )),
        _ => Ok(()),
    }
}
