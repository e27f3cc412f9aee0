package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// lifetime is how long certificates are valid: longer than any test, and no longer than some clients accept.
const lifetime = 30 * 24 * time.Hour

// pair is a certificate, or a public key, with its private key; both are PEM.
type pair struct {
	public, private []byte
}

// authority issues the certificates of a fixture.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newAuthority makes an authority with a certificate that it has signed itself.
func newAuthority() (*authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "kube-fixture"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	encoded, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(encoded)
	return &authority{certificate: certificate, key: key}, err
}

// pem is the certificate that all others are verified with.
func (a *authority) pem() []byte {
	return encode("CERTIFICATE", a.certificate.Raw)
}

// server issues what every component serves with; the names are those of the API inside and outside of a cluster.
func (a *authority) server() (pair, error) {
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	return a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-fixture-server"},
		DNSNames:    names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// client issues the certificate of a user, which the API knows by the common name, and its groups by the organisations.
func (a *authority) client(user string, groups ...string) (pair, error) {
	return a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// issue makes a key and a certificate of it.
func (a *authority) issue(template *x509.Certificate) (pair, error) {
	key, err := newKey()
	if err != nil {
		return pair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	encoded, err := sign(template, a.certificate, key, a.key)
	if err != nil {
		return pair{}, err
	}
	private, err := encodeKey(key)
	return pair{public: encode("CERTIFICATE", encoded), private: private}, err
}

// sign signs a certificate for the owner of a key.
func sign(template, issuer *x509.Certificate, owner, signer *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	// A clock that was set back a little must not make it invalid.
	now := time.Now().Add(-time.Hour)
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, now, now.Add(lifetime)
	return x509.CreateCertificate(rand.Reader, template, issuer, owner.Public(), signer)
}

// newTokenKeys makes the keys that tokens of service accounts are signed and verified with.
func newTokenKeys() (pair, error) {
	key, err := newKey()
	if err != nil {
		return pair{}, err
	}
	private, err := encodeKey(key)
	if err != nil {
		return pair{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	return pair{public: encode("PUBLIC KEY", public), private: private}, err
}

// newKey makes a private key.
func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// encodeKey makes PEM of a private key, in the form that every client reads.
func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	return encode("PRIVATE KEY", encoded), err
}

// encode makes PEM.
func encode(kind string, bytes []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
}

// write writes both halves, which only their owner may read.
func (p pair) write(public, private string) error {
	if err := os.WriteFile(public, p.public, 0o600); err != nil {
		return err
	}
	return os.WriteFile(private, p.private, 0o600)
}

// writeKubeconfig writes how a user reaches the API; all that it needs is in the one file.
func (a *authority) writeKubeconfig(path, server, user string, credentials pair) error {
	const name = "kube-fixture"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: a.pem()}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{
		ClientCertificateData: credentials.public,
		ClientKeyData:         credentials.private,
	}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user, Namespace: "default"}
	config.CurrentContext = name
	return clientcmd.WriteToFile(*config, path)
}
