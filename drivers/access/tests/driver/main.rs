//! The driver on real files, whole and damaged.

mod common;
mod damaged;
mod encrypted;
mod exported;
mod mutated;
mod reading;
mod suite;
