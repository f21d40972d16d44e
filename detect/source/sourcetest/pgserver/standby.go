package pgserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Standby starts a hot standby that streams from the server; it is stopped when
// the test ends. The server is stopped for the moment in which its data are
// copied, so sessions are torn: not every package of Postgres has pg_basebackup.
// A setting is written as for Start. URLs of the primary's databases become the
// standby's by Elsewhere.
func (s *Server) Standby(t testing.TB, settings ...string) *Server {
	t.Helper()
	s.Crash(t)
	copied, err := s.copied()
	s.Restart(t)
	if err == nil {
		err = copied.follow(s, settings)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(copied.close)
	return copied
}

// copied is a server, not started yet, with the data of one that stands still.
func (s *Server) copied() (*Server, error) {
	account, err := account()
	if err != nil {
		return nil, err
	}
	dir, err := workDir(account)
	if err != nil {
		return nil, err
	}
	out, err := account.command(dir, "/bin/cp", "-R", filepath.Join(s.dir, "data"), filepath.Join(dir, "data")).CombinedOutput()
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("copying the server's data: %w\n%s", err, out)
	}
	return &Server{dir: dir, port: s.port}, nil
}

// follow starts the copy as a standby of the server that it was made of.
func (s *Server) follow(primary *Server, settings []string) error {
	account, err := account()
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	lines := []string{
		"unix_socket_directories=" + quote(s.dir), "hot_standby=on", "wal_receiver_status_interval=1",
		"primary_conninfo=" + quote(fmt.Sprintf("host=%s port=%d user=postgres", primary.dir, primary.port)),
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		lines = append(lines, name+"="+quote(value))
	}
	err = appendTo(filepath.Join(data, "postgresql.conf"), strings.Join(lines, "\n")+"\n")
	if err == nil {
		err = os.WriteFile(filepath.Join(data, "standby.signal"), nil, 0o644)
	}
	if err == nil {
		err = s.run(filepath.Join(filepath.Dir(Bin("initdb")), "postgres"), account)
	}
	if err != nil {
		s.close()
	}
	return err
}

// Elsewhere is a URL of Database, of another server, on this one.
func (s *Server) Elsewhere(url string) string {
	before, after, _ := strings.Cut(url, "@/")
	name, _, _ := strings.Cut(after, "?")
	_, query, _ := strings.Cut(s.url(name), "?")
	return before + "@/" + name + "?" + query
}
