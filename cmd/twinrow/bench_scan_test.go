package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source/sourcetest/pgserver"
)

// BenchmarkScan builds a table of ROWS rows with 1,000 groups of duplicates on a
// server of its own, finds them in every way there is, and prints one table of
// what each cost. It fails where two ways do not find the same.
//
// The text is collated as in a database with an ICU locale, en-US: most are made
// with a language's order, of ICU or the C library, and not with the order of
// bytes. G is what a person types, with every setting at its default, on a table
// whose statistics autovacuum keeps up: a serial hash that spills. On a table
// that was just loaded, as from a dump, the planner knows nothing yet and takes a
// parallel one that spills twice as much, which is printed beside it, and so is
// the order of bytes.
func BenchmarkScan(b *testing.B) {
	rows, _ := strconv.Atoi(os.Getenv("ROWS"))
	rows = max(rows, 100_000)
	l := newScanLab(b, rows)
	for range b.N {
		l.run()
	}
}

// scanLab is one server with one large table, and one small one that stands
// for what the application keeps in the server's memory.
type scanLab struct {
	b          *testing.B
	rows       int
	url, dir   string
	binary     string
	postmaster int
	found      []string // the keys that the first way found
	runs       []scanRun
}

// scanRun is one way and what it cost.
type scanRun struct {
	way                string
	wall, server, self time.Duration
	memory             int64 // bytes, of the client at most
	wire, spilled      int64 // bytes
	kept               float64
}

const scanTable = `
CREATE EXTENSION pg_buffercache;
CREATE TABLE app AS SELECT i AS id, repeat('a', 900) AS pad FROM generate_series(1, 100000) AS i;
CREATE TABLE tickets (id bigint, payment text COLLATE "en-US-x-icu" NOT NULL, number int NOT NULL, created_at timestamptz, pad text);
INSERT INTO tickets
SELECT i, 'pi_' || substr(md5('seed' || v), 1, 24), v %% 3 + 1, '2025-01-01'::timestamptz + i * interval '1 second' / %[2]d, repeat('x', 104)
FROM (SELECT i, CASE WHEN i %% (%[1]d / 1000) = 0 THEN i - 7 ELSE i END AS v FROM generate_series(1, %[1]d) AS i) AS r;
CREATE TABLE tenth AS SELECT * FROM tickets WHERE id <= %[1]d / 10;
CREATE TABLE nothing AS SELECT * FROM tickets LIMIT 0;
VACUUM (FREEZE) tickets; VACUUM (ANALYZE, FREEZE) tenth; VACUUM ANALYZE app; CHECKPOINT`

