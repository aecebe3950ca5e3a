use rustls::crypto::hash::Hash;
use rustls::crypto::ring::cipher_suite;

/// The hash of a server's certificate by which SCRAM binds a login to its encrypted connection
/// (`tls-server-end-point`, RFC 5929). `None` if the certificate's own signature uses a hash that
/// is not available; the login is then not bound.
pub(crate) fn hash(certificate: &[u8]) -> Option<Vec<u8>> {
    let suite = match signature_algorithm(certificate)? {
        // MD5 and SHA-1 are replaced by SHA-256.
        MD5_RSA | SHA1_RSA | SHA256_RSA | SHA1_ECDSA | SHA256_ECDSA => {
            cipher_suite::TLS13_AES_128_GCM_SHA256
        }
        SHA384_RSA | SHA384_ECDSA => cipher_suite::TLS13_AES_256_GCM_SHA384,
        _ => return None,
    };
    let provider: &dyn Hash = suite.tls13()?.common.hash_provider;
    Some(provider.hash(certificate).as_ref().to_vec())
}

const MD5_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04];
const SHA1_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05];
const SHA256_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const SHA384_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
const SHA1_ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
const SHA256_ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const SHA384_ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 0x06;

/// `Certificate ::= SEQUENCE { the certificate, SEQUENCE { OBJECT … }, signature }`
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, content, _) = element(certificate)? else {
        return None;
    };
    let (SEQUENCE, _, rest) = element(content)? else {
        return None;
    };
    let (SEQUENCE, algorithm, _) = element(rest)? else {
        return None;
    };
    let (OBJECT, number, _) = element(algorithm)? else {
        return None;
    };
    Some(number)
}

/// The tag and content of the DER element that the bytes begin with, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f).min(5))?;
        (
            length
                .iter()
                .fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
            rest,
        )
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let element = |tag: u8, content: &[u8]| {
            [
                &[tag, 0x82, (content.len() >> 8) as u8, content.len() as u8],
                content,
            ]
            .concat()
        };
        let inner = element(SEQUENCE, &[0; 300]);
        let algorithm = element(SEQUENCE, &element(OBJECT, algorithm));
        element(SEQUENCE, &[inner, algorithm, element(3, &[0; 64])].concat())
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        let length = |algorithm: &[u8]| hash(&certificate(algorithm)).map(|hash| hash.len());
        assert_eq!(length(SHA256_ECDSA), Some(32));
        assert_eq!(length(SHA1_RSA), Some(32));
        assert_eq!(length(SHA384_RSA), Some(48));
        // Ed25519.
        assert_eq!(length(&[0x2b, 0x65, 0x70]), None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let whole = certificate(SHA256_RSA);
        for length in 0..whole.len() {
            let cut = hash(&whole[..length]);
            assert!(cut.is_none());
        }
        assert!(hash(&[SEQUENCE, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_none());
    }
}
