package classify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// differPaths says in which places JSON values differ. It returns nothing
// where a value is no JSON or the places are too many to name.
func differPaths(column string, values []source.Value) []casefile.Difference {
	rows := make([]map[string]string, len(values))
	var paths []string
	seen := map[string]bool{}
	for i, v := range values {
		leaves, ok := leavesOf(v)
		if !ok {
			return nil
		}
		rows[i] = leaves
		for path := range leaves {
			if !seen[path] {
				seen[path] = true
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	var out []casefile.Difference
	for _, path := range paths {
		at := make([]variant, len(rows))
		differs := false
		for i, leaves := range rows {
			text, there := leaves[path]
			at[i] = variant{text: text, missing: !there}
			differs = differs || at[i] != at[0]
		}
		if !differs {
			continue
		}
		if len(out) == mostPaths {
			return nil
		}
		kind := kindOf("", texts(at))
		if kind == "time" || kind == "json" {
			kind = "text" // a JSON string is a string
		}
		out = append(out, difference(column, path, kind, at))
	}
	return out
}

func texts(variants []variant) []source.Value {
	out := make([]source.Value, len(variants))
	for i, v := range variants {
		out[i] = source.Value{Text: v.text, Null: v.missing}
	}
	return out
}

// leavesOf maps the path of every scalar and every empty object and list to
// its JSON text. A NULL row has none.
func leavesOf(v source.Value) (map[string]string, bool) {
	leaves := map[string]string{}
	if v.Null {
		return leaves, true
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(v.Text)))
	decoder.UseNumber()
	var whole any
	if err := decoder.Decode(&whole); err != nil || decoder.More() {
		return nil, false
	}
	const mostLeaves = 5000
	return leaves, walk(leaves, "$", whole) && len(leaves) <= mostLeaves
}

func walk(leaves map[string]string, path string, value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if !walk(leaves, path+"."+memberName(name), member) {
				return false
			}
		}
		if len(v) > 0 {
			return true
		}
	case []any:
		for i, item := range v {
			if !walk(leaves, path+"["+strconv.Itoa(i)+"]", item) {
				return false
			}
		}
		if len(v) > 0 {
			return true
		}
	}
	text, err := json.Marshal(value)
	leaves[path] = string(text)
	return err == nil
}

// memberName is one member's name in a path: quoted where it is not a plain word.
func memberName(name string) string {
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return fmt.Sprintf("%q", name)
		}
	}
	return name
}