func newScanLab(b *testing.B, rows int) *scanLab {
	server := pgserver.Start(b, "shared_buffers=512MB", "max_wal_size=8GB", "wal_level=minimal", "max_wal_senders=0")
	l := &scanLab{b: b, rows: rows, url: server.Database(b), binary: os.Getenv("TWINROW")}
	if l.binary == "" {
		l.binary = filepath.Join(b.TempDir(), "twinrow")
		if out, err := exec.Command("go", "build", "-o", l.binary, ".").CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	for statement := range strings.SplitSeq(fmt.Sprintf(scanTable, rows, max(1, rows/1_000_000)), ";") {
		l.ask(statement)
	}
	l.dir = l.ask("SHOW data_directory")
	pid, err := os.ReadFile(filepath.Join(l.dir, "postmaster.pid"))
	if err != nil {
		b.Fatal(err)
	}
	l.postmaster, _ = strconv.Atoi(strings.SplitN(string(pid), "\n", 2)[0])
	return l
}

func (l *scanLab) ask(sql string) string {
	l.b.Helper()
	out, err := exec.Command(pgserver.Bin("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", l.url, "-c", sql).CombinedOutput()
	if err != nil {
		l.b.Fatalf("%v: %s\n%s", err, out, sql)
	}
	return strings.TrimSpace(string(out))
}

const repeated = "SELECT payment, number FROM tickets GROUP BY 1, 2 HAVING count(*) > 1"

const serial = "SET max_parallel_workers_per_gather = 0;"

func (l *scanLab) run() {
	l.runs, l.found = nil, nil
	l.sql("serial count(*) (C)", serial+"SELECT count(*) FROM tickets", false)
	l.sql("serial count(*) (C)", serial+"SELECT count(*) FROM tickets", false)
	l.runs = l.runs[1:] // the first one warmed the machine
	l.sql("GROUP BY, table just loaded", repeated, true)
	l.ask("ANALYZE tickets")
	l.sql("GROUP BY, defaults (G)", repeated, true)
	l.sql("GROUP BY in order of bytes", `SELECT payment COLLATE "C", number FROM tickets GROUP BY 1, 2 HAVING count(*) > 1`, true)
	l.sql("window with lag()", `SELECT DISTINCT payment, number FROM (SELECT payment, number, created_at,
		lag(created_at) OVER (PARTITION BY payment, number ORDER BY created_at) AS before FROM tickets) AS w WHERE before IS NOT NULL`, true)
	l.twinrow("--fast")
	l.twinrow()
	l.twinrow("--memory", "32MiB")
	l.ask("CREATE INDEX ON tickets (payment, number)")
	l.ask("VACUUM tickets")
	l.sql("GROUP BY by a btree", serial+repeated, true)
	l.twinrow("--fast")
	l.runs[len(l.runs)-1].way += " beside a btree"
	l.ask("DROP INDEX tickets_payment_number_idx")
	l.print()
	l.growth()
}

// growth scans the table, a tenth of it and an empty one three times each, in
// turns, and prints the middle one's time a row.
func (l *scanLab) growth() {
	took := map[string][]time.Duration{}
	for range 3 {
		for _, table := range []string{"tickets", "tenth", "nothing"} {
			start := time.Now()
			l.scan(table, "--fast")
			took[table] = append(took[table], time.Since(start))
		}
	}
	for _, runs := range took {
		slices.Sort(runs)
	}
	whole, tenth, fixed := took["tickets"][1], took["tenth"][1], took["nothing"][1]
	rows := l.rows / 10
	fmt.Printf("packed --fast: %d ns a row of %d rows, %d ns of %d: %+.0f %%; an empty table takes %d ms, without which it is %d and %d ns: %+.0f %%\n",
		int(tenth)/rows, rows, int(whole)/l.rows, l.rows, 100*(float64(whole)/10/float64(tenth)-1), fixed.Milliseconds(),
		int(tenth-fixed)/rows, int(whole-fixed)/l.rows, 100*(float64(whole-fixed)/10/float64(tenth-fixed)-1))
}

func (l *scanLab) sql(way, sql string, keys bool) {
	cmd := exec.Command(pgserver.Bin("psql"), "-XqAt", "-F", "|", "-d", l.url, "-c", sql)
	out := l.measure(way, cmd)
	if keys {
		l.same(way, strings.Split(strings.TrimSpace(out), "\n"))
	}
}

func (l *scanLab) twinrow(flags ...string) {
	way := strings.Join(append([]string{"twinrow"}, flags...), " ")
	cmd, dir := l.command("tickets", flags...)
	l.measure(way, cmd)
	if text, err := os.ReadFile(filepath.Join(dir, "case.json")); err == nil {
		if m := wayTaken.FindSubmatch(text); m != nil {
			l.runs[len(l.runs)-1].way = strings.Join(append([]string{"twinrow", string(m[1])}, flags...), " ")
		}
	}
	evidence, err := os.Open(filepath.Join(dir, "evidence.jsonl"))
	if err != nil {
		l.b.Fatal(err)
	}
	defer evidence.Close()
	var keys []string
	lines := bufio.NewScanner(evidence)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var group struct {
			Key struct{ Payment, Number string }
		}
		if json.Unmarshal(lines.Bytes(), &group) == nil && group.Key.Payment != "" {
			keys = append(keys, group.Key.Payment+"|"+group.Key.Number)
		}
	}
	l.same(way, keys)
}

// command is a scan of a table into a new case.
func (l *scanLab) command(table string, flags ...string) (cmd *exec.Cmd, dir string) {
	dir = filepath.Join(l.b.TempDir(), "case")
	return exec.Command(l.binary, append([]string{"scan", l.url, "--table", table, "--key", "payment,number", "--id", "id", "--time", "created_at", "--case", dir, "--quiet"}, flags...)...), dir
}

func (l *scanLab) scan(table string, flags ...string) {
	cmd, _ := l.command(table, flags...)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.b.Fatalf("%v\n%s", err, out)
	}
}

