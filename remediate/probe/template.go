package probe

import (
	"crypto/rand"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"text/template"
	"time"

	"twinrow/detect/casefile"
)

// source is a template as it was written.
type source struct {
	// raw still names the environment instead of its values; only it is shown.
	raw string
	// text has the environment's values in it and may be secret.
	text string
	// where is the file with line and column, or a flag.
	where string
	// compiled is nil before compile.
	compiled *template.Template
}

// given tells whether anything was written.
func (s *source) given() bool { return s.raw != "" }

func (s *source) compile() error {
	compiled, err := template.New("").Option("missingkey=error").Parse(s.text)
	if err != nil {
		return s.problem(err)
	}
	s.compiled = compiled
	return nil
}

// render fills the template in. An error names no value.
func (s *source) render(data map[string]any) (string, error) {
	var out strings.Builder
	if err := s.compiled.Execute(&out, data); err != nil {
		return "", s.problem(err)
	}
	return out.String(), nil
}

var templatePlace = regexp.MustCompile(`^template: :(\d+:)*\s*(executing "" at )?`)

func (s *source) problem(err error) error {
	text := templatePlace.ReplaceAllString(err.Error(), "")
	return &casefile.Problem{Code: casefile.CodeBadInput, Message: fmt.Sprintf("%s: the template %s cannot be filled in: %s", s.where, clip(s.raw, 60), text),
		Hint: "templates know .Key, .User, .Copy, .Round, .NowMillis, .NowSeconds, .UUID, what vars defines, and what the login or an earlier step takes"}
}

// builtin are the names that vars must leave alone.
var builtin = []string{"Key", "User", "Copy", "Round", "NowMillis", "NowSeconds", "UUID", "Name"}

// moment is everything that a template can see but for vars. Now and UUID are
// the same for all copies of a key in a round, so copies are identical unless
// they use .Copy or .User.
type moment struct {
	Key               string
	User, Copy, Round int
	Now               time.Time
	UUID              string
}

func (m moment) data(vars map[string]string) map[string]any {
	data := map[string]any{
		"Key": m.Key, "User": m.User, "Copy": m.Copy, "Round": m.Round, "UUID": m.UUID,
		"NowMillis": m.Now.UnixMilli(), "NowSeconds": m.Now.Unix(),
	}
	for name, value := range vars {
		data[name] = value
	}
	return data
}

// newUUID is a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// variable is one entry of vars. Later ones may use earlier ones.
type variable struct {
	name  string
	value source
}

// evaluate fills vars in, over the values that are known before.
func evaluate(known map[string]string, vars []variable, m moment) (map[string]string, error) {
	values := make(map[string]string, len(vars)+len(known))
	maps.Copy(values, known)
	for i := range vars {
		text, err := vars[i].value.render(m.data(values))
		if err != nil {
			return nil, err
		}
		values[vars[i].name] = text
	}
	return values, nil
}

// quoteTemplate keeps a value from being taken for a template.
func quoteTemplate(value string) string {
	return strings.ReplaceAll(value, "{{", `{{"{{"}}`)
}

// clip shortens text for a message, at a rune's end.
func clip(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n]) + "…"
}
