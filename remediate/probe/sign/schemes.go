package sign

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// schemes are the providers' own words, as they document them: docs.stripe.com
// "webhook signatures", docs.github.com "validating webhook deliveries",
// developers.facebook.com "webhooks", api.slack.com "verifying requests",
// shopify.dev "webhooks", standardwebhooks.com specification 1.0,
// twilio.com "webhook security".
var schemes = map[string]func(*Signer, *Message) ([]Field, error){
	"stripe": func(s *Signer, m *Message) ([]Field, error) {
		t := seconds(m.Time)
		return one("Stripe-Signature", "t="+t+",v1="+encode("hex", s.sum("sha256", t, ".", string(m.Body))))
	},
	"github": hub,
	"meta":   hub,
	"slack": func(s *Signer, m *Message) ([]Field, error) {
		t := seconds(m.Time)
		return []Field{
			{"X-Slack-Request-Timestamp", t},
			{"X-Slack-Signature", "v0=" + encode("hex", s.sum("sha256", "v0:", t, ":", string(m.Body)))},
		}, nil
	},
	"shopify": func(s *Signer, m *Message) ([]Field, error) {
		return one("X-Shopify-Hmac-Sha256", encode("base64", s.sum("sha256", string(m.Body))))
	},
	"standard-webhooks": webhook("webhook-"),
	"svix":              webhook("svix-"),
	"twilio":            twilio,
	"hmac":              general,
}

func one(name, value string) ([]Field, error) { return []Field{{name, value}}, nil }

func hub(s *Signer, m *Message) ([]Field, error) {
	return one("X-Hub-Signature-256", "sha256="+encode("hex", s.sum("sha256", string(m.Body))))
}

// webhook is Standard Webhooks, which Svix uses under its own field names.
func webhook(prefix string) func(*Signer, *Message) ([]Field, error) {
	return func(s *Signer, m *Message) ([]Field, error) {
		t := seconds(m.Time)
		sum := s.sum("sha256", m.ID, ".", t, ".", string(m.Body))
		return []Field{
			{prefix + "id", m.ID}, {prefix + "timestamp", t}, {prefix + "signature", "v1," + encode("base64", sum)},
		}, nil
	}
}

// webhookSecret decodes whsec_ and base64. The secret is not named in the error.
func webhookSecret(secret []byte) ([]byte, error) {
	text := strings.TrimRight(strings.TrimPrefix(strings.TrimSpace(string(secret)), "whsec_"), "=")
	plain, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(plain) == 0 {
		return nil, errors.New("the secret is not base64 after whsec_")
	}
	return plain, nil
}

// twilio signs the URL and, of a form, the parameters: sorted by name, each
// name followed by its distinct values in order. Any other body is bound by
// the bodySHA256 parameter that its URL carries.
func twilio(s *Signer, m *Message) ([]Field, error) {
	var text strings.Builder
	text.WriteString(m.URL)
	if strings.HasPrefix(strings.ToLower(m.ContentType), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(m.Body))
		if err != nil {
			return nil, fmt.Errorf("reading the form to sign: %w", err)
		}
		names := make([]string, 0, len(form))
		for name := range form {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			values := form[name]
			slices.Sort(values)
			for _, value := range slices.Compact(values) {
				text.WriteString(name + value)
			}
		}
	}
	return one("X-Twilio-Signature", encode("base64", s.sum("sha1", text.String())))
}

func general(s *Signer, m *Message) ([]Field, error) {
	c := &s.config
	t := seconds(m.Time)
	if c.TimestampUnit == "ms" {
		t = strconv.FormatInt(m.Time.UnixMilli(), 10)
	}
	var text strings.Builder
	if err := s.text.Execute(&text, signed(m, t)); err != nil {
		return nil, fmt.Errorf("filling in the template to sign: %w", err)
	}
	fields := []Field{{c.Header, c.Prefix + encode(c.Encoding, s.sum(c.Digest, text.String()))}}
	if c.TimestampHeader != "" {
		fields = append(fields, Field{c.TimestampHeader, t})
	}
	return fields, nil
}
