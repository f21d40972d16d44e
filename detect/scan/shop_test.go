package scan

import (
	"testing"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// makeShop makes a SQLite file with two double tickets.
func makeShop(t *testing.T, path string) {
	t.Helper()
	conn, err := zombiezen.OpenConn(path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = sqlitex.ExecuteScript(conn, `
		CREATE TABLE tickets (id INTEGER PRIMARY KEY, k TEXT, amount TEXT, used_at TEXT, at TEXT);
		CREATE TABLE scans (ticket REFERENCES tickets);
		INSERT INTO tickets VALUES (1, 'a', '5.25', NULL, '2025-12-24T03:20:37.914Z'), (2, 'a', '0.10', NULL, '2025-12-24T03:20:37.993Z'),
			(3, 'b', '1', NULL, '2025-12-25 04:00:00'), (4, 'b', '.2', '2025-12-26 04:00:00', '2025-12-25 05:00:00');
		INSERT INTO scans VALUES (2), (1);`, nil)
	if err != nil {
		t.Fatal(err)
	}
}
