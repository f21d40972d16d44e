package html

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/templates"
)

// placed are the values that stand at a place of a column's JSON, row by row.
// ok is false where they are not to be had, as in masked rows, or are not
// those that the evidence names: then the evidence alone is shown.
func placed(rows []report.Row, d *casefile.Difference) (cells []templates.PageValue, ok bool) {
	for _, r := range rows {
		text, there, ok := place(r.Values, d.Column, d.Path)
		if !ok {
			return nil, false
		}
		named := slices.ContainsFunc(d.Values, func(v casefile.Variant) bool {
			return v.Missing == !there && (!there || v.Value != nil && *v.Value == text)
		})
		if !named && d.MoreValues == 0 {
			return nil, false
		}
		cell := value(&text)
		if !there {
			cell = templates.PageValue{Text: missing, Null: true}
		}
		cells = append(cells, cell)
	}
	return cells, true
}

// missing is what is shown where a row's JSON has no such member.
const missing = "not there"

// place is the JSON text at a path such as $.items[0]."unit price" of a
// column; there is false where the JSON has no such place, and ok where the
// value is no JSON or the path is none.
func place(row casefile.Fields, column, path string) (text string, there, ok bool) {
	raw, found := row.Get(column)
	if !found {
		return "", false, true // NULL has no places
	}
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	var node any
	if err := decoder.Decode(&node); err != nil {
		return "", false, false
	}
	rest, isPath := strings.CutPrefix(path, "$")
	for rest != "" {
		var step string
		if step, rest, ok = cutStep(rest); !ok || !isPath {
			return "", false, false
		}
		if node, there = descend(node, step); !there {
			return "", false, true
		}
	}
	out, err := json.Marshal(node)
	return string(out), true, err == nil
}

// cutStep takes the first step off a path: ".name", `."any name"` or "[3]".
func cutStep(path string) (step, rest string, ok bool) {
	if strings.HasPrefix(path, "[") {
		before, after, ok := strings.Cut(path, "]")
		if !ok {
			return "", "", false
		}
		return before, after, true
	}
	name, found := strings.CutPrefix(path, ".")
	if !found || name == "" {
		return "", "", false
	}
	if quoted, err := strconv.QuotedPrefix(name); err == nil {
		text, err := strconv.Unquote(quoted)
		return "." + text, name[len(quoted):], err == nil
	}
	if end := strings.IndexAny(name, ".["); end >= 0 {
		return path[:end+1], name[end:], true
	}
	return path, "", true
}

// descend follows one step; a step into what is no list and no object leads nowhere.
func descend(node any, step string) (any, bool) {
	switch v := node.(type) {
	case map[string]any:
		next, there := v[strings.TrimPrefix(step, ".")]
		return next, there && strings.HasPrefix(step, ".")
	case []any:
		at, err := strconv.Atoi(strings.TrimPrefix(step, "["))
		if err != nil || at < 0 || at >= len(v) {
			return nil, false
		}
		return v[at], true
	}
	return nil, false
}
