package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/queries"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	url, schema := pgserver.Database(t), 0
	sourcetest.Run(t, sourcetest.Adapter{
		Engine:      "postgres",
		ImagePrefix: "sha256:",
		Open: func(t *testing.T, data sourcetest.Dataset) (source.Source, string) {
			schema++
			data.Table = fmt.Sprintf("s%d.%s", schema, data.Table)
			run(t, url, fmt.Sprintf("CREATE SCHEMA s%d;", schema)+createTable(data)+insertRows(data, data.Rows))
			s, err := Open(context.Background(), url, Options{})
			if err != nil {
				t.Fatal(err)
			}
			return s, data.Table
		},
		Append: func(t *testing.T, data sourcetest.Dataset, rows [][]*string) {
			data.Table = fmt.Sprintf("s%d.%s", schema, data.Table)
			run(t, url, insertRows(data, rows))
		},
	})
}

func createTable(data sourcetest.Dataset) string {
	types := map[sourcetest.Kind]string{sourcetest.Integer: "bigint", sourcetest.Text: "text", sourcetest.Time: "timestamptz"}
	var columns []string
	for _, c := range data.Columns {
		columns = append(columns, queries.Ident(c.Name)+" "+types[c.Kind])
	}
	return "CREATE TABLE " + data.Table + " (" + strings.Join(columns, ", ") + ", PRIMARY KEY (" + queries.Idents(data.PrimaryKey) + "));"
}

// insertRows writes the rows as INSERT statements of a thousand rows each.
func insertRows(data sourcetest.Dataset, rows [][]*string) string {
	var b strings.Builder
	for i, row := range rows {
		if i%1000 == 0 {
			b.WriteString("; INSERT INTO " + data.Table + " VALUES (")
		} else {
			b.WriteString(", (")
		}
		for j, v := range row {
			if j > 0 {
				b.WriteByte(',')
			}
			if v == nil {
				b.WriteString("NULL")
			} else {
				b.WriteString(queries.Literal(*v))
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}