func (l *scanLab) same(way string, keys []string) {
	slices.Sort(keys)
	if l.found == nil {
		l.found = keys
	}
	if diff := cmp.Diff(l.found, keys); diff != "" || len(keys) != 1000 {
		l.b.Fatalf("%s found %d groups (-first +this):\n%.2000s", way, len(keys), diff)
	}
}

const appPages = `SELECT count(*) FROM pg_buffercache WHERE relfilenode = pg_relation_filenode('app')`

// measure runs a client with the application's pages in the server's memory.
func (l *scanLab) measure(way string, cmd *exec.Cmd) string {
	for range 3 {
		l.ask(serial + "SELECT count(*) FROM app")
	}
	before, _ := strconv.ParseFloat(l.ask(appPages), 64)
	spilled, cpu := l.spilled(), l.childrenCPU()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		l.b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	wire := make(chan int64)
	go func() { wire <- watchReads(ctx, cmd.Process.Pid) }()
	err := cmd.Wait()
	run := scanRun{way: way, wall: time.Since(start)}
	stop()
	if run.wire = <-wire; err != nil {
		l.b.Fatalf("%s: %v", way, err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	run.self, run.memory = cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), usage.Maxrss<<10
	time.Sleep(200 * time.Millisecond) // until the postmaster has seen its children go
	run.server, run.spilled = l.childrenCPU()-cpu, l.spilled()-spilled
	after, _ := strconv.ParseFloat(l.ask(appPages), 64)
	run.kept = 100 * after / before
	l.runs = append(l.runs, run)
	return out.String()
}

// watchReads follows what a process reads until it ends; nearly all of it is
// what the server sends.
func watchReads(ctx context.Context, pid int) int64 {
	var last int64
	for ctx.Err() == nil {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
		if m := rchar.FindSubmatch(text); err == nil && m != nil {
			last, _ = strconv.ParseInt(string(m[1]), 10, 64)
		}
		time.Sleep(3 * time.Millisecond)
	}
	return last
}

var wayTaken = regexp.MustCompile(`"way": *"([^"]*)"`)

var rchar = regexp.MustCompile(`rchar: (\d+)`)

func (l *scanLab) spilled() int64 {
	n, _ := strconv.ParseInt(l.ask("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()"), 10, 64)
	return n
}

// childrenCPU is what all sessions that have ended used, in ticks of 10 ms.
func (l *scanLab) childrenCPU() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.postmaster))
	if err != nil {
		l.b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[13])
	system, _ := strconv.Atoi(fields[14])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (l *scanLab) print() {
	c, loaded, g := l.runs[0], l.runs[1], l.runs[2]
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%d rows\twall\tin C\tG is\tloaded G is\tserver CPU\tin C\tclient CPU\tclient memory\ta row\twire a row\tspilled\tapp pages kept\t\n", l.rows)
	for _, r := range l.runs {
		fmt.Fprintf(w, "%s\t%.2f s\t%.1f\t%.1f×\t%.1f×\t%.2f s\t%.1f\t%.2f s\t%.0f MB\t%.1f B\t%.1f B\t%.0f MB\t%.0f %%\t\n", r.way, r.wall.Seconds(),
			r.wall.Seconds()/c.wall.Seconds(), g.wall.Seconds()/r.wall.Seconds(), loaded.wall.Seconds()/r.wall.Seconds(), r.server.Seconds(), r.server.Seconds()/c.wall.Seconds(), r.self.Seconds(),
			float64(r.memory)/1e6, float64(r.memory)/float64(l.rows), float64(r.wire)/float64(l.rows), float64(r.spilled)/1e6, r.kept)
	}
	if err := w.Flush(); err != nil {
		l.b.Fatal(err)
	}
	fmt.Println("every way found the same 1,000 groups; memory counts the program itself, about 30 MB; loaded G is the GROUP BY of the table just loaded")
}
