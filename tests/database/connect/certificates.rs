//! An authority of the tests' own, and what it signs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

/// A certificate with its key, both in PEM.
pub struct Signed {
    pub certificate: String,
    pub key: String,
}

/// Who signs.
pub struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pub certificate: String,
}

/// What a certificate is to be.
#[derive(Default)]
pub struct Wish<'a> {
    pub common_name: &'a str,
    pub names: &'a [&'a str],
    pub expired: bool,
    pub serial: u64,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { params, key, certificate }
    }

    pub fn signs(&self, wish: &Wish<'_>) -> Signed {
        let params = params(wish);
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A list of revoked certificates.
    pub fn revokes(&self, serials: &[u64], outdated: bool) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(if outdated { 2024 } else { 2099 }, 2, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&self.params, &self.key);
        list.signed_by(&issuer).unwrap().pem().unwrap()
    }
}

/// A certificate that vouches for itself, as one of an authority or not.
pub fn self_signed(wish: &Wish<'_>, authority: bool) -> Signed {
    let mut params = params(wish);
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    Signed { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

fn params(wish: &Wish<'_>) -> CertificateParams {
    let names: Vec<String> = wish.names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, wish.common_name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(if wish.expired { 2021 } else { 2099 }, 1, 1);
    params.serial_number = Some(SerialNumber::from(wish.serial.max(1)));
    params
}

/// Writes a file as its folder's owner has it.
pub fn write(file: &Path, text: &str, mode: u32) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    let folder = fs::metadata(file.parent().unwrap()).unwrap();
    chown(file, Some(folder.uid()), Some(folder.gid())).unwrap();
}
