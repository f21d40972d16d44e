//go:build contract

package sign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// delivery is a signed message as verify.mjs reads it.
type delivery struct {
	Scheme  string            `json:"scheme"`
	Secret  string            `json:"secret"`
	URL     string            `json:"url"`
	Body    string            `json:"body"`
	Form    map[string]any    `json:"form"`
	Headers map[string]string `json:"headers"`
	// wrong is true where the body was changed after it was signed.
	wrong bool
}

// bodies are JSON, with what is easily mangled on the way.
var bodies = []string{`{}`, `{"id":1}`, `{"name":"Zoë \u00e9 \ud83d\ude00","n":1e400}`, ` {"a" : [ 1,2 ]} `, `{"long":"` + strings.Repeat("x", 10_000) + `"}`, "{\"tab\":\"\\t\",\"euro\":\"€\"}\n"}

// TestContractWithTheirLibraries has every provider's own library accept what
// is signed here, and refuse it once the body is another.
func TestContractWithTheirLibraries(t *testing.T) {
	secrets := map[string]string{"svix": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "standard-webhooks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	var all []delivery
	for _, scheme := range []string{"stripe", "github", "meta", "slack", "shopify", "standard-webhooks", "svix", "twilio"} {
		for n := range 40 {
			secret := secrets[scheme]
			if secret == "" {
				secret = fmt.Sprintf("whsec_%x", rand.Uint64())
			}
			m := signOne(t, scheme, secret, n)
			if m.wrong = n%4 == 3; m.wrong {
				m.Body = strings.Replace(m.Body, "{", "{ ", 1)
				m.Form["n"] = "another"
			}
			all = append(all, m)
		}
	}
	counts := map[string]int{}
	for i, answer := range ask(t, all) {
		if answer.Accepted == all[i].wrong {
			t.Errorf("%s, changed %v: accepted %v %s\n%.200s", all[i].Scheme, all[i].wrong, answer.Accepted, answer.Why, all[i].Body)
			continue
		}
		counts[all[i].Scheme]++
	}
	t.Logf("judged rightly: %v", counts)
}

func signOne(t *testing.T, scheme, secret string, n int) delivery {
	m := delivery{Scheme: scheme, Secret: secret, URL: fmt.Sprintf("https://example.com/hook?n=%d&q=a%%20b", n), Body: bodies[n%len(bodies)], Headers: map[string]string{}, Form: map[string]any{}}
	content := "application/json"
	if scheme == "twilio" { // it signs the parameters of a form, one by one
		content = "application/x-www-form-urlencoded"
		values := url.Values{"n": {fmt.Sprint(n)}, "Body": {bodies[n%len(bodies)]}, "From": {"+15550100"}, "Media": {"b", "a"}, "Empty": {""}}
		m.Body = values.Encode()
		for name, list := range values {
			m.Form[name] = list[0]
			if len(list) > 1 {
				m.Form[name] = list
			}
		}
	}
	signer, err := New(Config{Scheme: scheme}, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := signer.Sign(Message{Method: "POST", URL: m.URL, ContentType: content, ID: fmt.Sprintf("msg_%d", n), Body: []byte(m.Body), Time: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		m.Headers[field.Name] = field.Value
	}
	return m
}

type verified struct {
	Accepted bool
	Why      string
}

func ask(t *testing.T, all []delivery) []verified {
	folder := os.Getenv("TWINROW_SIGNERS")
	if folder == "" {
		t.Fatal("TWINROW_SIGNERS names the folder that the libraries are installed in: run make contract-sign")
	}
	var in bytes.Buffer
	for i := range all {
		if err := json.NewEncoder(&in).Encode(all[i]); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("testdata/verify.mjs")
	if err != nil {
		t.Fatal(err)
	}
	// Given so, the libraries are looked for in the folder that it runs in.
	command := exec.Command("node", "--input-type=module", "--eval", string(script))
	command.Dir, command.Stdin, command.Stderr = folder, &in, os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []verified
	for line := range bytes.Lines(out) {
		var v verified
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		answers = append(answers, v)
	}
	if len(answers) != len(all) {
		t.Fatalf("%d of %d messages were judged", len(answers), len(all))
	}
	return answers
}
