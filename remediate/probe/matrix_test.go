//go:build matrix

package probe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// nginxConfig is a server in front, over TLS and HTTP/2, with as few streams
// on a connection as a test can have and requests handed on as they are.
const nginxConfig = `
daemon off;
worker_processes 2;
pid DIR/nginx.pid;
error_log stderr error;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
  upstream app { server BEHIND; keepalive 64; }
  server {
    listen FRONT ssl http2;
    ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem;
    http2_max_concurrent_streams 8;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; }
  }
}
`

// startNginx puts nginx before a server and returns its URL.
func startNginx(t *testing.T, behind string) (url, ca string) {
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := listener.Addr().String()
	_ = listener.Close()
	selfSigned(t, dir)
	config := strings.NewReplacer("DIR", dir, "BEHIND", strings.TrimPrefix(behind, "http://"), "FRONT", front).Replace(nginxConfig)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	command := exec.Command("nginx", "-c", filepath.Join(dir, "nginx.conf"), "-p", dir, "-g", "user root;")
	if os.Geteuid() != 0 {
		command = exec.Command("nginx", "-c", filepath.Join(dir, "nginx.conf"), "-p", dir)
	}
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
	})
	for range 200 {
		if conn, err := net.Dial("tcp", front); err == nil {
			_ = conn.Close()
			return "https://" + front, filepath.Join(dir, "cert.pem")
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nginx does not listen: %s", said.String())
	return "", ""
}

func selfSigned(t *testing.T, dir string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.com"}, DNSNames: []string{"example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: certificate}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// shops are what stands behind: the verdict that each must get.
var shops = map[string]struct {
	make func() *shop
	want Verdict
}{
	"vulnerable": {func() *shop { s := fixedShop(); s.fixed = false; return s }, Fail},
	"fixed":      {fixedShop, Pass},
	"one worker": {func() *shop { s := fixedShop(); s.fixed, s.lane = false, &sync.Mutex{}; return s }, Inconclusive},
}

// TestBehindNginx fires through a proxy over HTTP/2 and HTTP/1.1: 20 copies are
// more than the streams that it allows on a connection.
func TestBehindNginx(t *testing.T) {
	for _, transport := range []string{"auto", "http1", "http2"} {
		for name, kind := range shops {
			t.Run(transport+" "+name, func(t *testing.T) {
				target := kind.make()
				url, ca := startNginx(t, serve(t, target, false).URL)
				text := strings.NewReplacer("TRANSPORT", transport, "copies: 5", "copies: 20", "exactly: 4", "exactly: 19").Replace(seatSpec) +
					"tls: {ca: " + ca + ", server_name: example.com}\n"
				result := run(t, spec(t, url, text), target)
				if result.Verdict != kind.want {
					t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
				}
				if want := map[string]string{"auto": "http2", "http1": "http1", "http2": "http2"}[transport]; result.Transport != want {
					t.Errorf("over %s, want %s", result.Transport, want)
				}
				fmt.Printf("nginx %-5s %-10s %-12s held back: %s\n", transport, name, result.Verdict, result.HeldBack)
			})
		}
	}
}

// TestOwnServers is the same for Go's server, in all ways that it speaks.
func TestOwnServers(t *testing.T) {
	for _, c := range carriers {
		for name, kind := range shops {
			t.Run(c.name+" "+name, func(t *testing.T) {
				target := kind.make()
				if result := run(t, seatProbe(t, target, c.transport, c.secure), target); result.Verdict != kind.want {
					t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
				}
			})
		}
	}
}
