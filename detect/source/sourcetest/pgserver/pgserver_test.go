package pgserver

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain plays the process that is killed, when told to, and the tests otherwise.
func TestMain(m *testing.M) {
	if os.Getenv("TWINROW_TEST_HOLD") != "" {
		s, err := start(nil)
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(s.dir + "\n")
		select {}
	}
	os.Exit(Run(m))
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	last := results[len(results)-1]
	if len(last.Rows) == 0 {
		return ""
	}
	return string(last.Rows[0][0])
}

func TestEachTestHasItsDatabase(t *testing.T) {
	one, two := Database(t), Database(t)
	query(t, one, "CREATE TABLE t AS SELECT 1")
	if got := query(t, two, "SELECT coalesce(to_regclass('t')::text, 'none')"); got != "none" {
		t.Errorf("a table of one database is seen in the other: %s", got)
	}
	if got := query(t, two, "SELECT current_setting('listen_addresses')"); got != "" {
		t.Errorf("the server listens on %q, want the socket only", got)
	}
}

func TestOwnServerSurvivesACrashAndAsksForPasswords(t *testing.T) {
	s := Start(t, "listen_addresses=127.0.0.1", "work_mem=3MB")
	url := s.Database(t)
	query(t, url, "CREATE TABLE t AS SELECT 'kept' AS v; CREATE ROLE clerk LOGIN PASSWORD 'right'")
	s.Crash(t)
	if _, err := pgx.Connect(context.Background(), url); err == nil {
		t.Error("a crashed server answered")
	}
	s.Restart(t)
	if got := query(t, url, "SELECT v || current_setting('work_mem') FROM t"); got != "kept3MB" {
		t.Errorf("after the crash the table holds %q", got)
	}
	if got := query(t, s.Loopback(url, "clerk", "right"), "SELECT current_user::text"); got != "clerk" {
		t.Errorf("logged in as %q", got)
	}
	if _, err := pgx.Connect(context.Background(), s.Loopback(url, "clerk", "wrong")); err == nil {
		t.Error("a wrong password was accepted")
	}
}

func TestServerGoesWhenTheTestProcessIsKilled(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TWINROW_TEST_HOLD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(line)
	if _, err := os.Stat(dir + "/data/postmaster.pid"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server's directory is still there")
		}
	}
}
