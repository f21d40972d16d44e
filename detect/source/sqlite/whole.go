package sqlite

import (
	"fmt"
	"os"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
)

// whole refuses a file that was cut short, as a copy that broke off is. SQLite
// reads zeros for what is missing of the last page, and rows of zeros have
// NULL keys: a scan would find nothing and sound sure of it. With a log beside
// the file, its pages may be there.
func (s *Source) whole() error {
	stat, err := os.Stat(s.path)
	if err != nil || exists(s.path+"-wal") {
		return err
	}
	var pages, size int64
	for pragma, to := range map[string]*int64{"PRAGMA main.page_count": &pages, "PRAGMA main.page_size": &size} {
		if err := run(s.conn, pragma, func(stmt *sqlite.Stmt) error {
			*to = stmt.ColumnInt64(0)
			return nil
		}); err != nil {
			return err
		}
	}
	if stat.Size() >= pages*size && stat.Size()%size == 0 {
		return nil
	}
	return &key.Problem{
		Code:    key.CodeBadInput,
		Message: fmt.Sprintf("%s was cut short: it has %d bytes, and its %d pages take %d", s.path, stat.Size(), pages, pages*size),
		Hint:    "copy it again, with `sqlite3 FILE .dump` or its .backup where a program has it open",
	}
}
