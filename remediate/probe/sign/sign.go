// Package sign owns how webhook providers sign a request, to the byte, and a
// general HMAC scheme for everybody else.
//
// It must not know where a secret came from, and never prints one.
package sign

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Config chooses a scheme. All fields but Scheme belong to the scheme "hmac".
type Config struct {
	// Scheme is one of Schemes.
	Scheme string
	// Template is what is signed, a Go template over .Timestamp, .Body, .ID,
	// .URL and .Method; "" is the body alone.
	Template string
	// Digest is sha256 (also ""), sha1 or sha512.
	Digest string
	// Encoding is hex (also "") or base64.
	Encoding string
	// Prefix stands before the signature in its header.
	Prefix string
	// Header carries the signature; it is required.
	Header string
	// TimestampHeader carries the timestamp where it is not empty.
	TimestampHeader string
	// TimestampUnit is s (also "") or ms, since 1970.
	TimestampUnit string
}

// Message is what is signed.
type Message struct {
	Method, URL, ContentType string
	// ID names the message for schemes that sign a name.
	ID   string
	Body []byte
	Time time.Time
}

// Field is a header field that carries a signature or what belongs to it.
type Field struct{ Name, Value string }

// Signer signs messages of one scheme with one secret.
type Signer struct {
	config Config
	secret []byte
	text   *template.Template
	scheme func(*Signer, *Message) ([]Field, error)
}

// Schemes are the names of the schemes there are.
func Schemes() []string {
	return []string{"stripe", "github", "meta", "slack", "shopify", "standard-webhooks", "svix", "twilio", "hmac"}
}

// Check tells what is wrong with a configuration, or nil. It needs no secret.
func Check(config Config) error {
	_, err := prepare(config)
	return err
}

// New prepares a signer. A secret is taken as it is but for the schemes whose
// secrets are base64 by definition.
func New(config Config, secret []byte) (*Signer, error) {
	s, err := prepare(config)
	if err != nil {
		return nil, err
	}
	if len(secret) == 0 {
		return nil, errors.New("the secret is empty")
	}
	s.secret = secret
	if config.Scheme == "standard-webhooks" || config.Scheme == "svix" {
		s.secret, err = webhookSecret(secret)
	}
	return s, err
}

func prepare(config Config) (*Signer, error) {
	scheme, ok := schemes[config.Scheme]
	if !ok {
		return nil, fmt.Errorf("unknown scheme %q; there are %s", config.Scheme, strings.Join(Schemes(), ", "))
	}
	s := &Signer{config: config, scheme: scheme}
	if config.Scheme != "hmac" {
		if config != (Config{Scheme: config.Scheme}) {
			return nil, fmt.Errorf("scheme %s is fixed; template, digest, encoding, header, prefix and timestamps are for hmac", config.Scheme)
		}
		return s, nil
	}
	return s, s.prepareHMAC()
}

func (s *Signer) prepareHMAC() error {
	c := &s.config
	c.Template = orElse(c.Template, "{{.Body}}")
	c.Digest, c.Encoding = orElse(c.Digest, "sha256"), orElse(c.Encoding, "hex")
	c.TimestampUnit = orElse(c.TimestampUnit, "s")
	switch {
	case c.Header == "":
		return errors.New("scheme hmac needs header, the name of the field that carries the signature")
	case digests[c.Digest] == nil:
		return fmt.Errorf("unknown digest %q; there are sha256, sha1, sha512", c.Digest)
	case !slices.Contains([]string{"hex", "base64"}, c.Encoding):
		return fmt.Errorf("unknown encoding %q; there are hex, base64", c.Encoding)
	case !slices.Contains([]string{"s", "ms"}, c.TimestampUnit):
		return fmt.Errorf("unknown timestamp_unit %q; there are s, ms", c.TimestampUnit)
	}
	var err error
	if s.text, err = template.New("template").Option("missingkey=error").Parse(c.Template); err != nil {
		return err
	}
	return s.text.Execute(&bytes.Buffer{}, signed(&Message{}, "0"))
}

// Sign returns the header fields to add. The same message gives the same bytes.
func (s *Signer) Sign(m Message) ([]Field, error) { return s.scheme(s, &m) }

func signed(m *Message, timestamp string) map[string]string {
	return map[string]string{"Timestamp": timestamp, "Body": string(m.Body), "ID": m.ID, "URL": m.URL, "Method": m.Method}
}

var digests = map[string]func() hash.Hash{"sha256": sha256.New, "sha1": sha1.New, "sha512": sha512.New}

// sum is the MAC of the parts joined.
func (s *Signer) sum(digest string, parts ...string) []byte {
	mac := hmac.New(digests[digest], s.secret)
	for _, part := range parts {
		_, _ = mac.Write([]byte(part)) // a hash never fails
	}
	return mac.Sum(nil)
}

func encode(encoding string, sum []byte) string {
	if encoding == "base64" {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func orElse(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
