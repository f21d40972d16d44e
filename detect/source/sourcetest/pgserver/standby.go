package pgserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Standby starts a hot standby that streams from the server, made by
// pg_basebackup; it is stopped when the test ends. A setting is written as for
// Start. URLs of the primary's databases become the standby's by Elsewhere.
func (s *Server) Standby(t testing.TB, settings ...string) *Server {
	t.Helper()
	copied, err := s.standby(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(copied.close)
	return copied
}

func (s *Server) standby(settings []string) (*Server, error) {
	account, err := account()
	if err != nil {
		return nil, err
	}
	backup := Bin("pg_basebackup")
	if backup == "" {
		return nil, fmt.Errorf("no pg_basebackup; hint: it comes with the server's client programs")
	}
	dir, err := workDir(account)
	if err != nil {
		return nil, err
	}
	standby := &Server{dir: dir, port: s.port}
	data := filepath.Join(dir, "data")
	out, err := account.command(dir, backup, "-D", data, "-R", "-c", "fast", "--no-sync", "-d", s.url("postgres")).CombinedOutput()
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("running %s: %w\n%s", backup, err, out)
	}
	lines := []string{"unix_socket_directories=" + quote(dir), "hot_standby=on", "wal_receiver_status_interval=1"}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		lines = append(lines, name+"="+quote(value))
	}
	if err := appendTo(filepath.Join(data, "postgresql.conf"), strings.Join(lines, "\n")+"\n"); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := standby.run(filepath.Join(filepath.Dir(Bin("initdb")), "postgres"), account); err != nil {
		standby.close()
		return nil, err
	}
	return standby, nil
}

// Elsewhere is a URL of Database, of another server, on this one.
func (s *Server) Elsewhere(url string) string {
	before, after, _ := strings.Cut(url, "@/")
	name, _, _ := strings.Cut(after, "?")
	_, query, _ := strings.Cut(s.url(name), "?")
	return before + "@/" + name + "?" + query
}
