package pgserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Server is one running Postgres.
type Server struct {
	dir      string // holds the socket, the data directory and the log
	port     int
	keeper   *exec.Cmd
	orders   io.WriteCloser
	answers  *bufio.Reader
	counter  atomic.Int64
	loopback bool
}

// keeper is the parent of the server. It obeys words on standard input and
// answers each; when the test process is gone, by whatever death, its input
// ends, and it takes the server and the directory away. The server is never
// stopped politely: its data is thrown away anyway.
const keeper = `
dir=$1; postgres=$2
while read -r word; do
	case $word in
	start) "$postgres" -D "$dir/data" </dev/null >>"$dir/log" 2>&1 & pid=$! ;;
	crash) kill -QUIT "$pid" 2>/dev/null; wait "$pid" 2>/dev/null ;;
	esac
	echo done
done
kill -QUIT "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
rm -rf "$dir"
`

func start(settings []string) (*Server, error) {
	account, err := account()
	if err != nil {
		return nil, err
	}
	initdb := Bin("initdb")
	if initdb == "" {
		return nil, fmt.Errorf("no initdb in $TWINROW_PG_BIN, /usr/lib/postgresql or $PATH; hint: make test installs it")
	}
	dir, err := workDir(account)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, port: 5432}
	if err := s.create(initdb, account, settings); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := s.run(filepath.Join(filepath.Dir(initdb), "postgres"), account); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// create makes the data directory and its configuration.
func (s *Server) create(initdb string, account credential, settings []string) error {
	data := filepath.Join(s.dir, "data")
	out, err := account.command(s.dir, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %s: %w\n%s", initdb, err, out)
	}
	all := []string{
		"listen_addresses=''", "unix_socket_directories=" + quote(s.dir), "max_connections=40", "shared_buffers=32MB",
		"fsync=off", "full_page_writes=off", "autovacuum=off", "timezone=UTC", "log_timezone=UTC", "password_encryption=scram-sha-256",
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		if name == "listen_addresses" {
			s.loopback = true
		}
		all = append(all, name+"="+quote(strings.Trim(value, "'")))
	}
	if s.loopback {
		if s.port, err = freePort(); err != nil {
			return err
		}
	}
	all = append(all, "port="+strconv.Itoa(s.port))
	if err := appendTo(filepath.Join(data, "postgresql.conf"), strings.Join(all, "\n")+"\n"); err != nil {
		return err
	}
	access := "local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	return os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(access), 0o600)
}

// run starts the keeper and, through it, the server.
func (s *Server) run(postgres string, account credential) error {
	s.keeper = account.command(s.dir, "/bin/sh", "-c", keeper, "sh", s.dir, postgres)
	s.keeper.SysProcAttr.Setsid = true // the terminal's Ctrl-C is for the tests, not for the server
	var err error
	if s.orders, err = s.keeper.StdinPipe(); err != nil {
		return err
	}
	answers, err := s.keeper.StdoutPipe()
	if err != nil {
		return err
	}
	s.answers = bufio.NewReader(answers)
	if err := s.keeper.Start(); err != nil {
		return fmt.Errorf("starting the server's keeper: %w", err)
	}
	if err := s.order("start"); err != nil {
		return err
	}
	return s.wait()
}

// wait returns when the server answers.
func (s *Server) wait() error {
	deadline := time.Now().Add(time.Minute)
	for {
		err := s.exec("SELECT 1")
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("waiting for the server: %w\n%s", err, log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *Server) order(word string) error {
	if _, err := fmt.Fprintln(s.orders, word); err != nil {
		return fmt.Errorf("telling the server's keeper to %s: %w", word, err)
	}
	_, err := s.answers.ReadString('\n')
	return err
}

func (s *Server) close() {
	if s.orders != nil {
		_ = s.orders.Close()
	}
	if s.keeper != nil && s.keeper.Process != nil {
		_ = s.keeper.Wait()
	}
	_ = os.RemoveAll(s.dir)
}

// exec runs one statement in the maintenance database, through psql: the
// driver stays behind the packages that need it.
func (s *Server) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	psql := Bin("psql")
	if psql == "" {
		return errors.New("psql is not installed; `make test` installs it")
	}
	said, err := exec.CommandContext(ctx, psql, "-X", "-q", "-d", s.url("postgres"), "-c", sql).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

func (s *Server) url(database string) string {
	where := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}}
	return "postgres://postgres@/" + database + "?" + where.Encode()
}

// Database makes an empty database on this server and returns the superuser's
// URL over the unix socket. It is dropped when the test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.counter.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("creating a database for the test: %v", err)
	}
	t.Cleanup(func() {
		// A test that crashed its own server has nothing to drop.
		_ = s.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)")
	})
	return s.url(name)
}

// Loopback rewrites a URL of Database to go over TCP as the role given, who
// must give a password there. The server must have been started with
// "listen_addresses=127.0.0.1".
func (s *Server) Loopback(database, role, password string) string {
	u, err := url.Parse(database)
	if err != nil || !s.loopback {
		panic("the server was not started with listen_addresses=127.0.0.1")
	}
	u.User = url.UserPassword(role, password)
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// Crash stops the server at once, as a power cut would: sessions are torn,
// what was committed stays.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	if err := s.order("crash"); err != nil {
		t.Fatal(err)
	}
}

// Restart starts the server again after Crash and waits until it answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.order("start"); err != nil {
		t.Fatal(err)
	}
	if err := s.wait(); err != nil {
		t.Fatal(err)
	}
}
