//go:build fulldisk

package apply

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// tinyDisk mounts a file system in memory, which takes root; grow gives it room.
func tinyDisk(t *testing.T, size string) (dir string, grow func()) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "twinrow-disk-")
	if err != nil {
		t.Fatal(err)
	}
	mount := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
			t.Fatalf("mounting: %v: %s", err, out)
		}
	}
	mount("-t", "tmpfs", "-o", "size="+size, "tmpfs", dir)
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmounting: %v: %s", err, out)
		}
		_ = os.Remove(dir)
	})
	return dir, func() { t.Helper(); mount("-o", "remount,size=128m", dir) }
}

// fatRows has n surplus rows of a kilobyte that does not compress.
func fatRows(n int) string {
	return fmt.Sprintf(`CREATE TABLE t (id int PRIMARY KEY, k int, fat text) ;
INSERT INTO t SELECT g, g %% %[1]d, (SELECT string_agg(md5(g %% %[1]d || ' ' || i), '') FROM generate_series(1, 32) AS i) FROM generate_series(1, %[2]d) AS g;`, n, 2*n)
}

// TestFullDiskOfTheServer: the quarantine does not fit. What was committed
// stays, the rest goes on once there is room, and all of it comes back.
func TestFullDiskOfTheServer(t *testing.T) {
	for strategy, least := range map[string]int{plan.Atomic: 0, plan.Online: 1} {
		t.Run(strategy, func(t *testing.T) {
			disk, grow := tinyDisk(t, "3m")
			owner, err := os.Stat(filepath.Dir(dataOf(t)))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(disk, int(owner.Sys().(*syscall.Stat_t).Uid), -1); err != nil {
				t.Fatal(err)
			}
			url := pgserver.Database(t)
			psql(t, url, fatRows(4000))
			psql(t, url, "CREATE TABLESPACE tiny_"+strategy+" LOCATION '"+disk+"'")
			psql(t, url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_tablespace = tiny_"+strategy+"', current_database()); END $$")
			s := planned(t, "postgres", url, scannedCase(t, "postgres", url, source.Request{Table: "t", Key: []string{"k"}}), plan.Options{Strategy: strategy})
			t.Cleanup(func() {
				psql(t, url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_tablespace', current_database()); END $$")
			})
			before := s.dump()
			result, err := s.try(Options{Batch: 200})
			wantCode(t, err, plan.CodeDisk, "No space left on device")
			done := 0
			if result != nil && len(result.Tables) > 0 {
				done = result.Tables[0].Rows
			}
			if done < least || done >= 4000 {
				t.Errorf("%d rows were removed before the disk was full", done)
			}
			if out, err := s.client("SELECT count(*) FROM t"); err != nil || out != fmt.Sprintln(8000-done) {
				t.Errorf("%d rows are said to be gone, and there are %s, %v", done, out, err)
			}
			grow()
			s.apply()
			wantOK(t, s.verify())
			s.undo()
			psql(t, url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_tablespace', current_database()); END $$")
			if now := s.dump(); now != before {
				t.Error("the undo is not exact")
			}
		})
	}
}

// dataOf is the data directory of the tests' server.
func dataOf(t *testing.T) string {
	t.Helper()
	out, err := tryPsql(pgserver.Database(t), "SHOW data_directory")
	if err != nil {
		t.Fatal(out)
	}
	return string(bytes.TrimSpace([]byte(out))) + "/base"
}

// TestFullDiskOfTheCase: the journal cannot be written, from the first record
// on or from one in the middle.
func TestFullDiskOfTheCase(t *testing.T) {
	for _, engine := range []string{"postgres", "postgres online", "sqlite"} {
		for _, pages := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, %d pages left", engine, pages), func(t *testing.T) {
				strategy, where := plan.Atomic, ""
				switch engine {
				case "sqlite":
					where = sqliteFile(t, "CREATE TABLE t (id INTEGER PRIMARY KEY, k INT); WITH RECURSIVE g(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM g WHERE n < 400) INSERT INTO t SELECT n, n % 200 FROM g;")
				default:
					where = pgserver.Database(t)
					psql(t, where, "CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t SELECT g, g % 200 FROM generate_series(1, 400) AS g;")
					if engine != "postgres" {
						strategy = plan.Online
					}
				}
				kind := "postgres"
				if engine == "sqlite" {
					kind = engine
				}
				disk, grow := tinyDisk(t, "8m")
				s := planned(t, kind, where, scannedCase(t, kind, where, source.Request{Table: "t", Key: []string{"k"}}), plan.Options{Strategy: strategy})
				moved := filepath.Join(disk, "case")
				if err := os.CopyFS(moved, os.DirFS(s.opened.Dir)); err != nil {
					t.Fatal(err)
				}
				s.opened.Dir = moved
				before := s.dump()
				fill(t, disk, pages)
				_, err := s.try(Options{Batch: 5})
				if pages > 0 && strategy == plan.Atomic {
					if err != nil { // three records fit on a page
						t.Fatal(full(err))
					}
				} else {
					wantCode(t, err, plan.CodeDisk, "the journal of the case cannot be used")
					if pages == 0 {
						if diff := cmp.Diff(before, s.dump()); diff != "" {
							t.Errorf("something was changed: %s", diff)
						}
					}
				}
				grow()
				s.apply()
				wantOK(t, s.verify())
				s.undo()
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// fill leaves so many pages of a disk.
func fill(t *testing.T, disk string, pages int) {
	t.Helper()
	const page = 4096
	file, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var n int64
	for err == nil {
		_, err = file.Write(make([]byte, page))
		n++
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := file.Truncate((n - 1 - int64(pages)) * page); err != nil {
		t.Fatal(err)
	}
}
