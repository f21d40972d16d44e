package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/source/sourcetest/pgserver"
)

// office books seats in a real database: it looks whether there is a row, asks
// somebody else for thirty milliseconds, which is long beside what a busy machine adds, and inserts. The fixed one has a unique
// index beneath.
type office struct{ conns chan *pgx.Conn }

func newOffice(t testing.TB, fixed bool) *office {
	url, ctx := pgserver.Database(t), context.Background()
	o := &office{make(chan *pgx.Conn, 12)}
	for range cap(o.conns) {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(ctx) })
		// Waiting for the disk is not what is tested here.
		if _, err := conn.Exec(ctx, `SET synchronous_commit = off`); err != nil {
			t.Fatal(err)
		}
		o.conns <- conn
	}
	statement := `CREATE UNLOGGED TABLE bookings (seat text NOT NULL, began_at timestamptz NOT NULL, ended_at timestamptz NOT NULL DEFAULT clock_timestamp())`
	if fixed {
		statement += `; CREATE UNIQUE INDEX ON bookings (seat)`
	}
	conn := <-o.conns
	defer func() { o.conns <- conn }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var order struct {
		Seat string `json:"seat"`
	}
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		http.Error(w, "bad order", http.StatusBadRequest)
		return
	}
	made, err := o.book(r.Context(), order.Seat)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
	case made:
		fmt.Fprint(w, `{"status":"booked"}`)
	default:
		fmt.Fprint(w, `{"status":"noop"}`)
	}
}

func (o *office) book(ctx context.Context, seat string) (made bool, err error) {
	conn := <-o.conns
	defer func() { o.conns <- conn }()
	var began time.Time
	var there int
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp(), (SELECT count(*) FROM bookings WHERE seat = $1)`, seat).Scan(&began, &there); err != nil {
		return false, err
	}
	if _, err := conn.Exec(ctx, `SELECT pg_sleep(0.03)`); err != nil || there > 0 {
		return false, err
	}
	tag, err := conn.Exec(ctx, `INSERT INTO bookings (seat, began_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, seat, began)
	return tag.RowsAffected() == 1, err
}

// Query implements RowSource.
func (o *office) Query(ctx context.Context, sql string, args []string) ([][]*string, error) {
	values := make([]any, len(args))
	for i := range args {
		values[i] = args[i]
	}
	conn := <-o.conns
	defer func() { o.conns <- conn }()
	found, err := conn.Query(ctx, sql, values...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all [][]*string
	for found.Next() {
		row := make([]*string, len(found.FieldDescriptions()))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, found.Err()
}

// Close implements RowSource.
func (o *office) Close() error { return nil }

const officeTimes = `server_times: {source: office, sql: "SELECT began_at::text, ended_at::text FROM bookings WHERE seat = $1", args: ["{{.seat}}"]}
`

// Check-then-insert in a real database is caught, and its twin with a unique
// index passes, with the window that it would have shown by the rows' times.
func TestPostgresTwins(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		target := newOffice(t, fixed)
		text := strings.NewReplacer("TRANSPORT", "http2", "rounds: 3", "rounds: 10", "SELECT count(*)", "SELECT count(*)::text FROM bookings WHERE seat = $1").Replace(seatSpec) + officeTimes
		s := spec(t, serve(t, target, false).URL, text)
		result, err := Run(context.Background(), s, Deps{ParseTime: readTime, OpenRows: func(context.Context, string) (RowSource, error) { return target, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]Verdict{false: Fail, true: Pass}[fixed]; result.Verdict != want {
			t.Fatalf("fixed %v: %s %q %+v", fixed, result.Verdict, result.Reasons, result.Overlap)
		}
		if c := result.Confidence; fixed && (c.WindowUS == nil || *c.WindowUS > 30_000 || *c.Probability < 0.999) {
			t.Errorf("%+v %+v", c, result.Overlap)
		}
	}
}
