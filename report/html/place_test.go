package html

import (
	"testing"

	"twinrow/detect/casefile"
)

func TestPlace(t *testing.T) {
	text := `{"a": {"b": [1, {"x y": "é\"<"}]}, "n": 1.50, "null": null, "": 3, "e": {}}`
	row := casefile.Fields{{Name: "meta", Value: &text}, {Name: "none"}}
	for _, c := range []struct {
		column, path, want string
		there, ok          bool
	}{
		{"meta", `$.a.b[0]`, "1", true, true},
		{"meta", `$.a.b[1]."x y"`, "\"é\\\"\\u003c\"", true, true},
		{"meta", `$.n`, "1.50", true, true},
		{"meta", `$.null`, "null", true, true},
		{"meta", `$.""`, "3", true, true},
		{"meta", `$.e`, "{}", true, true},
		{"meta", `$.a.c`, "", false, true},
		{"meta", `$.a.b[7]`, "", false, true},
		{"meta", `$.n.x`, "", false, true},
		{"none", `$.a`, "", false, true},
		{"meta", `$x`, "", false, false},
		{"meta", `$.a[`, "", false, false},
		{"meta", `a`, "", false, false},
	} {
		got, there, ok := place(row, c.column, c.path)
		if ok != c.ok || there != c.there || there && got != c.want {
			t.Errorf("%s %s is %q, %v, %v", c.column, c.path, got, there, ok)
		}
	}
}

func FuzzPlace(f *testing.F) {
	f.Add(`{"a":[1,{"b c":null}]}`, `$.a[1]."b c"`)
	f.Add(`[]`, `$[0]`)
	f.Add(`"x"`, `$."\q`)
	f.Fuzz(func(t *testing.T, text, path string) {
		got, there, ok := place(casefile.Fields{{Name: "c", Value: &text}}, "c", path)
		if got != "" && (!there || !ok) && ok {
			t.Errorf("%q at %q is %q though it is not there", text, path, got)
		}
	})
}
