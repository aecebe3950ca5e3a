use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use super::builder::USER;

/// The certificate that a server shows. Each is signed by the authority that
/// [`Postgres::ca_certificate`](super::Postgres::ca_certificate) names, except as noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerCertificate {
    /// Valid, for `localhost` and `127.0.0.1`.
    #[default]
    Good,
    /// For the right names, and past its last day.
    Expired,
    /// Valid, for the name `elsewhere.invalid` only.
    WrongHost,
    /// For the right names, and signed by an authority that nobody knows.
    UnknownAuthority,
}

/// Writes `ca.pem`, the server's `server.pem` and `server.key`, and the superuser's `client.pem`
/// and `client.key` into a directory.
pub(super) fn write(kind: ServerCertificate, directory: &Path) {
    issue(kind, directory).expect("The certificates of a test's server must be made and written.");
}

fn issue(kind: ServerCertificate, directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (ca_pem, ca) = authority("underpin test authority")?;
    fs::write(directory.join("ca.pem"), ca_pem)?;

    let names: &[&str] = match kind {
        ServerCertificate::WrongHost => &["elsewhere.invalid"],
        _ => &["localhost", "127.0.0.1"],
    };
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut server = CertificateParams::new(names)?;
    server
        .distinguished_name
        .push(DnType::CommonName, "underpin test server");
    if kind == ServerCertificate::Expired {
        server.not_before = date_time_ymd(2001, 1, 1);
        server.not_after = date_time_ymd(2002, 1, 1);
    }
    let mut client = CertificateParams::new(Vec::<String>::new())?;
    client.distinguished_name.push(DnType::CommonName, USER);
    keep("client", directory, &client, &ca)?;
    let issuer = match kind {
        ServerCertificate::UnknownAuthority => authority("somebody else")?.1,
        _ => ca,
    };
    keep("server", directory, &server, &issuer)
}

/// Writes a signed certificate and its key.
fn keep(
    name: &str,
    directory: &Path,
    params: &CertificateParams,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<(), Box<dyn std::error::Error>> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    fs::write(directory.join(format!("{name}.pem")), certificate.pem())?;
    fs::write(directory.join(format!("{name}.key")), key.serialize_pem())?;
    Ok(())
}

fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}
