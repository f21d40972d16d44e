package scan

import (
	"slices"
	"strings"

	"twinrow/detect/source"
)

// noColumn is how a request says that there is no column of addresses.
const noColumn = "none"

// guessCustomers fills in the columns of addresses and names where the user
// named none and the names of the table's columns leave no doubt: one column
// called email or …_email, and the name column that goes with it. What was
// taken stands in the case.
func guessCustomers(req source.Request, t *source.Table) {
	columns := t.ColumnNames()
	if req.Email == "" {
		t.Email = onlyAddress(columns)
	}
	if req.Name != "" || t.Email == "" {
		return
	}
	for _, suffix := range []string{"email", "mail"} {
		if prefix, ok := strings.CutSuffix(t.Email, suffix); ok && slices.Contains(columns, prefix+"name") {
			t.NameColumn = prefix + "name"
			return
		}
	}
}

func onlyAddress(columns []string) string {
	found := ""
	for _, c := range columns {
		lower := strings.ToLower(c)
		if lower != "email" && !strings.HasSuffix(lower, "_email") && lower != "email_address" {
			continue
		}
		if found != "" {
			return ""
		}
		found = c
	}
	return found
}
