package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// as rewrites a URL to log in as another role over the socket.
func as(t testing.TB, database, role string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}

func openError(t testing.TB, dsn string) error {
	t.Helper()
	s, err := Open(context.Background(), dsn, Options{})
	if err == nil {
		_ = s.Close()
		t.Fatal("the connection was made")
	}
	return err
}

func TestConnectionsThatFail(t *testing.T) {
	t.Parallel()
	server := pgserver.Start(t, "listen_addresses=127.0.0.1", "max_connections=8", "superuser_reserved_connections=1")
	database := server.Database(t)
	run(t, database, "CREATE ROLE clerk LOGIN PASSWORD 'right horse'; CREATE ROLE locked NOLOGIN")
	clerk := server.Loopback(database, "clerk", "right horse")
	s := open(t, clerk, Options{})
	if strings.Contains(s.Info().Location, "horse") || !strings.Contains(s.Info().Location, "clerk@127.0.0.1") {
		t.Errorf("the location is %s", s.Info().Location)
	}

	secret := "wrong-s3cret"
	wrong := openError(t, server.Loopback(database, "clerk", secret))
	problem(t, wrong, key.CodeConnection, "refused the password", "PGPASSWORD", "clerk")
	if strings.Contains(fmt.Sprintf("%v %+v", wrong, wrong), secret) {
		t.Error("the password is in the error")
	}
	problem(t, openError(t, as(t, database, "locked")), key.CodeConnection, "not let this user in")
	problem(t, openError(t, as(t, database, "nobody here")), key.CodeConnection, "nobody here")
	problem(t, openError(t, strings.Replace(database, "/test_", "/missing_", 1)), key.CodeNotFound, "missing_1")
	problem(t, openError(t, "postgres://u:"+secret+"@127.0.0.1:1/x?connect_timeout=2&sslmode=disable"), key.CodeConnection, "pg_isready")
	problem(t, openError(t, "host=/nowhere user=u dbname=x password="+secret), key.CodeConnection, "/nowhere")

	run(t, database, "CREATE TABLE t AS SELECT i AS id, i / 2 AS k FROM generate_series(1, 9) i; GRANT SELECT ON t TO clerk")
	var held []*Source
	for range 8 {
		one, err := Open(context.Background(), clerk, Options{})
		if err != nil {
			problem(t, err, key.CodeConnection, "no connection left")
			break
		}
		held = append(held, one)
	}
	if len(held) == 8 {
		t.Error("eight sessions fit where seven should")
	}
	// A source that gets no second connection does with one.
	for _, one := range held[1:] {
		_ = one.Close()
	}
	one := openWhenFree(t, clerk, Options{Jobs: 40})
	compare(t, one, database, source.Request{Table: "t", Key: []string{"k"}, ID: []string{"id"}})
	if !one.alone {
		t.Error("forty connections were had of eight")
	}
}

// openWhenFree waits for the server to notice that sessions have ended.
func openWhenFree(t *testing.T, dsn string, opts Options) *Source {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		one, err := Open(context.Background(), dsn, opts)
		if err == nil {
			t.Cleanup(func() { _ = one.Close() })
			return one
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal(err)
		}
	}
}

func TestUnreadableConnectionStringsAreNotRepeated(t *testing.T) {
	secret := "hunter2"
	for _, dsn := range []string{
		"postgres://u:" + secret + "/x@host/db", "postgres://u:%zz" + secret + "@host/db", "postgres://u:" + secret + "@host:port/db",
		"postgres://u:" + secret + "@[::1/db", "password=" + secret + " =x", "host=h password='" + secret, "postgres://u:" + secret + "@h/db?sslmode=" + secret,
		"postgres://u:" + secret + "@h/db?connect_timeout=" + secret,
	} {
		_, err := Open(t.Context(), dsn, Options{})
		if p, ok := errors.AsType[*key.Problem](err); !ok {
			t.Errorf("%v is no Problem", err)
		} else if strings.Contains(fmt.Sprintf("%v %+v %s", err, p, p.Hint), secret) {
			t.Errorf("the password is in %v", err)
		}
	}
}

