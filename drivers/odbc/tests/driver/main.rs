//! The driver on data sources of this machine: `UNDERPIN_TEST_ODBC_SQLITE`, `UNDERPIN_TEST_ODBC_POSTGRES`
//! and `UNDERPIN_TEST_ODBC_ACCESS` name them. The first two lead to databases whose table `suite` may
//! be dropped, the third to the file `legacy.mdb` of the Access driver's tests.

#![cfg(feature = "manager")]

mod access;
mod suite;
