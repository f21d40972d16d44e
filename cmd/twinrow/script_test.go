package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"twinrow/detect/source/sourcetest/pgserver"
)

// withServer stops the package's Postgres after the tests.
type withServer struct{ *testing.M }

func (w withServer) Run() int { return pgserver.Run(w.M) }

func TestMain(m *testing.M) {
	testscript.Main(withServer{m}, map[string]func(){
		"twinrow": func() { os.Exit(start()) },
	})
}

// TestScripts runs the command line as a person would. `postgres` makes an
// empty database and sets $PG to its URL; sqlite3 and psql are the real ones.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"postgres": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Setenv("PG", pgserver.Database(t)) },
			"exits":    exits,
			// postgres-with-passwords is a server of its own that also listens on
			// loopback and asks there; $WRONG has a wrong password in it.
			"postgres-with-passwords": func(ts *testscript.TestScript, _ bool, _ []string) {
				server := pgserver.Start(t, "listen_addresses=127.0.0.1")
				url := server.Database(t)
				ts.Setenv("PG", url)
				ts.Setenv("WRONG", server.Loopback(url, "clerk", "wrong-horse"))
				ts.Setenv("RIGHT", server.Loopback(url, "clerk", "right-horse"))
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "Pacific/Chatham") // no output may depend on it
			return nil
		},
	})
}

// exits STATUS COMMAND [ARG…] runs a command and wants just that exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARG…]")
	}
	status := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := asExit(err); ok {
		status = exit
	} else {
		ts.Check(err)
	}
	if want := args[0]; want != strconv.Itoa(status) {
		ts.Fatalf("exit status %d, want %s", status, want)
	}
}

func asExit(err error) (int, bool) {
	if err == nil {
		return 0, true
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), true
	}
	return 0, false
}
