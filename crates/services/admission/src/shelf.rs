//! The certificate that the server shows: it may be exchanged while connections go on.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use kobel_model::{Error, Result};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::certificates::Pair;

/// Where the certificate lies that is shown.
#[derive(Default)]
pub(crate) struct Shelf {
    shown: RwLock<Option<Shown>>,
}

/// A certificate, as it was made and as it is shown.
struct Shown {
    certificate: String,
    key: Arc<CertifiedKey>,
}

impl Shelf {
    /// Shows this certificate from now on; connections that stand are left alone.
    ///
    /// # Errors
    /// Invalid if certificate and key cannot be used, and then nothing changes.
    pub(crate) fn put(&self, pair: &Pair) -> Result<()> {
        let is_shown = |shown: &Shown| shown.certificate == pair.certificate;
        if self.shown.read().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(is_shown) {
            return Ok(());
        }
        let shown = Shown { certificate: pair.certificate.clone(), key: Arc::new(certified(pair)?) };
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(())
    }

    /// What is shown, if there is something yet.
    fn shown(&self) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().map(|shown| Arc::clone(&shown.key))
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shelf {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown()
    }
}

/// The pair as TLS needs it. The causes are not told: they could show what the key is.
fn certified(pair: &Pair) -> Result<CertifiedKey> {
    let unusable = || {
        Error::invalid("cannot serve the webhook with the certificate that is kept")
            .with_hint("delete the Secret of the webhook: another is made then")
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pair.certificate.as_bytes()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(unusable)?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).map_err(|_| unusable())?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|_| unusable())
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    #[test]
    fn what_is_shown_is_exchanged_and_what_is_of_no_use_changes_nothing() {
        let pair =
            || Pair::issue(&["a.b.svc".to_owned()], Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1)).unwrap();
        let shelf = Shelf::default();
        assert!(shelf.shown().is_none());
        let (one, two) = (pair(), pair());
        shelf.put(&one).unwrap();
        let first = shelf.shown().unwrap();
        shelf.put(&one).unwrap();
        assert!(Arc::ptr_eq(&first, &shelf.shown().unwrap()), "it is the same");
        shelf.put(&two).unwrap();
        let second = shelf.shown().unwrap();
        assert_ne!(first.cert, second.cert);
        let mixed = Pair { key: two.key.clone(), ..one.clone() };
        let empty = Pair { certificate: "x".to_owned(), ..one };
        for wrong in [mixed, empty] {
            let error = shelf.put(&wrong).unwrap_err();
            assert!(!format!("{error:?}").contains("KEY"), "{error:?}");
            assert!(Arc::ptr_eq(&second, &shelf.shown().unwrap()));
        }
    }
}
