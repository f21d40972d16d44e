package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"twinrow/detect/source/sourcetest/pgserver"
)

// withServer stops the package's Postgres after the tests.
type withServer struct{ *testing.M }

func (w withServer) Run() int { return pgserver.Run(w.M) }

func TestMain(m *testing.M) {
	if url := os.Getenv("TWINROW_TEST_CHAT"); url != "" {
		chatWorker(url)
		return
	}
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
			// postgres-pooled is the same behind a pooler of transactions, $POOL.
			"postgres-pooled": func(ts *testscript.TestScript, _ bool, _ []string) {
				url := pgserver.Database(t)
				ts.Setenv("PG", url)
				ts.Setenv("POOL", pgserver.Pooled(t, url, 4))
			},
			"shop":     shopCommand(t),
			"incident": incidentCommand(t),
			"readme":   readmeCommand,
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

// shopCommand is `shop vulnerable|fixed|alone`: the demo's endpoint over
// shop.db in the script's directory, whose address is set as $SHOP. Alone is
// the vulnerable one behind a single worker.
func shopCommand(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if len(args) != 1 {
			ts.Fatalf("usage: shop vulnerable|fixed|alone")
		}
		file := ts.MkAbs("shop.db")
		store, err := openTicketStore(t.Context(), place{"sqlite", file}, demoTable, time.Now)
		ts.Check(err)
		ts.Check(store.create(t.Context(), "sqlite"))
		s, err := openShop(store)
		ts.Check(err)
		ts.Defer(func() {
			ts.Check(s.close())
			ts.Check(store.close())
		})
		switch args[0] {
		case "fixed":
			_, _, err := store.text(t.Context(), "DELETE FROM tickets")
			ts.Check(err)
			_, _, err = store.text(t.Context(), "CREATE UNIQUE INDEX one ON tickets (payment_intent_id, ticket_number)")
			ts.Check(err)
			s.fixed.Store(true)
		case "alone":
			var worker sync.Mutex
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				worker.Lock()
				defer worker.Unlock()
				s.serve(w, r)
			}))
			ts.Defer(server.Close)
			s.url = server.URL
		}
		ts.Setenv("SHOP", s.url)
	}
}
