package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// admit resolves a URL's host and returns the address to dial. Any host but
// this machine is refused unless allowed names it. The address is a literal
// one, so that what was checked is what is dialled.
func admit(ctx context.Context, u *url.URL, allowed []string) (address string, err error) {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	addresses, err := resolve(ctx, host)
	switch {
	case err == nil && (inside(addresses) || permits(allowed, u)):
		return net.JoinHostPort(addresses[0].String(), port), nil
	case err != nil && permits(allowed, u):
		return "", err
	}
	// A name that nobody knows is refused as well: it may be known tomorrow.
	return "", &casefile.Problem{Code: casefile.CodeRefused,
		Message: fmt.Sprintf("%s is not this machine, and a probe changes what it is fired at", host),
		Hint:    fmt.Sprintf("if you may fire at it, add --allow-host %s", host)}
}

// inside tells whether all addresses are this machine's.
func inside(addresses []netip.Addr) bool {
	return !slices.ContainsFunc(addresses, func(a netip.Addr) bool { return !a.IsLoopback() })
}

func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if literal, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{literal.Unmap()}, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		return nil, &casefile.Problem{Code: casefile.CodeConnection, Message: "looking up " + host, Hint: "check the target's host name", Err: err}
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	// IPv4 first: what listens on one loopback address mostly means 127.0.0.1.
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return found, nil
}

// permits tells whether a host, or a host with its port, is named.
func permits(allowed []string, u *url.URL) bool {
	return slices.ContainsFunc(allowed, func(name string) bool {
		return strings.EqualFold(name, u.Hostname()) || strings.EqualFold(name, u.Host)
	})
}

// Loopback tells whether the target is this machine, so that no --yes is
// needed where nobody can be asked.
func (s *Spec) Loopback(ctx context.Context) bool {
	addresses, err := resolve(ctx, s.base.Hostname())
	return err == nil && inside(addresses)
}

// config is nil for cleartext.
func (t tlsFiles) config(u *url.URL) (*tls.Config, error) {
	if u.Scheme != "https" {
		return nil, nil
	}
	config := &tls.Config{ServerName: orElse(t.serverName, u.Hostname()), MinVersion: tls.VersionTLS12}
	if t.ca == "" {
		return config, nil
	}
	pem, err := os.ReadFile(t.ca)
	if err != nil {
		return nil, &casefile.Problem{Code: casefile.CodeNotFound, Message: "reading the certificates of tls.ca", Hint: "name a PEM file that can be read", Err: err}
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, &casefile.Problem{Code: casefile.CodeBadInput, Message: t.ca + " holds no PEM certificate", Hint: "tls.ca is the certificate of the authority, as PEM"}
	}
	return config, nil
}

// dialProblem explains why there is no connection to the target.
func dialProblem(host string, err error) error {
	hint := "is the target running, and is the port right?"
	var unknown *tls.CertificateVerificationError
	if asError(err, &unknown) {
		hint = "name the authority's certificate with tls: {ca: FILE}, or in $SSL_CERT_FILE"
	}
	return &casefile.Problem{Code: casefile.CodeConnection, Message: "connecting to " + host, Hint: hint, Err: err}
}