func TestSettingsOfPsql(t *testing.T) {
	database := pgserver.Database(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	host, name := u.Query().Get("host"), strings.TrimPrefix(u.Path, "/")
	services := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(services, []byte("[mine]\nhost="+host+"\nuser=postgres\ndbname="+name+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGSERVICEFILE", services)
	t.Setenv("PGHOST", "/nowhere")
	for _, dsn := range []string{"service=mine", "host=" + host + " user=postgres dbname=" + name, database} {
		s := open(t, dsn, Options{})
		info := s.Info()
		again := open(t, info.Location, Options{})
		if info.Database != name || again.Info().Identity != info.Identity || !strings.Contains(info.Identity, "/") {
			t.Errorf("%s is %+v, and by its location %+v", dsn, info, again.Info())
		}
	}
	t.Setenv("PGHOST", host)
	t.Setenv("PGUSER", "postgres")
	t.Setenv("PGDATABASE", name)
	open(t, "", Options{})
	problem(t, openError(t, "service=none"), key.CodeUsage, "service")
}

func TestInfo(t *testing.T) {
	t.Parallel()
	s := open(t, pgserver.Database(t), Options{})
	info := s.Info()
	want := source.Info{Engine: "postgres", Unknown: []string{"transaction times were not kept by the server"}}
	if info.Engine != want.Engine || len(info.Unknown) != 1 || info.Unknown[0] != want.Unknown[0] {
		t.Errorf("%+v", info)
	}
	if info.Version == "" || strings.ContainsAny(info.Version, " (") {
		t.Errorf("version %q", info.Version)
	}
	keeping := pgserver.Start(t, "track_commit_timestamp=on")
	if info := open(t, keeping.Database(t), Options{}).Info(); len(info.Unknown) != 0 {
		t.Errorf("%v", info.Unknown)
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, `DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN;
		CREATE TABLE shut (id int);
		CREATE SCHEMA closed; CREATE TABLE closed.t (id int); GRANT SELECT ON closed.t TO reader;
		CREATE TABLE ruled (id int, owner text); ALTER TABLE ruled ENABLE ROW LEVEL SECURITY; GRANT SELECT ON ruled TO reader;
		CREATE VIEW through AS SELECT id FROM ruled; ALTER VIEW through OWNER TO reader;
		CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); GRANT SELECT ON p TO reader;
		CREATE TABLE fine (id int, k int); INSERT INTO fine SELECT i, i % 3 FROM generate_series(1, 9) i; GRANT SELECT ON fine TO reader;
		CREATE FUNCTION loud() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN DELETE FROM fine; RETURN 1; END';
		ALTER TABLE fine OWNER TO reader;
		REVOKE EXECUTE ON FUNCTION pg_control_system FROM PUBLIC`)
	t.Cleanup(func() { run(t, database, "DROP OWNED BY reader; DROP ROLE reader") })
	s := open(t, as(t, database, "reader"), Options{})
	if s.Info().Identity != "" {
		t.Errorf("identity %q without the right to ask", s.Info().Identity)
	}
	for name, words := range map[string][]string{
		"shut":     {"GRANT SELECT ON public.shut TO reader"},
		"closed.t": {"GRANT USAGE ON SCHEMA closed TO reader"}, "p": {"GRANT SELECT ON public.p1 TO reader"},
		"through": {"row level security hides rows", "reading the catalogue about through", "BYPASSRLS"},
		"ruled":   {"row level security hides rows of public.ruled from the role reader", "BYPASSRLS"},
	} {
		_, err := s.Inspect(context.Background(), source.Request{Table: name, Key: []string{"id"}})
		problem(t, err, key.CodePermission, words...)
	}
	compare(t, s, database, source.Request{Table: "fine", Key: []string{"k"}, ID: []string{"id"}})
	table := inspect(t, s, source.Request{Table: "fine", Key: []string{"id + loud()"}, ID: []string{"id"}})
	_, err := s.Prints(context.Background(), table, source.Pass{}, func([]source.Print) error { return nil })
	problem(t, err, key.CodeUsage, "only reads")
	if got := run(t, database, "SELECT count(*) FROM fine"); got[0] != "9" {
		t.Errorf("a key that writes left %s rows", got[0])
	}
}

func TestErrorsOfValuesAndTimeouts(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, large)
	s := open(t, database, Options{StatementTimeout: 300 * time.Millisecond})
	none := func([]source.Print) error { return nil }
	table := inspect(t, s, source.Request{Table: "large", Key: []string{"1 / (id - 77)"}})
	_, err := s.Prints(context.Background(), table, source.Pass{}, none)
	problem(t, err, key.CodeBadInput, "division by zero", "public.large")
	table = inspect(t, s, source.Request{Table: "large", Key: []string{"(SELECT id FROM pg_sleep(0.4))"}})
	_, err = s.Prints(context.Background(), table, source.Pass{}, none)
	problem(t, err, key.CodeTimeout, "--statement-timeout")
}

func TestALockedTable(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, "CREATE TABLE t (id int)")
	ctx := context.Background()
	other, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close(ctx) }()
	if _, err := other.Exec(ctx, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(ctx, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	s := open(t, database, Options{})
	if err := s.main.do(ctx, "SET LOCAL lock_timeout = 200"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Inspect(ctx, source.Request{Table: "t", Key: []string{"id"}})
	problem(t, err, key.CodeBusy, "another session holds a lock")
}

// backends counts our sessions at the server.
func backends(t testing.TB, database, condition string) string {
	t.Helper()
	return run(t, database, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'twinrow/scan' AND datname = current_database() AND "+condition)[0]
}

func TestCancelReachesTheServer(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, large)
	for _, options := range []Options{{}, {Fast: true}} {
		s := open(t, database, options)
		table := inspect(t, s, source.Request{Table: "large", Key: []string{"(SELECT id FROM pg_sleep(0.01 * (id % 2)))"}})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		started := time.Now()
		_, err := s.Prints(ctx, table, source.Pass{}, func([]source.Print) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(started); took > 3*time.Second {
			t.Errorf("cancelling took %v", took)
		}
		if n := backends(t, database, "state = 'active'"); n != "0" {
			t.Errorf("%s statements still run", n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		noneLeft(t, database)
	}
}

// noneLeft waits for the server to see that our sessions have ended.
func noneLeft(t testing.TB, database string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); backends(t, database, "true") != "0"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s sessions are left", backends(t, database, "true"))
		}
	}
}

func TestTheServerGoesAway(t *testing.T) {
	t.Parallel()
	server := pgserver.Start(t)
	database := server.Database(t)
	run(t, database, large)
	s := open(t, database, Options{})
	table := inspect(t, s, source.Request{Table: "large", Key: []string{"k"}})
	crashed := false
	_, err := s.Prints(context.Background(), table, source.Pass{}, func([]source.Print) error {
		if !crashed {
			server.Crash(t)
			crashed = true
		}
		return nil
	})
	problem(t, err, key.CodeConnection, "went away while reading public.large", "nothing was changed")
	_, err = s.Inspect(context.Background(), source.Request{Table: "large", Key: []string{"k"}})
	problem(t, err, key.CodeConnection, "went away")
	err = s.Fetch(context.Background(), table, []uint64{1, 2}, func(source.Row) error { return nil })
	problem(t, err, key.CodeConnection, "went away")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	problem(t, openError(t, database), key.CodeConnection)
	server.Restart(t)
	compare(t, open(t, database, Options{}), database, source.Request{Table: "large", Key: []string{"k"}})
}

func TestTheSessionIsWhatItSaysItIs(t *testing.T) {
	t.Parallel()
	database := serverDatabase(t)
	run(t, database, large)
	s := open(t, database, Options{Jobs: 2})
	table := inspect(t, s, source.Request{Table: "large", Key: []string{"k"}})
	var seen string
	_, err := s.Prints(context.Background(), table, source.Pass{}, func([]source.Print) error {
		if seen == "" {
			seen = backends(t, database, "xact_start IS NOT NULL")
		}
		return nil
	})
	if err != nil || seen != "2" {
		t.Errorf("%s sessions in a transaction while reading, error %v", seen, err)
	}
	for name, want := range map[string]string{
		"transaction_isolation": "repeatable read", "transaction_read_only": "on", "default_transaction_read_only": "on",
		"jit": "off", "row_security": "off", "timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "postgres",
		"bytea_output": "hex", "extra_float_digits": "1", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "0",
	} {
		for i, one := range append(s.helpers, s.main) {
			var got string
			if err := one.stream(context.Background(), 0, "SHOW "+name, nil, func(f [][]byte) error { got = string(f[0]); return nil }); err != nil || got != want {
				t.Errorf("session %d: %s is %q (%v), want %q", i, name, got, err, want)
			}
		}
	}
	if err := s.main.do(context.Background(), "CREATE TABLE written (a int)"); err == nil {
		t.Error("the session can write")
	}
}
