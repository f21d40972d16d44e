package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// Lists tells which of the rows arrays of another table name together.
func (s *Source) Lists(ctx context.Context, t *source.Table, k source.ForeignKey, locators []uint64, visit func([]int, bool, int64) error) error {
	r, err := s.relation(t)
	if err != nil || len(locators) == 0 || r.book != nil { // what is found by id alone is not cleaned
		return err
	}
	var numbers, heaps []string
	for i, l := range locators {
		numbers, heaps = append(numbers, strconv.Itoa(i)), append(heaps, strconv.FormatUint(uint64(r.heapOf(l).oid), 10))
	}
	child := "(SELECT tableoid AS heap, ctid AS place, " + queries.Ident(k.Columns[0]) + " AS ids FROM " + k.Table
	if k.Where != "" {
		child += " WHERE (" + k.Where + "\n)"
	}
	sql := r.fill("evidence_lists", "table", r.name, "id", r.column(k.References[0]), "child", child+")")
	args := []string{"{" + strings.Join(numbers, ",") + "}", "{" + strings.Join(heaps, ",") + "}", r.places(locators)}
	err = s.main.attempt(ctx, func() error {
		return s.main.stream(ctx, 0, sql, args, func(f [][]byte) error {
			var named []int
			for place := range strings.SplitSeq(string(f[0]), ",") {
				named = append(named, int(number(place)))
			}
			return visit(named, string(f[1]) == "t", number(string(f[2])))
		})
	})
	return explain(ctx, "looking into the arrays of "+k.Table+" that refer to "+t.Name, err)
}

// arrayOf refuses a reference by an array whose column holds none.
func arrayOf(d source.Declared, table string, columns []source.Column) error {
	for _, c := range columns {
		if d.Array && len(d.Columns) == 1 && strings.EqualFold(c.Name, d.Columns[0]) && !strings.HasSuffix(c.Type, "[]") {
			return &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("%s (%s) is declared as an array of ids, and its type is %s", table, c.Name, c.Type), Hint: "take array: out of the reference, or name a column that is an array"}
		}
	}
	return nil
}
