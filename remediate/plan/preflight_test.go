package plan

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"

	"twinrow/detect/casefile"
)

func TestForeseenFromTheCatalogue(t *testing.T) {
	for name, c := range map[string]struct {
		facts    casefile.Facts
		strategy string
		code     string // "" where it is a note
		want     string
	}{
		"partitioned":          {casefile.Facts{PartitionKey: []string{"k", "day"}}, Atomic, CodeUnsupported, "public.tickets is partitioned by day, which the key (k) does not hold"},
		"published":            {casefile.Facts{RefusesDelete: []string{"all"}}, Atomic, CodeUnsupported, "public.tickets is published (all) without a replica identity"},
		"row security":         {casefile.Facts{RowSecurity: "on"}, Atomic, "", "row security is on: apply as its owner"},
		"forced":               {casefile.Facts{RowSecurity: "forced"}, Atomic, "", "apply as a superuser"},
		"inert, its name":      {casefile.Facts{Inert: []string{"tickets_k_key"}, Names: []string{"tickets_k_key"}}, Atomic, CodeExists, "tickets_k_key is there, is INVALID and refuses nothing"},
		"enforcing, its name":  {casefile.Facts{Enforcing: []string{"tickets_k_key"}, Names: []string{"tickets_k_key"}}, Online, "", "tickets_k_key is there, is INVALID and refuses writes all the same: it is dropped and built anew"},
		"inert, another name":  {casefile.Facts{Inert: []string{"mine"}}, Atomic, "", "the unique index mine is INVALID and refuses nothing; if it was meant for this key, drop it: DROP INDEX CONCURRENTLY mine"},
		"named alike":          {casefile.Facts{Names: []string{"tickets_k_key"}}, Atomic, CodeExists, "the name tickets_k_key is taken"},
		"named otherwise":      {casefile.Facts{Names: []string{"tickets_other_key"}}, Atomic, "", ""},
		"in the partition key": {casefile.Facts{PartitionKey: []string{"k"}}, Atomic, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			opened := tickets(t, func(c2 *casefile.Case) { c2.Tables[0].Facts = &c.facts })
			o := options
			o.Differing, o.Strategy = KeepSurvivor, c.strategy
			p, err := Make(opened, o)
			if c.code != "" {
				wantCode(t, err, c.code)
				if !strings.Contains(err.Error(), c.want) {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if notes := strings.Join(p.Tables[0].Notes, "\n"); !strings.Contains(notes, c.want) {
				t.Errorf("the notes are %q", notes)
			}
		})
	}
}

func TestAKeyThatIsTooLongForAnIndex(t *testing.T) {
	raw := make([]byte, 3000)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	for value, fine := range map[string]bool{strings.Repeat("a", 10_000): true, hex.EncodeToString(raw): false} {
		err := indexable(&CaseTable{Facts: &casefile.Facts{}}, &casefile.Group{Number: 3, Key: Fields{{Name: "k", Value: &value}}})
		if fine && err != nil {
			t.Error(err)
		} else if !fine {
			wantCode(t, err, CodeUnsupported)
		}
	}
}

func TestWithoutAPrimaryKey(t *testing.T) {
	opened := tickets(t, func(c *casefile.Case) {
		c.Tables[0].ID, c.Tables[0].Facts = []string{"ctid"}, &casefile.Facts{}
	})
	if notes := strings.Join(made(t, opened, KeepSurvivor).Tables[0].Notes, ""); !strings.Contains(notes, "no primary key") {
		t.Error(notes)
	}
}
