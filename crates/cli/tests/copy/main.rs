//! `underpin copy` as a shell sees it.

mod access;
mod circles;
mod misfits;
mod options;
mod place;
mod resume;
mod round_trip;
mod silence;
mod together;
