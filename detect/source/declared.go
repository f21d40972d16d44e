package source

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/key"
)

// DeclaredKey resolves a declared reference as one of the IncomingKeys; name
// and names are what the catalogue has for the table that refers and its
// columns. known is true where the table's IncomingKeys have it already.
func DeclaredKey(t *Table, d Declared, name string, names []string) (k ForeignKey, known bool, err error) {
	k = ForeignKey{Table: name, References: t.ID, Where: d.Where, Array: d.Array, Deletes: d.Deletes}
	for _, c := range d.Columns {
		column, err := key.ResolveColumn("column of "+name, c, names)
		if err != nil {
			return k, false, err
		}
		k.Columns = append(k.Columns, column)
	}
	for i, other := range t.IncomingKeys {
		if d.Where == "" && !d.Array && other.Table == name && slices.Equal(other.Columns, k.Columns) {
			known, t.IncomingKeys[i].Deletes = true, d.Deletes || other.Deletes
		}
	}
	if !known && (len(k.Columns) != len(t.ID) || !slices.Contains(t.ColumnNames(), t.ID[0])) {
		return k, false, &key.Problem{
			Code:    key.CodeUsage,
			Message: fmt.Sprintf("the reference %s (%s) cannot be matched with the id of %s (%s)", name, strings.Join(k.Columns, ", "), t.Name, strings.Join(t.ID, ", ")),
			Hint:    "name as many columns as the id has, or set the entry's id",
		}
	}
	k.Name = name + "(" + strings.Join(k.Columns, ",") + ")"
	return k, known, nil
}
