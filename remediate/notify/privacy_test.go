package notify

import (
	"strings"
	"testing"

	"twinrow/detect/casefile"
)

func TestDraftIsWellFormed(t *testing.T) {
	opened, d := mustDraft(t, hostileGroups())
	for _, m := range d.Mails {
		raw := read(t, opened.Dir, DraftsName, m.File)
		for line := range strings.SplitSeq(strings.TrimSuffix(raw, "\r\n"), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%s has a line of %d bytes, or a bare CR or LF: %q", m.File, len(line), line)
			}
		}
		if i := strings.IndexFunc(raw, func(r rune) bool { return r > 126 || r < 32 && r != '\r' && r != '\n' }); i >= 0 {
			t.Errorf("%s holds the raw byte %q", m.File, raw[i])
		}
	}
}

// hostileGroups has customers whose names and keys try to break out.
func hostileGroups() []*casefile.Group {
	var groups []*casefile.Group
	for i, h := range hostile {
		email := h.email
		if email == "" {
			email = "h" + string(rune('a'+i)) + "@example.com"
		}
		r := testRow{h.key + "-1", h.key, "1", h.name, email, "2025-12-24T03:20:37.914Z"}
		s := r
		s.id = h.key + "-2"
		groups = append(groups, group(r, s))
	}
	return groups
}

var hostile = []struct{ name, key, email, shown string }{
	{"Eve\r\nBcc: all@example.com", "k\r\nBcc: x@example.com", "", "Eve Bcc: all@example.com"},
	{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "", "<script>alert(1)</script>"},
	{"{{.AnswerTo}} {{template \"x\"}}", "{{range .}}", "", `{{.AnswerTo}} {{template "x"}}`},
	{`O'Neil, "The Boss" \ Jr.`, "a,b;c", "", `O'Neil, "The Boss" \ Jr.`},
	{"Zoë Müller-Łukasz 山田太郎", "ключ", "", "Zoë Müller-Łukasz 山田太郎"},
	{"=?utf-8?q?Bob=0D=0ABcc:_x?=", "=?utf-8?q?a?=", "", "=?utf-8?q?Bob=0D=0ABcc:_x?="},
	{"Ida", "=cmd|' /C calc'!A0", "ida@bücher.example.com", "Ida"},
	{strings.Repeat("Long ", 500), strings.Repeat("k", 5000), "", strings.TrimSpace(strings.Repeat("Long ", 16)[:79]) + "…"},
	{"a\u202eb\x00c\u2028d", "x\x1b[31m", "", "a b c d"},
	{"Grüße " + strings.Repeat("ü", 60), "z", "", "Grüße " + strings.Repeat("ü", 60)},
}

func TestHostileValuesStayValues(t *testing.T) {
	opened, d := mustDraft(t, hostileGroups())
	if len(d.Mails) != len(hostile) {
		t.Fatalf("%d mails for %d customers", len(d.Mails), len(hostile))
	}
	for i, m := range d.Mails {
		header, parts := decoded(t, read(t, opened.Dir, DraftsName, m.File))
		var names []string
		for name := range header {
			names = append(names, name)
		}
		if len(names) != 9 || header.Get("Bcc") != "" {
			t.Errorf("%s has the headers %q", m.File, names)
		}
		to, err := header.AddressList("To")
		if err != nil || len(to) != 1 {
			t.Fatalf("%s: To is %q: %v", m.File, header.Get("To"), err)
		}
		shown := hostile[i].shown
		if strings.Contains(shown, "@") {
			shown = "" // a name with an address in it is left out
		}
		if to[0].Name != shown {
			t.Errorf("%s is to %q, want %q", m.File, to[0].Name, shown)
		}
		if got := parts["text/html"]; strings.Contains(got, "<script") || strings.Contains(got, "<img") {
			t.Errorf("%s holds markup of a customer:\n%s", m.File, got)
		}
		if got := strings.Count(parts["text/plain"], "Please use:"); got != 1 {
			t.Errorf("%s says %d times what to use", m.File, got)
		}
		message, err := LoadMessage(opened, m)
		if err != nil || message.To.Name != shown || message.Text != parts["text/plain"] || message.HTML != parts["text/html"] {
			t.Errorf("%s reads back as something else: %v", m.File, err)
		}
	}
	if got := d.Mails[6].To; got != "ida@xn--bcher-kva.example.com" {
		t.Errorf("the internationalised domain became %q", got)
	}
}

