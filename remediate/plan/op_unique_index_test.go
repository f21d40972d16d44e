package plan

import (
	"strings"
	"testing"
	"unicode/utf8"

	"twinrow/detect/casefile"
)

func TestUniqueIndexAndItsInverse(t *testing.T) {
	index := &Index{Name: "tickets_k_key", Parts: []KeyPart{{Text: "k"}}}
	o := uniqueIndex("public.tickets", index, []Hazard{TakesLock})
	undo, ok := o.Undo()
	if !ok || undo.Op != OpDropIndex || undo.Op != o.Inverse || undo.Index != index || len(o.Hazards) != 2 {
		t.Errorf("%+v %+v", o, undo)
	}
}

func TestIndexNames(t *testing.T) {
	taken := map[string]bool{}
	table := &casefile.Table{Name: "t", Key: []KeyPart{{Text: "payment"}, {Text: "lower(email)", Expression: true}}}
	if got := indexName("t", table, table.Key, taken); got != "t_payment_expr_key" {
		t.Error(got)
	}
	second := indexName("T", table, table.Key, taken)
	if second == "T_payment_expr_key" || !strings.HasSuffix(second, "_key") {
		t.Errorf("the second name is %s", second)
	}
	long := indexName(strings.Repeat("ü", 60), table, table.Key, taken)
	if len(long) > maxName || !utf8.ValidString(long) {
		t.Errorf("%d bytes: %s", len(long), long)
	}
	other := *table
	other.Where = "x"
	if again := indexName(strings.Repeat("ü", 60), &other, other.Key, taken); again == long || len(again) > maxName {
		t.Errorf("two long names are alike: %s", again)
	}
}
