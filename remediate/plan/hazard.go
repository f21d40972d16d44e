package plan

import (
	"fmt"
	"slices"
	"strings"
)

// Hazard names a danger of a plan that a person has to consent to.
type Hazard string

// The hazards.
const (
	DeletesRows   Hazard = "deletes-rows"   // rows leave the table; they are kept in quarantine
	DifferingRows Hazard = "differing-rows" // a row that goes holds values that its survivor does not have
	Cascades      Hazard = "cascades"       // foreign keys would delete or change rows of other tables
	FiresTriggers Hazard = "fires-triggers" // a table that changes has triggers or rules; a rehearsal tells what they add
	SelfReference Hazard = "self-reference" // a row would come to refer to itself
	Grandchildren Hazard = "grandchildren"  // rows that are deleted beside the planned ones may be referred to themselves
	ArrayRepeats  Hazard = "array-repeats"  // an array of ids would name one row more often than once
	ChangesRows   Hazard = "changes-rows"   // surplus rows stay and are changed
	EntriesMeet   Hazard = "entries-meet"   // two entries change the same rows of a third table
	TakesLock     Hazard = "takes-lock"     // writers to the table wait until the transaction ends
	BuildsIndex   Hazard = "builds-index"   // a unique index is built, and refuses duplicates from then on
)

// Hazards lists all hazards, in the order in which plans name them.
var Hazards = []Hazard{DeletesRows, DifferingRows, Cascades, SelfReference, Grandchildren, ArrayRepeats, ChangesRows, FiresTriggers, EntriesMeet, TakesLock, BuildsIndex}

var hazardMeanings = map[Hazard]string{
	DeletesRows:   "surplus rows are deleted after a copy went to quarantine",
	DifferingRows: "some of the deleted rows differ from the row that stays",
	Cascades:      "a foreign key cascades from the table",
	FiresTriggers: "triggers fire; apply rehearses them first, says how many rows they add and to which tables, and compares each transaction with that; an undo leaves those rows",
	SelfReference: "a survivor that refers to a row that goes would refer to itself",
	Grandchildren: "rows of other tables are deleted that may be referred to themselves; their group is left alone if they are",
	ArrayRepeats:  "arrays of ids would name one row more often than once; the repeats go or stay, as declared",
	ChangesRows:   "surplus rows stay and get new values",
	EntriesMeet:   "an entry may find rows otherwise than foretold after the one before it, and leaves such groups alone",
	TakesLock:     "writers to the table wait while the clean-up runs",
	BuildsIndex:   "a unique index is built, and duplicates are refused from then on",
}

// Means says in plain words what the hazard is.
func (h Hazard) Means() string { return hazardMeanings[h] }

// ParseHazards reads the names given to --allow, as separate items or joined
// by commas. An unknown name is a usage Problem.
func ParseHazards(names []string) ([]Hazard, error) {
	var hazards []Hazard
	for _, list := range names {
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				continue
			}
			if !slices.Contains(Hazards, Hazard(name)) {
				return nil, &Problem{Code: CodeUsage, Message: fmt.Sprintf("no hazard %q", name), Hint: "the hazards are: " + joinHazards(Hazards)}
			}
			hazards = append(hazards, Hazard(name))
		}
	}
	return hazards, nil
}

// Consent refuses unless every hazard of the plan is among those allowed. The
// hint of the refusal is the flag that allows them.
func (p *Plan) Consent(allowed []string) error {
	given, err := ParseHazards(allowed)
	if err != nil {
		return err
	}
	var missing []string
	for _, h := range p.Hazards {
		if !slices.Contains(given, h) {
			missing = append(missing, fmt.Sprintf("%s (%s)", h, h.Means()))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &Problem{
		Code:    CodeRefused,
		Message: "the plan has hazards that were not allowed: " + strings.Join(missing, ", "),
		Hint:    "read plan.json and the files under sql/, then run again with --allow " + joinHazards(p.Hazards),
	}
}

func joinHazards(hazards []Hazard) string {
	names := make([]string, len(hazards))
	for i, h := range hazards {
		names[i] = string(h)
	}
	return strings.Join(names, ",")
}

// union returns every hazard that is in one of the lists, once, in the order of Hazards.
func union(lists ...[]Hazard) []Hazard {
	all := []Hazard{}
	for _, h := range Hazards {
		if slices.ContainsFunc(lists, func(l []Hazard) bool { return slices.Contains(l, h) }) {
			all = append(all, h)
		}
	}
	return all
}
