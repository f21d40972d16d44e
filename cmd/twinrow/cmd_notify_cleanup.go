package main

import (
	"encoding/json"
	"errors"

	"twinrow/detect/key"
	"twinrow/remediate/journal"
)

// cleanup is what the journal says of the groups of a case, by number.
type cleanup struct {
	// removed are those whose surplus rows are gone now.
	removed map[int]bool
	// drifted are those that the last run left alone.
	drifted map[int]bool
}

// readCleanup reads the journal of a case; without one nothing was done.
func readCleanup(dir string) (*cleanup, error) {
	records, err := journal.Read(dir)
	if _, damaged := errors.AsType[*journal.DamagedError](err); damaged {
		return nil, &key.Problem{Code: key.CodeTampered, Message: "the journal was changed by hand, so nobody knows which rows are removed", Hint: "restore journal.jsonl from a copy", Err: err}
	} else if err != nil {
		return nil, err
	}
	c := &cleanup{removed: map[int]bool{}, drifted: map[int]bool{}}
	// byEntry holds what was removed for one entry of the plan.
	byEntry := map[string][]int{}
	for _, record := range records {
		var data struct {
			Entry           string
			Groups, Drifted []int
		}
		_ = json.Unmarshal(record.Data, &data) // other events have other data
		switch record.Event {
		case "committed":
			byEntry[data.Entry] = append(byEntry[data.Entry], data.Groups...)
			c.mark(data.Groups, data.Drifted)
		case "undo-committed":
			c.restore(byEntry[data.Entry])
			delete(byEntry, data.Entry)
		case "undone":
			c.removed, c.drifted = map[int]bool{}, map[int]bool{}
			clear(byEntry)
		}
	}
	return c, nil
}

func (c *cleanup) mark(removed, drifted []int) {
	for _, g := range removed {
		c.removed[g] = true
		delete(c.drifted, g)
	}
	for _, g := range drifted {
		c.drifted[g] = !c.removed[g]
	}
}

func (c *cleanup) restore(groups []int) {
	for _, g := range groups {
		delete(c.removed, g)
	}
}
