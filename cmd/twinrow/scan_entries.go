package main

import (
	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile/config"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/scan"
	"twinrow/detect/source"
)

// entryFlags say what an entry of twinrow.yaml says, and so conflict with --config.
var entryFlags = []string{"table", "key", "where", "nulls", "time", "id", "email", "name", "amount", "ignore", "provider"}

// whatToScan fills in the entries: those of --config, or the one of the flags.
// named is the SOURCE on the command line, which goes before that of the file.
func (p *program) whatToScan(c *cli.Context, o *scanOptions, named string) (err error) {
	if o.schedules, err = classify.ChooseSchedules(c.String("provider"), c.String("schedules")); err != nil {
		return err
	}
	if !c.IsSet("config") {
		request, err := scanRequest(c)
		o.entries = []scan.Entry{{Request: request}}
		return err
	}
	for _, flag := range entryFlags {
		if c.IsSet(flag) {
			return &key.Problem{Code: key.CodeUsage, Message: "--" + flag + " is given beside --config", Hint: "say it in the file, as `" + flag + ":` of an entry, or leave --config out"}
		}
	}
	if o.config, err = config.Read(c.String("config"), p.getenv); err != nil {
		return err
	}
	if named == "" {
		if o.configSource, err = o.config.Source(); err != nil {
			return err
		}
	}
	for i := range o.config.Tables {
		entry, err := configEntry(&o.config.Tables[i], c.String("schedules"))
		if err != nil {
			return err
		}
		o.entries = append(o.entries, entry)
	}
	return nil
}

// configEntry is an entry of twinrow.yaml as the engine takes it; schedules is
// the file of a person's own, "" for none.
func configEntry(t *config.Table, schedules string) (scan.Entry, error) {
	entry := scan.Entry{Place: t.At, Request: source.Request{
		Table: t.Table, Key: t.Key, NullsEqual: t.NullsEqual, Where: t.Where, ID: t.ID,
		Time: t.Time, Email: t.Email, Name: t.Name, Amount: t.Amount, Ignore: t.Ignore, References: declared(t.References),
	}}
	if t.Provider == "" {
		return entry, nil
	}
	var err error
	entry.Schedules, err = classify.ChooseSchedules(t.Provider, schedules)
	return entry, err
}

func scanRequest(c *cli.Context) (source.Request, error) {
	r := source.Request{
		Table: c.String("table"), Where: c.String("where"),
		Time: c.String("time"), Email: c.String("email"), Name: c.String("name"), Amount: c.String("amount"),
	}
	for flag, to := range map[string]*[]string{"key": &r.Key, "id": &r.ID, "ignore": &r.Ignore} {
		items, err := list(c, flag)
		if err != nil {
			return r, err
		}
		*to = items
	}
	if len(r.Key) == 0 {
		return r, &key.Problem{Code: key.CodeUsage, Message: "no key given", Hint: "name the columns that must be unique together, as in --key payment_intent_id,ticket_number"}
	}
	switch c.String("nulls") {
	case "distinct":
	case "not-distinct":
		r.NullsEqual = true
	default:
		return r, oneOf("--nulls", c.String("nulls"), []string{"distinct", "not-distinct"})
	}
	return r, nil
}
