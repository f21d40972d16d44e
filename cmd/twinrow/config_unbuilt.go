package main

import (
	"slices"

	"twinrow/detect/casefile/config"
	"twinrow/detect/key"
	"twinrow/remediate/survivor"
)

// unbuilt are the settings of twinrow.yaml that a plan cannot follow yet. A
// plan that silently did something else than the file says would be worse than
// none, so each is refused by name; whoever makes a plan follow one takes its
// line out of here, and the last one takes the file out.
var unbuilt = []struct {
	setting string
	given   func(*config.Table) bool
}{
	{"keep", func(t *config.Table) bool {
		return t.Keep.Order != nil || t.Keep.Rule != "" && !slices.Contains(survivor.Names, t.Keep.Rule)
	}},
	{"invariants", func(t *config.Table) bool { return t.Invariants != nil }},
}

func refuseUnbuilt(file *config.File) error {
	if file == nil {
		return nil
	}
	for i := range file.Tables {
		for _, u := range unbuilt {
			if t := &file.Tables[i]; u.given(t) {
				return &key.Problem{Code: key.CodeUnsupported, Message: t.At + ": this version plans nothing by `" + u.setting + ":` as it stands there",
					Hint: "take it out of the copy in the case, and plan by what is left"}
			}
		}
	}
	return nil
}
