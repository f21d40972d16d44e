package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/source"
)

// inspected is an entry resolved against the catalogue.
type inspected struct {
	// name tells it apart in the case.
	name      string
	table     *source.Table
	schedules []classify.Schedule
}

// inspect resolves all entries and names them.
func inspect(ctx context.Context, src source.Source, entries []Entry) ([]inspected, error) {
	all := make([]inspected, len(entries))
	times := map[string]int{}
	for i, entry := range entries {
		if len(entries) > 1 {
			entry.Request.Name = "" // it may turn out to be the entry's own
		}
		table, err := resolve(ctx, src, entry)
		if err != nil {
			return nil, err
		}
		all[i] = inspected{name: entry.Name, table: table, schedules: entry.Schedules}
		times[table.Name]++
	}
	for i, entry := range entries {
		in := &all[i]
		if len(entries) > 1 && entry.Request.Name != "" {
			_, err := key.ResolveColumn("column", entry.Request.Name, in.table.ColumnNames())
			if err != nil && in.name == "" && times[in.table.Name] > 1 {
				in.name, entry.Request.Name = entry.Request.Name, ""
			} else if in.table, err = resolve(ctx, src, entry); err != nil {
				return nil, err
			}
		}
		if err := in.settleName(entry, all[:i]); err != nil {
			return nil, err
		}
		guessCustomers(entry.Request, in.table)
	}
	return all, nil
}

func resolve(ctx context.Context, src source.Source, entry Entry) (*source.Table, error) {
	if entry.Request.Email == noColumn {
		entry.Request.Email = ""
	}
	table, err := src.Inspect(ctx, entry.Request)
	return table, entry.at(err)
}

// at says of a problem which entry it is of.
func (e Entry) at(err error) error {
	problem, ok := errors.AsType[*key.Problem](err)
	if !ok || e.Place == "" {
		return err
	}
	placed := *problem
	placed.Message = e.Place + ": " + problem.Message
	return &placed
}

// settleName names the entry by its table, numbered where that is taken.
func (in *inspected) settleName(entry Entry, before []inspected) error {
	taken := func(name string) bool {
		return slices.ContainsFunc(before, func(other inspected) bool { return other.name == name })
	}
	if in.name != "" && taken(in.name) {
		return entry.at(&key.Problem{Code: key.CodeUsage, Message: "another entry is called " + in.name, Hint: "give each entry a `name:` of its own"})
	}
	for n := 1; in.name == "" || taken(in.name); n++ {
		in.name = in.table.Name
		if n > 1 {
			in.name = fmt.Sprintf("%s-%d", in.table.Name, n)
		}
	}
	return nil
}
