package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
)

// market has users who log in, open carts, and pay each cart once. It looks
// whether a cart is paid, works, and takes the money.
type market struct {
	mu    sync.Mutex
	fixed bool
	carts int
	paid  map[string]int
	// buyers are the users that paid, or tried to.
	buyers map[string]bool
	// poor answers the second cart without its number.
	poor bool
}

func (m *market) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ User, Password, Cart string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	if r.URL.Path == "/login" {
		if in.Password != "pw-"+in.User {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "cookie-" + in.User})
		fmt.Fprintf(w, `{"token":"token-%s"}`, in.User)
		return
	}
	user, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-")
	if cookie, err := r.Cookie("session"); err != nil || cookie.Value != "cookie-"+user {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.URL.Path == "/carts" {
		m.open(w)
		return
	}
	m.pay(w, user, in.Cart)
}

func (m *market) open(w http.ResponseWriter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.carts++; m.poor && m.carts > 1 {
		fmt.Fprint(w, `{"data":{}}`)
		return
	}
	fmt.Fprintf(w, `{"data":{"id":"cart-%d"}}`, m.carts)
}

func (m *market) pay(w http.ResponseWriter, user, cart string) {
	m.mu.Lock()
	m.buyers[user] = true
	paid := m.paid[cart] > 0
	m.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	m.mu.Lock()
	defer m.mu.Unlock()
	if paid || m.fixed && m.paid[cart] > 0 || cart == "" {
		w.WriteHeader(http.StatusConflict)
		return
	}
	m.paid[cart]++
}

const marketSpec = `
probe: v1
target: URL/pay
vars: {order: "{{.UUID}}"}
login:
  users: [ann, bob, eve]
  target: URL/login
  request: {headers: {content-type: application/json}, body: '{"user":"{{.Name}}","password":"${PASSWORD}-{{.Name}}"}'}
  take: {token: token}
steps:
  - name: cart
    target: URL/carts
    request: {headers: {authorization: "Bearer {{.token}}"}, body: '{"order":"{{.order}}"}'}
    fire: {copies: 1, rounds: 3}
    take: {cart: data.id}
  - name: pay
    request: {headers: {authorization: "Bearer {{.token}}"}, body: '{"cart":"{{.cart}}"}'}
    fire: {copies: 6, rounds: 3, transport: TRANSPORT}
    expect:
      responses: [{name: paid, status: 200, exactly: 1}, {name: refused, status: 409, exactly: 5}]
`

func marketProbe(t *testing.T, text, transport string, m *market) (*Spec, *Result, error) {
	t.Helper()
	m.paid, m.buyers = map[string]int{}, map[string]bool{}
	server := serve(t, m, false)
	env := func(string) (string, bool) { return "pw", true }
	s, err := ParseSpec("probe.yaml", []byte(strings.NewReplacer("URL", server.URL, "TRANSPORT", transport).Replace(text)), env)
	if err != nil {
		return nil, nil, err
	}
	result, err := Run(context.Background(), s, Deps{Version: "test", Env: env})
	return s, result, err
}

// Each user logs in by itself and pays with its own token and cookie; what a
// step took is what the next one sends, also for each request of a control
// round.
func TestUsersAndWhatStepsTake(t *testing.T) {
	for _, transport := range []string{"http1", "http2"} {
		for _, fixed := range []bool{false, true} {
			m := &market{fixed: fixed}
			s, result, err := marketProbe(t, marketSpec, transport, m)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]Verdict{false: Fail, true: Pass}[fixed]; result.Verdict != want {
				t.Errorf("%s, fixed %v: %s %q %+v", transport, fixed, result.Verdict, result.Reasons, result.Overlap)
			}
			if diff := cmp.Diff(map[string]bool{"ann": true, "bob": true, "eve": true}, m.buyers); diff != "" {
				t.Error(diff)
			}
			// Three carts of attacks, and one for each control request.
			if want := 3 + result.Overlap.ControlRequests; m.carts != want || len(m.paid) != want {
				t.Errorf("%d carts, %d of them paid, want %d", m.carts, len(m.paid), want)
			}
			if n := 3 + 2*result.Overlap.ControlRequests + result.Requests; n > s.total() {
				t.Errorf("%d requests were sent, %d announced", n, s.total())
			}
			document, _ := result.JSON()
			shown := string(document) + s.Outline().Text() + fmt.Sprint(s.Outline())
			for _, secret := range []string{"pw-", "token-ann", "cookie-ann"} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s is shown", secret)
				}
			}
			for _, line := range []string{"users      3, each with its own login", "take       {{.token}} from token", "take       {{.cart}} from data.id"} {
				if !strings.Contains(s.Outline().Text(), line) {
					t.Errorf("no %q in\n%s", line, s.Outline().Text())
				}
			}
		}
	}
}

// A value that an answer lacks ends the run, and never in a pass.
func TestNothingToTake(t *testing.T) {
	_, result, err := marketProbe(t, marketSpec, "http1", &market{fixed: true, poor: true})
	if err != nil || result.Verdict != Inconclusive || !strings.Contains(strings.Join(result.Reasons, "\n"), "cart: no answer had data.id") {
		t.Errorf("%v %+v", err, result)
	}
}

func TestMistakesInUsersAndTakes(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"[ann, bob, eve]", "[ann, mallory-x]\n  status: 204", "the login of user 1 was answered 200"},
		{"[ann, bob, eve]", "0", "from 1 to 2000"},
		{"[ann, bob, eve]", "[]", "from 1 to 2000"},
		{"[ann, bob, eve]", "3", "Name"},
		{`vars: {order: "{{.UUID}}"}`, `vars: {order: "{{.UUID}}", auth: "Bearer {{.token}}"}`, "all users of a key share vars"},
		{`vars: {order: "{{.UUID}}"}`, `vars: {order: "{{.UUID}}", cart: "1"}`, "cart is defined twice"},
		{`vars: {order: "{{.UUID}}"}`, `vars: {order: "{{.UUID}}{{.cart}}"}`, "cart"},
		{"take: {cart: data.id}", "", "cart"},
		{"take: {token: token}", "take: {token: data.token}", "the login's answer of user 1 has no data.token"},
		{`"{{.order}}"`, `"{{.order}} {{.cart}}"`, "cart"},
		{"copies: 1, rounds: 3", "distinct: 2, rounds: 3", "take needs fire"},
		{"copies: 1, rounds: 3", "copies: 1, cut: true, rounds: 3", "take needs fire"},
	} {
		_, _, err := marketProbe(t, strings.Replace(marketSpec, test.old, test.new, 1), "http1", &market{})
		wantProblem(t, err, casefile.CodeBadInput, test.want)
	}
}
