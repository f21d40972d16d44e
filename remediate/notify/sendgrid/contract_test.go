//go:build contract

package sendgrid

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"twinrow/remediate/notify"
)

// Where `make contract-notify` puts prism and SendGrid's published OpenAPI document.
const (
	prismEnv   = "TWINROW_PRISM"
	openAPIEnv = "TWINROW_OPENAPI"
)

// contract is a mock made from the published document, behind a proxy that
// gives the paths their /v3 and notes what prism finds wrong with requests.
type contract struct {
	url string
	mu  sync.Mutex
	bad []string
	// asked are the requests that the document knows, by method and path.
	asked []string
}

func startContract(t *testing.T) *contract {
	t.Helper()
	prism, document := os.Getenv(prismEnv), os.Getenv(openAPIEnv)
	if prism == "" || document == "" {
		t.Fatalf("%s and %s are not set: run `make contract-notify`", prismEnv, openAPIEnv)
	}
	port := freePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, prism, "mock", "-h", "127.0.0.1", "-p", port, document)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = command.Wait() })
	c := &contract{}
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/v3")
			r.Out.URL.RawPath = ""
		},
		ModifyResponse: c.note,
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	c.url = server.URL
	waitFor(t, target.Host, &output)
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func waitFor(t *testing.T, address string, output fmt.Stringer) {
	t.Helper()
	for range 600 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("prism did not start: %s", output)
}

// note keeps what is wrong with a request; prism says it in a header, beside
// what is wrong with the document's own examples.
func (c *contract) note(r *http.Response) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, r.Request.Method+" "+r.Request.URL.Path)
	if v := r.Header.Get("sl-violations"); strings.Contains(v, `"location":["request"`) {
		c.bad = append(c.bad, v)
	}
	if r.StatusCode >= 400 {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c.bad = append(c.bad, fmt.Sprint(r.Request.Method, " ", r.Request.URL.Path, ": ", r.Status, " ", string(body)))
	}
	return nil
}

// TestContract makes every request that twinrow makes.
func TestContract(t *testing.T) {
	c := startContract(t)
	for _, sandbox := range []bool{false, true} {
		client, err := New(Config{Key: testKey, BaseURL: c.url, Sandbox: sandbox})
		if err != nil {
			t.Fatal(err)
		}
		if out := client.Send(t.Context(), message(1)); out.State != notify.Accepted {
			t.Errorf("sandbox %v: got %+v", sandbox, out)
		}
	}
	client, err := New(Config{Key: testKey, BaseURL: c.url})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		if listed, err := client.listed(t.Context(), list.path+url.PathEscape("p+1@example.com")); err != nil || !listed {
			t.Errorf("%s: %v, %v; the document's example is of a listed address", list.path, listed, err)
		}
	}
	if _, err := client.Find(t.Context(), "0123456789abcdef", "p1@example.com"); err != nil {
		t.Error(err)
	}
	if found, err := client.Mails(t.Context(), "p1@example.com", `A "subject"`, time.Now().Add(-time.Hour)); err != nil || len(found) == 0 {
		t.Errorf("got %+v, %v; the document's example has mails", found, err)
	}
	if _, err := client.Begun(t.Context(), "filter0307p1las1-16816-5A023E36-1.0"); err != nil {
		t.Error(err)
	}
	for _, bad := range c.bad {
		t.Error(bad)
	}
	if len(c.asked) != 9 {
		t.Errorf("%d requests: %q", len(c.asked), c.asked)
	}
}

// TestContractSeesViolations proves the check itself on requests that the
// document forbids.
func TestContractSeesViolations(t *testing.T) {
	c := startContract(t)
	for _, body := range []string{`{}`, `{"personalizations":[{"to":[{"name":"x"}]}],"from":{"email":"b@example.com"},"subject":"s","content":[{"type":"text/plain","value":"x"}]}`} {
		before := len(c.bad)
		request, err := http.NewRequest(http.MethodPost, c.url+"/v3/mail/send", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer x")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if len(c.bad) == before {
			t.Errorf("prism found nothing wrong with %s", body)
		}
	}
}
