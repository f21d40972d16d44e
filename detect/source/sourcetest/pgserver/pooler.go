package pgserver

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// poolerKeeper is the parent of a pooler: when the test process is gone, by
// whatever death, its input ends, and it takes the pooler and the directory away.
const poolerKeeper = `
dir=$1; pgbouncer=$2
"$pgbouncer" -q "$dir/pgbouncer.ini" </dev/null >"$dir/log" 2>&1 & pid=$!
while read -r word; do :; done
kill -KILL "$pid" 2>/dev/null # versions differ in what else stops it at once
wait "$pid" 2>/dev/null
rm -rf "$dir"
`

// Pooled puts a pgbouncer before a database of Database, which gives each
// transaction one of as many server connections as told, and returns the URL
// through it. Connections are the superuser's, whoever asks.
func Pooled(t testing.TB, database string, connections int) string {
	t.Helper()
	pgbouncer := Bin("pgbouncer")
	if pgbouncer == "" {
		pgbouncer = "/usr/sbin/pgbouncer" // which is not on everybody's $PATH
	}
	account, err := account()
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := workDir(account)
	if err != nil {
		t.Fatal(err)
	}
	ini := fmt.Sprintf(`[databases]
* = host=%s port=%s user=postgres
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 60
`, server.Query().Get("host"), server.Query().Get("port"), dir, connections)
	if err := os.WriteFile(filepath.Join(dir, "pgbouncer.ini"), []byte(ini), 0o644); err != nil {
		t.Fatal(err)
	}
	keeper := account.command(dir, "/bin/sh", "-c", poolerKeeper, "sh", dir, pgbouncer)
	keeper.SysProcAttr.Setsid = true // a signal to the tests' group must not end the keeper before the pooler
	input, err := keeper.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = keeper.Wait()
	})
	awaitSocket(t, filepath.Join(dir, ".s.PGSQL.6432"), filepath.Join(dir, "log"), keeper)
	server.RawQuery = url.Values{"host": {dir}, "port": {"6432"}}.Encode()
	return server.String()
}

func awaitSocket(t testing.TB, socket, log string, keeper *exec.Cmd) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log)
			t.Fatalf("waiting for pgbouncer (process %d), which `make test` installs: %v\n%s", keeper.Process.Pid, err, said)
		}
	}
}
