package templates

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func builtin(t *testing.T) *Mails {
	t.Helper()
	m, err := BuiltinMails()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func entry(first bool, copies int) MailEntry {
	e := MailEntry{Title: "Seat A1", Times: "twice", Use: MailCopy{Label: "ID 1", When: "made on 1 May 2025 at 10:00 UTC"}, UseIsFirst: first}
	for range copies {
		e.Disregard = append(e.Disregard, MailCopy{Label: "ID 2"})
	}
	return e
}

func fill(t *testing.T, m Mail) (subject, text, html string) {
	t.Helper()
	subject, text, html, err := builtin(t).Fill(m)
	if err != nil {
		t.Fatal(err)
	}
	return subject, text, html
}

func TestMailSubject(t *testing.T) {
	for want, c := range map[string]struct {
		language string
		entries  []MailEntry
	}{
		"Your seat was recorded twice: please use the first one":                           {"en", []MailEntry{entry(true, 1)}},
		"Your seat was recorded twice: which one to use":                                   {"en", []MailEntry{entry(false, 2)}},
		"2 of your seats were recorded more than once: please use the first of each":       {"en", []MailEntry{entry(true, 1), entry(true, 1)}},
		"2 of your seats were recorded more than once: which ones to use":                  {"en", []MailEntry{entry(true, 1), entry(false, 1)}},
		"Ihr Eintrag wurde twice erfasst: bitte verwenden Sie den ersten":                  {"de", []MailEntry{entry(true, 1)}},
		"2 Ihrer Einträge wurden mehrfach erfasst: welche gelten":                          {"de", []MailEntry{entry(true, 1), entry(false, 1)}},
		"2 Ihrer Einträge wurden mehrfach erfasst: bitte verwenden Sie jeweils den ersten": {"de", []MailEntry{entry(true, 1), entry(true, 1)}},
	} {
		if got, _, _ := fill(t, Mail{Language: c.language, Noun: "seat", Nouns: "seats", Entries: c.entries}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestLanguagesAreComplete fills every sample in every language: no part is
// empty, all facts are there, and no language borrows a sentence of English.
func TestLanguagesAreComplete(t *testing.T) {
	if diff := cmp.Diff([]string{"de", "en"}, builtin(t).Languages()); diff != "" {
		t.Fatalf("languages (-want +got):\n%s", diff)
	}
	for _, language := range []string{"de", "en"} {
		for i, m := range mailSamples() {
			m.Language = language
			_, text, html := fill(t, m)
			for _, part := range []string{text, html} {
				facts := []string{m.AnswerTo, m.Name, m.Sender, m.Cause, m.Entries[0].Title, m.Entries[0].Use.Label}
				if m.Refund.State != "" && m.Refund.State != RefundMixed {
					facts = append(facts, m.Refund.Amount)
				}
				for _, d := range m.Entries[0].Disregard {
					facts = append(facts, d.Label, d.When, d.Amount)
				}
				for _, fact := range facts {
					if !strings.Contains(part, fact) {
						t.Errorf("%s, sample %d does not say %q:\n%s", language, i, fact, part)
					}
				}
				if language != "en" && (strings.Contains(part, "Your ") || strings.Contains(part, "refunded") || strings.Contains(part, "please")) {
					t.Errorf("%s, sample %d speaks English:\n%s", language, i, part)
				}
				if strings.Contains(part, "\n\n\n") {
					t.Errorf("%s, sample %d has a hole in it:\n%s", language, i, part)
				}
			}
		}
	}
}

func TestMoneyIsSpokenOfOnlyWhereItWasTaken(t *testing.T) {
	for state, want := range map[string]string{"": "", RefundDue: "We will refund EUR 45.00", RefundMade: "We have refunded EUR 45.00"} {
		m := Mail{Language: "en", Noun: "seat", Nouns: "seats", Entries: []MailEntry{entry(true, 1)}, Refund: MailRefund{State: state, Amount: "EUR 45.00"}}
		_, text, html := fill(t, m)
		for _, part := range []string{text, strings.NewReplacer("<strong>", "", "</strong>", "").Replace(html)} {
			if !strings.Contains(part, want) || want == "" && (strings.Contains(part, "refund") || strings.Contains(part, "charged")) {
				t.Errorf("refund %q:\n%s", state, part)
			}
		}
	}
}

func TestMailWithoutNames(t *testing.T) {
	_, text, html := fill(t, Mail{Language: "en", Noun: "seat", Nouns: "seats", Entries: []MailEntry{entry(false, 1)}, AnswerTo: "help@example.com"})
	for _, part := range []string{text, html} {
		for _, want := range []string{"Hello,", "Your support team", "Your seat is valid", "help@example.com"} {
			if !strings.Contains(part, want) {
				t.Errorf("no %q in:\n%s", want, part)
			}
		}
	}
}

// TestMailHTMLLoadsNothing keeps pictures, scripts and foreign links out: a
// mail must not tell anybody that it was opened.
func TestMailHTMLLoadsNothing(t *testing.T) {
	for _, language := range builtin(t).Languages() {
		m := Mail{Language: language, Name: "<img src=x>", Noun: "seat", Nouns: "seats", Entries: []MailEntry{entry(true, 1)}, AnswerTo: `x" onclick="y@example.com`}
		_, _, html := fill(t, m)
		for _, bad := range []string{"<img", "<script", "http", "src=", "url(", `onclick="`} {
			if strings.Contains(strings.ReplaceAll(html, "&lt;img src=x&gt;", ""), bad) {
				t.Errorf("the HTML holds %q:\n%s", bad, html)
			}
		}
	}
}

func TestTemplatesOfAFolder(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	words := string(must(mailFiles.ReadFile("mails/en/words.txt")))
	m, err := LoadMails(fstest.MapFS{"subject.txt": file("\ufeffAbout {{len .Entries}}\r\nof them"), "fr/subject.txt": file("S"), "fr/body.txt": file("Bonjour {{.Name}}\r\n"), "fr/body.html": file("<p>{{.Name}}</p>"), "fr/words.txt": file(words), "README.md": file("{{.Nothing}}")}, "en")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"de", "en", "fr"}, m.Languages()); diff != "" {
		t.Errorf("languages (-want +got):\n%s", diff)
	}
	mail := Mail{Name: "Ada", Noun: "seat", Nouns: "seats", Entries: []MailEntry{entry(true, 1)}}
	for language, want := range map[string][2]string{"en": {"About 1 of them", "Hello Ada,"}, "de": {"Ihr Eintrag", "Guten Tag Ada,"}, "fr": {"S", "Bonjour Ada\n"}} {
		mail.Language = language
		subject, text, _, err := m.Fill(mail)
		if err != nil || !strings.HasPrefix(subject, want[0]) || !strings.HasPrefix(text, want[1]) {
			t.Errorf("%s: %q, %q, %v", language, subject, text, err)
		}
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}

func TestTemplatesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"unknown field":                    {"body.txt", "Hello {{.Nome}}", "en/body.txt:1:8: there is no field .Nome in Mail"},
		"in a branch that is never taken":  {"body.txt", "x\n{{if eq .Noun \"zz\"}}{{.Nope}}{{end}}", "en/body.txt:2:22: there is no field .Nope"},
		"of an entry":                      {"body.html", "{{range .Entries}}{{.Title}} {{.Tittle}}{{end}}", "there is no field .Tittle in MailEntry"},
		"of a copy through a variable":     {"body.txt", "{{range $i, $e := .Entries}}{{range $e.Disregard}}{{.Lable}}{{end}}{{end}}", "no field .Lable in MailCopy"},
		"through index":                    {"body.txt", "{{(index .Entries 0).Tilte}}", "no field .Tilte in MailEntry"},
		"through with":                     {"body.txt", "{{with .Refund}}{{.Sum}}{{end}}", "no field .Sum in MailRefund"},
		"through a definition":             {"body.txt", `{{define "x"}}{{.Foo}}{{end}}{{template "x" .Refund}}`, "no field .Foo in MailRefund"},
		"through a method":                 {"body.txt", "{{.One.Foo}}", "no field .Foo in MailEntry"},
		"of the root in a range":           {"body.txt", "{{range .Entries}}{{$.Foo}}{{end}}", "no field .Foo in Mail"},
		"of a text":                        {"body.txt", "{{.Name.First}}", "no field .First"},
		"as an argument":                   {"body.txt", `{{if eq .Klass "race"}}x{{end}}`, "no field .Klass"},
		"in the subject":                   {"subject.txt", "{{.Subject}}", "no field .Subject"},
		"in the words":                     {"words.txt", `{{define "date"}}{{.Dya}}{{end}}`, `is missing`},
		"not a template":                   {"body.txt", "{{if}}", "en/body.txt:1"},
		"an unknown function":              {"body.txt", "{{upper .Name}}", `function "upper" not defined`},
		"no such definition":               {"body.txt", `{{template "y" .}}`, `no template "y"`},
		"an empty subject":                 {"subject.txt", " \n", "empty subject"},
		"fails in the filling":             {"body.txt", "{{index .Entries 7}}", "en/body.txt"},
		"HTML that cannot be made safe":    {"body.html", "<a href='{{if .Name}}x'{{end}}>", "en/body.html"},
		"a misspelt file":                  {"bdy.txt", "x", "no template that is used"},
		"a misspelt language":              {"german/body.txt", "x", "named by a language"},
		"a language that is not complete":  {"fr/body.txt", "x", "missing"},
		"a folder without any template":    {"notes.md", "x", "holds none of"},
		"a template longer than a mailbox": {"body.txt", strings.Repeat("x", maxTemplate+1), "longer"},
	} {
		_, err := LoadMails(fstest.MapFS{c.file: &fstest.MapFile{Data: []byte(c.text)}}, "en")
		if fault, ok := errors.AsType[*MailTemplateError](err); !ok || !strings.Contains(fault.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestPrintedFieldsAreAll keeps the printed list and the types one.
func TestPrintedFieldsAreAll(t *testing.T) {
	var b strings.Builder
	if err := PrintMailFields(&b); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []reflect.Type{reflect.TypeFor[Mail](), reflect.TypeFor[MailEntry](), reflect.TypeFor[MailCopy](), reflect.TypeFor[MailRefund](), reflect.TypeFor[MailSpan](), reflect.TypeFor[MailMoney](), reflect.TypeFor[MailDate](), reflect.TypeFor[MailCause]()} {
		for _, f := range reflect.VisibleFields(kind) {
			if doc := f.Tag.Get("doc"); doc == "" || !strings.Contains(b.String(), doc) || !strings.Contains(b.String(), "."+f.Name+" ") {
				t.Errorf("%s.%s is not printed, or has no words", kind.Name(), f.Name)
			}
		}
		for m := range kind.Methods() {
			if doc := methodDocs[m.Name]; doc == "" || !strings.Contains(b.String(), doc) {
				t.Errorf("%s.%s is not printed", kind.Name(), m.Name)
			}
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"{{.Name}}", "{{range $i, $e := .Entries}}{{$i}}{{$e.Title}}{{else}}{{.Nope}}{{end}}", "{{with $x := .One}}{{$x.Use.Label}}{{end}}", "{{(index .Entries 0).Title}}", `{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}`, "{{break}}", "{{. | len}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "template") || strings.Contains(text, "range") && strings.Contains(text, "len") {
			return // a template may call itself without end, or count very far
		}
		m, err := LoadMails(fstest.MapFS{"body.txt": &fstest.MapFile{Data: []byte(text)}}, "en")
		if _, ok := errors.AsType[*MailTemplateError](err); err != nil && !ok {
			t.Fatalf("%q: %v is no fault of a template", text, err)
		}
		if err == nil && m.Words("en") == nil {
			t.Fatal("the words are gone")
		}
	})
}
