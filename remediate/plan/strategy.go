package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// How a table is cleaned.
const (
	// Auto leaves the choice to the plan.
	Auto = "auto"
	// Atomic is one transaction: lock, clean, build the index.
	Atomic = "atomic"
	// Online keeps writers going: fence, batches, the index built
	// concurrently, unfence. Postgres only.
	Online = "online"
)

// Strategies are the names that Options.Strategy takes.
var Strategies = []string{Auto, Atomic, Online}

// longLock is the number of rows from which the lock of the atomic strategy
// is worth a consent of its own, and from which the plan chooses online by
// itself: below it, cleaning and building the index take a fraction of a second.
const longLock = 100_000

// choose settles how a table is cleaned, and why so.
func (t *Table) choose(engine string, table *CaseTable, asked string) error {
	large, tangled := table.ScannedRows >= longLock, t.tangled(table)
	switch {
	case asked == Online && engine != "postgres":
		return &Problem{Code: CodeUnsupported, Message: "the online strategy is for Postgres: " + engineName(engine) + " lets one writer in at a time, whatever is done", Hint: "plan with --strategy atomic, or leave the flag out"}
	case engine == "csv":
		t.Strategy, t.StrategyReason = Atomic, "a file has no database to clean: the survivors are decided, and nothing is done"
	case engine == "d1":
		t.Strategy, t.StrategyReason = Atomic, "D1 knows no transactions: every statement does nothing unless every check holds"
	case asked == Online && tangled != "":
		return &Problem{Code: CodeUnsupported, Message: tangled + ": what is foretold of one batch would not hold after another, and the online strategy works batch by batch",
			Hint: "plan with --strategy atomic, and apply it in a quiet hour: it is one transaction, for which writers of " + t.Table + " wait, and `apply --dry-run` takes as long as it will"}
	case asked == Online:
		t.Strategy, t.StrategyReason = Online, t.onlineReason("asked for")
	case engine == "postgres" && large && asked != Atomic && tangled != "":
		t.Strategy, t.StrategyReason = Atomic, "one transaction, because "+tangled
	case engine == "postgres" && large && asked != Atomic:
		t.Strategy, t.StrategyReason = Online, t.onlineReason(fmt.Sprintf("%d rows are too many to keep writers out of", table.ScannedRows))
	case engine == "postgres" && large:
		t.Strategy, t.StrategyReason = Atomic, fmt.Sprintf("asked for: one transaction, in which writers wait while %d rows are indexed", table.ScannedRows)
	default:
		t.Strategy, t.StrategyReason = Atomic, "one transaction: lock, clean, build the index"
	}
	return nil
}

// merges tells whether a rule gives survivors other values than they have.
func (t *Table) merges() bool {
	return slices.ContainsFunc(t.Merge, func(r ColumnRule) bool { return r.Rule != "keep" })
}

// tangled says why the groups can only be cleaned together, "" where they need
// not: what is done for one of them changes what was foretold of another.
func (t *Table) tangled(table *CaseTable) string {
	for i := range t.References {
		r := &t.References[i]
		switch {
		case r.Table == t.Table && t.Inward:
			return "rows of " + t.Table + " that go refer to others that go (" + r.Name + ")"
		case r.Table == t.Table && r.Rows > 0 && r.deletes() > 0:
			return "rows of " + t.Table + " itself that refer to rows that go are to be deleted (" + r.Name + ")"
		}
		for n := range t.References {
			other := &t.References[n]
			if n == i || other.Number >= len(table.IncomingKeys) {
				continue
			}
			if why := meets(r, other, table.IncomingKeys[other.Number].Child); why != "" {
				return "rows of " + r.Table + " refer to rows that go by " + r.Name + " and by " + other.Name + ", and after the first is done " + why
			}
		}
	}
	return ""
}

// onlineReason says what an online clean-up does. What refers to a row that
// goes is dealt with in the same transaction.
func (t *Table) onlineReason(why string) string {
	batches := "small batches"
	if slices.ContainsFunc(t.References, func(r Reference) bool { return r.Rows > 0 }) {
		batches = "small batches, in which rows that refer to those that go are dealt with too"
	}
	return why + ": a fence against new duplicates, " + batches + ", the index built concurrently"
}

func engineName(engine string) string {
	return map[string]string{"sqlite": "SQLite", "d1": "D1", "csv": "a file"}[engine]
}

// enclose puts the fence around an online clean-up that ends in an index:
// without one to come, a fence would only be in the way.
func (t *Table) enclose(caseID string) {
	if t.Strategy != Online || t.Operation(OpUniqueIndex) == nil {
		return
	}
	up := fence(OwnName("fence", caseID, t.Name))
	t.Operations = append(append([]Operation{up}, t.Operations...), unfence(up))
}

// OwnName names something that a clean-up puts beside a table for as long as
// it lasts: what says which, and case and entry make the name theirs alone. It
// is at most 34 bytes long.
func OwnName(what, caseID, entry string) string {
	sum := sha256.Sum256([]byte(entry))
	return "twinrow_" + what + "_" + caseID + "_" + hex.EncodeToString(sum[:3])
}
