package apply

import (
	"context"
	"fmt"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// effects are what the transaction did so far, by table.
type effects map[string]plan.Effect

// add counts more for a table.
func (e effects) add(table string, more plan.Effect) {
	sum := e[table]
	e[table] = plan.Effect{Inserted: sum.Inserted + more.Inserted, Updated: sum.Updated + more.Updated, Deleted: sum.Deleted + more.Deleted}
}

// differs is the Problem of an effect that was not foretold.
func differs(what, hint string) error {
	return &plan.Problem{Code: plan.CodeStopped, Message: what + "; everything was rolled back and nothing was changed", Hint: hint}
}

// changer runs statements inside the transaction of a session, of either engine.
type changer interface {
	exec(ctx context.Context, doing, sql string, args ...any) error
	// count returns how many rows the statement changed itself.
	count(ctx context.Context, doing, sql string, args ...any) (int, error)
	number(ctx context.Context, doing, sql string, args ...any) (int, error)
}

// execAll runs statements one after another.
func execAll(ctx context.Context, c changer, doing string, statements []string) error {
	for _, sql := range statements {
		if err := c.exec(ctx, doing, sql); err != nil {
			return err
		}
	}
	return nil
}

// carryOut makes changes beside the delete, each of exactly as many rows as it
// must change, and adds up what they are to do. keptIn is the table in which
// the server counts what is kept of them, "" where nobody counts.
func carryOut(ctx context.Context, c changer, keptIn string, foretold effects, steps ...dialect.Step) error {
	for _, step := range steps {
		want, err := oneStep(ctx, c, step)
		if err != nil {
			return err
		}
		e := plan.Effect{Updated: int64(want)}
		if step.Deletes {
			e = plan.Effect{Deleted: int64(want)}
		}
		foretold.add(step.Table, e)
		if keptIn != "" {
			foretold.add(keptIn, plan.Effect{Inserted: int64(want)})
		}
	}
	return nil
}

func oneStep(ctx context.Context, c changer, step dialect.Step) (want int, err error) {
	if err := execAll(ctx, c, step.Doing, step.Prepare); err != nil {
		return 0, err
	}
	if want, err = c.number(ctx, step.Doing, step.Want); err != nil {
		return 0, err
	}
	got, err := c.count(ctx, step.Doing, step.SQL)
	if err != nil {
		return 0, err
	}
	hint := "a trigger or rule of " + step.Table + " keeps rows from being changed; look at it, then plan again"
	if got != want {
		return 0, differs(fmt.Sprintf("%s was to change %s, and changed %d", step.Doing, plan.Count(want, "row"), got), hint)
	}
	if err := execAll(ctx, c, step.Doing, step.Keep); err != nil || step.Sure == "" {
		return want, err
	}
	sure, err := c.number(ctx, step.Doing, "SELECT "+step.Sure)
	if err == nil && sure == 0 {
		err = differs(step.Doing+" did not come out as it was to", hint)
	}
	return want, err
}

// referredRow is what refers to the rows of one group that go.
type referredRow struct {
	id string
	plan.GroupReference
}

// looker also reads what refers to the rows of the work.
type looker interface {
	changer
	// referrers counts, by group, as Referred.Counts has it.
	referrers(ctx context.Context, counts string) (map[int]referredRow, error)
	// loadedGroups are the groups in the work.
	loadedGroups(ctx context.Context) (map[int]bool, error)
}

// lookReferred lists the loaded groups to which other rows refer otherwise
// than was foretold.
func lookReferred(ctx context.Context, l looker, w *plan.Work, references []dialect.Referred) ([]Drift, error) {
	if len(w.Set) > 0 {
		return nil, nil
	}
	loaded, err := l.loadedGroups(ctx)
	if err != nil {
		return nil, err
	}
	var drifted []Drift
	for _, r := range references {
		if err := execAll(ctx, l, "looking at what refers to the rows", r.Prepare); err != nil {
			return nil, err
		}
		found, err := l.referrers(ctx, r.Counts)
		if err != nil {
			return nil, err
		}
		drifted = append(drifted, referredOtherwise(w, r.Number, found, loaded)...)
	}
	return drifted, nil
}

// referredOtherwise compares one reference with what was foretold of it.
func referredOtherwise(w *plan.Work, number int, found map[int]referredRow, loaded map[int]bool) []Drift {
	var drifted []Drift
	for _, g := range w.Groups {
		if !loaded[g.Number] {
			continue
		}
		want := plan.GroupReference{Number: number}
		for _, c := range g.References {
			if c.Number == number {
				want = c
			}
		}
		got, there := found[g.Number]
		got.Number = number
		if got.GroupReference == want {
			continue
		}
		if !there {
			got.id = dialect.IDJSON(g.Remove[0].ID)
		}
		drifted = append(drifted, Drift{Group: g.Number, Row: got.id, State: stateReferred})
	}
	return drifted
}

// stateReferred is the state of a row to which others refer otherwise than the
// evidence has it.
const stateReferred = "referred to differently"

// cameBack judges how a step was taken back: want rows were to come back, got
// did, and lost of these are not as they were. keptIn names where they are kept.
func cameBack(table string, want, got, lost int, keptIn string) error {
	if got != want {
		return &plan.Problem{Code: plan.CodeDrift, Message: fmt.Sprintf("%d of %s of %s cannot be put back, because they were changed or removed since; everything was rolled back and nothing was changed", want-got, plan.Count(want, "changed row"), table), Hint: "compare the table with what stands in " + keptIn}
	}
	if lost > 0 {
		return differs(fmt.Sprintf("%s of %s did not come back as they were", plan.Count(lost, "row"), table), "a trigger of that table changes them, and only its owner can keep it from that: run the undo as the owner, or drop it for the undo")
	}
	return nil
}