// TestNoCustomerSeesAnother reads every byte of every draft, as it is and
// decoded, for anything that belongs to another customer.
func TestNoCustomerSeesAnother(t *testing.T) {
	groups := incident()
	for i := range 40 {
		n := string(rune('A'+i%26)) + strings.Repeat("q", i/26+1)
		r := testRow{"id" + n + "kept", "key" + n + "key", "7" + n, "Name" + n + "Name", "mail" + n + "@example.com", "2025-12-24T03:20:37.914Z"}
		s := r
		s.id = "id" + n + "gone"
		groups = append(groups, group(r, s))
		if i%5 == 0 { // some have a second group
			r.intent, r.id, s.intent, s.id = "more"+r.intent, "more"+r.id, "more"+s.intent, "more"+s.id
			groups = append(groups, group(r, s))
		}
	}
	opened, d := mustDraft(t, groups)
	owned := map[string][]string{} // by address
	for _, g := range groups {
		for _, row := range g.Rows {
			email := *row.Values[4].Value
			for _, column := range []int{0, 1, 3, 4} {
				owned[email] = append(owned[email], *row.Values[column].Value)
			}
		}
	}
	if len(d.Mails) != len(owned) {
		t.Fatalf("%d mails for %d customers", len(d.Mails), len(owned))
	}
	checks := 0
	for _, m := range d.Mails {
		raw := read(t, opened.Dir, DraftsName, m.File)
		_, parts := decoded(t, raw)
		all := strings.ToLower(raw + parts["text/plain"] + parts["text/html"])
		mine := strings.ToLower(strings.Join(owned[m.To], "\n"))
		for _, v := range owned[m.To] {
			if !strings.Contains(all, strings.ToLower(v)) {
				t.Errorf("%s does not hold its own %q", m.File, v)
			}
		}
		for other, values := range owned {
			if other == m.To {
				continue
			}
			for _, v := range values {
				if v = strings.ToLower(v); strings.Contains(mine, v) || len(v) == 3 && strings.Contains(m.ID+opened.ID, v) {
					continue
				}
				checks++
				if strings.Contains(all, v) {
					t.Errorf("%s holds %q of another customer", m.File, v)
				}
			}
		}
	}
	if checks < 10_000 {
		t.Errorf("only %d comparisons were made", checks)
	}
}

// TestNoCustomerSeesAnotherInAnyLanguage does the same for each language, with
// money, and for everything that stands in the index of a single mail.
func TestNoCustomerSeesAnotherInAnyLanguage(t *testing.T) {
	for _, language := range []string{"de", "en"} {
		var groups []*casefile.Group
		for i := range 12 {
			n := string(rune('A' + i))
			r := testRow{"id" + n + n + n, "key" + n + n + n, "1", "Name" + n + n + n, "mail" + n + n + n + "@example.com", "2025-12-24T03:20:37.914Z"}
			s := r
			s.id = "gone" + n + n + n
			groups = append(groups, paid(group(r, s), "EUR", "77"+strings.Repeat(string(rune('0'+i%10)), 4), "88"+strings.Repeat(string(rune('0'+i%10)), 4)))
		}
		opened, d := draftPaid(t, groups, func(o *Options) { o.Language = language })
		for i, m := range d.Mails {
			raw := read(t, opened.Dir, DraftsName, m.File)
			_, parts := decoded(t, raw)
			all := strings.ToLower(raw + parts["text/plain"] + parts["text/html"])
			for j := range groups {
				mark := strings.ToLower(strings.Repeat(string(rune('A'+j)), 3))
				for _, v := range []string{"id" + mark, "key" + mark, "name" + mark, "mail" + mark, "gone" + mark} {
					if got := strings.Contains(all, v); got != (i == j) {
						t.Errorf("%s: the mail of customer %d and %q of customer %d: %v", language, i, v, j, got)
					}
				}
			}
		}
	}
}
