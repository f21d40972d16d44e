package sqlite

import (
	"bytes"
	"math"
	"testing"

	"zombiezen.com/go/sqlite"
)

// FuzzEqualValuesHaveEqualPrints checks against SQLite itself that values it
// calls equal, under any of its collations, are written the same for the hash.
func FuzzEqualValuesHaveEqualPrints(f *testing.F) {
	for _, s := range []struct {
		kindA  uint8
		textA  string
		floatA float64
		intA   int64
		kindB  uint8
		textB  string
		floatB float64
		intB   int64
	}{
		{0, "", 0, 1, 1, "", 1, 0},
		{0, "", 0, math.MaxInt64, 1, "", math.MaxInt64, 0},
		{0, "", 0, math.MinInt64, 1, "", math.MinInt64, 0},
		{0, "", 0, 1<<53 + 1, 1, "", 1 << 53, 0},
		{1, "", 0, 0, 1, "", math.Copysign(0, -1), 0},
		{1, "", math.Inf(1), 0, 1, "", math.MaxFloat64, 0},
		{2, "Abc", 0, 0, 2, "aBC", 0, 0},
		{2, "abc  ", 0, 0, 2, "abc", 0, 0},
		{2, "a\x00b", 0, 0, 2, "A\x00c", 0, 0},
		{2, "a\x00b ", 0, 0, 2, "a\x00b", 0, 0},
		{2, "Ä", 0, 0, 2, "ä", 0, 0},
		{2, "a", 0, 0, 3, "a", 0, 0},
		{2, "1", 0, 0, 0, "", 0, 1},
		{3, "\xff\x00", 0, 0, 3, "\xff\x00", 0, 0},
		{4, "", 0, 0, 4, "", 0, 0},
	} {
		f.Add(s.kindA, s.textA, s.floatA, s.intA, s.kindB, s.textB, s.floatB, s.intB)
	}
	conn, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
	if err != nil {
		f.Fatal(err)
	}
	defer conn.Close()
	f.Fuzz(func(t *testing.T, kindA uint8, textA string, floatA float64, intA int64, kindB uint8, textB string, floatB float64, intB int64) {
		stmt, err := conn.Prepare("SELECT ?1, ?2, ?1 COLLATE BINARY IS ?2 OR ?1 COLLATE NOCASE IS ?2 OR ?1 COLLATE RTRIM IS ?2")
		if err != nil {
			t.Fatal(err)
		}
		bindKind(stmt, 1, kindA, textA, floatA, intA)
		bindKind(stmt, 2, kindB, textB, floatB, intB)
		err = each(stmt, func(stmt *sqlite.Stmt) error {
			a, nullA := appendKeyValue([]byte("x"), stmt, 0, false)
			b, nullB := appendKeyValue([]byte("x"), stmt, 1, false)
			if stmt.ColumnBool(2) && (nullA != nullB || !bytes.Equal(a, b)) {
				t.Errorf("SQLite calls %v and %v equal, but they are written %x and %x", stmt.ColumnText(0), stmt.ColumnText(1), a, b)
			}
			if nullA != (stmt.ColumnType(0) == sqlite.TypeNull) {
				t.Errorf("NULL is taken for a value, or the other way about")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func bindKind(stmt *sqlite.Stmt, param int, kind uint8, text string, number float64, integer int64) {
	switch kind % 5 {
	case 0:
		stmt.BindInt64(param, integer)
	case 1:
		stmt.BindFloat(param, number)
	case 2:
		stmt.BindText(param, text)
	case 3:
		stmt.BindBytes(param, []byte(text))
	case 4:
		stmt.BindNull(param)
	}
}

func TestPartsDoNotRunTogether(t *testing.T) {
	conn, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	seen := map[string]string{}
	err = run(conn, "SELECT * FROM (VALUES ('ab','c'),('a','bc'),('','abc'),('abc',''),(x'6162','c'),(x'','abc'),(1,'1'),('1',1),(1.5,'1'),(NULL,'abc'),('abc',NULL))",
		func(stmt *sqlite.Stmt) error {
			buf, _ := appendKeyValue(nil, stmt, 0, false)
			buf, _ = appendKeyValue(buf, stmt, 1, false)
			text := stmt.ColumnText(0) + "|" + stmt.ColumnText(1)
			if other, ok := seen[string(buf)]; ok {
				t.Errorf("%s and %s are written the same", text, other)
			}
			seen[string(buf)] = text
			return nil
		})
	if err != nil || len(seen) != 11 {
		t.Errorf("%d different keys, %v", len(seen), err)
	}
}
