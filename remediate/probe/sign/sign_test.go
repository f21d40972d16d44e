package sign

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The vectors marked published are the examples in the providers' own
// documentation; the others were computed with openssl dgst -hmac.
func TestVectors(t *testing.T) {
	for _, test := range []struct {
		name    string
		config  Config
		secret  string
		message Message
		want    []Field
	}{
		{name: "github, published", config: Config{Scheme: "github"}, secret: "It's a Secret to Everybody",
			message: Message{Body: []byte("Hello, World!")},
			want:    []Field{{"X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}}},
		{name: "meta is the same", config: Config{Scheme: "meta"}, secret: "It's a Secret to Everybody",
			message: Message{Body: []byte("Hello, World!")},
			want:    []Field{{"X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}}},
		{name: "slack, published", config: Config{Scheme: "slack"}, secret: "8f742231b10e8888abcd99yyyzzz85a5",
			message: Message{Time: time.Unix(1531420618, 0), Body: []byte("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")},
			want: []Field{{"X-Slack-Request-Timestamp", "1531420618"},
				{"X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"}}},
		{name: "standard webhooks, published", config: Config{Scheme: "standard-webhooks"}, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			message: Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Time: time.Unix(1614265330, 0), Body: []byte(`{"test": 2432232314}`)},
			want: []Field{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"webhook-timestamp", "1614265330"},
				{"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}},
		{name: "svix, published", config: Config{Scheme: "svix"}, secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			message: Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Time: time.Unix(1614265330, 0), Body: []byte(`{"test": 2432232314}`)},
			want: []Field{{"svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"svix-timestamp", "1614265330"},
				{"svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}},
		{name: "twilio, published", config: Config{Scheme: "twilio"}, secret: "12345",
			message: Message{URL: "https://mycompany.com/myapp.php?foo=1&bar=2", ContentType: "application/x-www-form-urlencoded",
				Body: []byte("CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212")},
			want: []Field{{"X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="}}},
		{name: "stripe", config: Config{Scheme: "stripe"}, secret: "whsec_test",
			message: Message{Time: time.Unix(1700000000, 0), Body: []byte(`{"id":"evt_1"}`)},
			want:    []Field{{"Stripe-Signature", "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"}}},
		{name: "shopify", config: Config{Scheme: "shopify"}, secret: "hush",
			message: Message{Body: []byte(`{"id":1}`)},
			want:    []Field{{"X-Shopify-Hmac-Sha256", "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY="}}},
		{name: "hmac, incident B", secret: "s3cret",
			config:  Config{Scheme: "hmac", Template: "{{.Timestamp}}.{{.Body}}", Header: "x-ops-signature", TimestampHeader: "x-ops-ts"},
			message: Message{Time: time.Unix(1700000000, 0), Body: []byte(`{"site_id":"a"}`)},
			want:    []Field{{"x-ops-signature", "f55a8ee60f24156e9b23b3fd7d0bd0d27d0643a4a8646ddf7e3346a3d10fe748"}, {"x-ops-ts", "1700000000"}}},
		{name: "hmac, sha512, base64, prefix, ms", secret: "s3cret",
			config:  Config{Scheme: "hmac", Digest: "sha512", Encoding: "base64", Prefix: "v2=", Header: "sig", TimestampHeader: "ts", TimestampUnit: "ms"},
			message: Message{Time: time.UnixMilli(1700000000123), Body: []byte("x")},
			want:    []Field{{"sig", "v2=DdwfsaBmbB9x0dWeofgG1xiInYw3SqwKFYKOyn+DYrDBHRqaAi/ypq0SeijUAFm5Nli6ll1CJFhP1mc+9nQjrA=="}, {"ts", "1700000000123"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			signer, err := New(test.config, []byte(test.secret))
			if err != nil {
				t.Fatal(err)
			}
			got, err := signer.Sign(test.message)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTwilioRepeatedParameters(t *testing.T) {
	signer, err := New(Config{Scheme: "twilio"}, []byte("12345"))
	if err != nil {
		t.Fatal(err)
	}
	form := func(body string) string {
		fields, err := signer.Sign(Message{URL: "https://example.com/", ContentType: "application/x-www-form-urlencoded", Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		return fields[0].Value
	}
	if form("a=2&a=1&a=2") != form("a=1&a=2") {
		t.Error("the order and repetition of values must not matter")
	}
	if form("a=1") == form("a=2") {
		t.Error("the values are not signed")
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name, secret, want string
		config             Config
	}{
		{"unknown", "s", "unknown scheme", Config{Scheme: "paypal"}},
		{"no header", "s", "needs header", Config{Scheme: "hmac"}},
		{"digest", "s", "unknown digest", Config{Scheme: "hmac", Header: "x", Digest: "md5"}},
		{"encoding", "s", "unknown encoding", Config{Scheme: "hmac", Header: "x", Encoding: "base32"}},
		{"unit", "s", "unknown timestamp_unit", Config{Scheme: "hmac", Header: "x", TimestampUnit: "us"}},
		{"template", "s", "function \"nope\" not defined", Config{Scheme: "hmac", Header: "x", Template: "{{nope}}"}},
		{"field", "s", "no entry for key", Config{Scheme: "hmac", Header: "x", Template: "{{.Nope}}"}},
		{"fixed", "s", "is fixed", Config{Scheme: "stripe", Digest: "sha1"}},
		{"empty", "", "secret is empty", Config{Scheme: "stripe"}},
		{"base64", "hunter2!", "not base64", Config{Scheme: "svix"}},
	} {
		_, err := New(test.config, []byte(test.secret))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
		if err != nil && test.secret != "s" && test.secret != "" && strings.Contains(err.Error(), test.secret) {
			t.Errorf("%s: the error names the secret", test.name)
		}
	}
}
