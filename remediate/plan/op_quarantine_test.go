package plan

import "testing"

func TestQuarantineAndItsInverse(t *testing.T) {
	o := quarantine("postgres", `"my shop".tickets`, "c0ffee", 3)
	if o.Quarantine != `"my shop".twinrow_quarantine` || len(o.Hazards) != 0 || o.Irreversible || o.Inverse != OpRelease {
		t.Errorf("%+v", o)
	}
	undo, ok := o.Undo()
	if !ok || undo.Op != o.Inverse || undo.Quarantine != o.Quarantine || undo.Rows != 3 || !undo.Irreversible {
		t.Errorf("%+v", undo)
	}
	if _, ok := undo.Undo(); ok {
		t.Error("what is released can be taken back")
	}
}

func TestQuarantineTable(t *testing.T) {
	for table, want := range map[[2]string]string{
		{"postgres", "public.tickets"}: "public.twinrow_quarantine",
		{"postgres", "tickets"}:        "twinrow_quarantine",
		{"postgres", `"a.b"."c""d"`}:   `"a.b".twinrow_quarantine`,
		{"sqlite", "my.tickets"}:       "twinrow_quarantine_my.tickets_c0ffee",
	} {
		if got := QuarantineTable(table[0], table[1], "c0ffee"); got != want {
			t.Errorf("%v: %s, want %s", table, got, want)
		}
	}
}

func TestSplitName(t *testing.T) {
	for table, want := range map[string][2]string{
		"public.tickets": {"public", "tickets"}, `"a.b"."c""d"`: {"a.b", `c"d`}, "tickets": {"", "tickets"}, `public."x.y"`: {"public", "x.y"},
	} {
		if schema, name := SplitName("postgres", table); [2]string{schema, name} != want {
			t.Errorf("%s: %q %q", table, schema, name)
		}
	}
}
